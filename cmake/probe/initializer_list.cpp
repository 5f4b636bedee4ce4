// An initializer list inside a co_await expression: g++ 12 does not compile it (GCC PR 103871).
#include <initializer_list>
#include <string>

#include "probe.hpp"

namespace {

probe::task<int> lengths(std::initializer_list<std::string> words) {
  int sum = 0;
  for (const std::string& word : words) sum += co_await probe::suspended<int>{int(word.size())};
  co_return sum;
}

probe::task<int> caller() {
  co_return co_await lengths({"accept", "recv", "shutdown"});
}

const probe::shape here("an initializer list in a co_await expression lost its elements",
                        [] { return probe::run(caller()) == 18; });

}  // namespace
