// A coroutine whose outermost block declares no local, and whose condition is a co_await: g++ 12
// never runs the body (GCC PR 106188).
#include "probe.hpp"

namespace {

int bodies = 0;
int rounds = 0;

probe::task<int> in_if() {
  if (co_await probe::suspended<bool>{true}) ++bodies;
  co_return 0;
}

probe::task<int> in_while() {
  while (co_await probe::suspended<bool>{rounds < 3}) ++rounds;
  co_return 0;
}

probe::task<int> in_switch() {
  switch (co_await probe::suspended<int>{7}) {
    case 7:
      ++bodies;
      break;
    default:
      break;
  }
  co_return 0;
}

const probe::shape here("the body of an if, while or switch over a co_await did not run", [] {
  probe::run(in_if());
  probe::run(in_while());
  probe::run(in_switch());
  return bodies == 2 && rounds == 3;
});

}  // namespace
