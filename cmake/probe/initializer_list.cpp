// An initializer list inside a co_await expression, of scalars and of class type: g++ 12 compiles
// neither (GCC PR 103871). The elements are copies of named objects: g++ 14 still stops with an
// internal error when they are made of temporaries ({"a", "b"} for strings). That is at least loud,
// so it is no reason to refuse it.
#include <initializer_list>

#include "probe.hpp"

namespace {

using probe::counted;

probe::task<int> sum_of(std::initializer_list<int> numbers) {
  int sum = 0;
  for (const int number : numbers) sum += co_await probe::suspended<int>{number};
  co_return sum;
}

probe::task<int> sum_of(std::initializer_list<counted> values) {
  int sum = 0;
  for (const counted& each : values) sum += co_await probe::suspended<int>{each.number};
  co_return sum;
}

probe::task<int> scalars() {
  co_return co_await sum_of({1, 2, 3});
}

probe::task<int> objects() {
  const counted one(1);
  const counted two(2);
  co_return co_await sum_of({one, two, one});
}

const probe::shape here("an initializer list in a co_await expression lost its elements", [] {
  return probe::run(scalars()) == 6 && probe::run(objects()) == 4 && counted::alive == 0;
});

}  // namespace
