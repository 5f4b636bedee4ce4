// Temporaries inside a co_await expression: capturing lambdas, brace-made aggregates and class-type
// `?:` are destroyed exactly once. g++ 12 destroys them twice (GCC PR 101367 and 99576).
#include "probe.hpp"

namespace {

using probe::counted;

template <typename Call>
probe::suspended<int> result_of(const Call& call) {
  return {call()};
}

probe::task<int> lambda() {
  counted captured(3);
  co_return co_await result_of([captured] { return captured.number; });
}

struct pair_of_counted {
  counted left;
  counted right;
};

probe::suspended<int> sum_of(const pair_of_counted& both) {
  return {both.left.number + both.right.number};
}
probe::suspended<int> sum_by_value(pair_of_counted both) {
  return {both.left.number + both.right.number};
}

probe::task<int> aggregate() {
  int sum = co_await sum_of(pair_of_counted{counted(1), counted(2)});
  sum += co_await sum_by_value({counted(1), counted(2)});
  co_return sum;
}

probe::suspended<int> number_of(counted value) {
  return {value.number};
}
probe::suspended<int> number_at(const counted& value) {
  return {value.number};
}

probe::task<int> chosen(bool first) {
  counted kept(5);
  int sum = co_await number_of(first ? kept : counted(6));
  sum += co_await number_at(first ? counted(5) : counted(6));
  co_return sum;
}

const probe::shape here("a temporary of a co_await expression was not destroyed exactly once", [] {
  const bool right = probe::run(lambda()) == 3 && probe::run(aggregate()) == 6 &&
                     probe::run(chosen(true)) == 10 && probe::run(chosen(false)) == 12;
  return right && counted::alive == 0;
});

}  // namespace
