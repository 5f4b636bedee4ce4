// A million tasks awaited one after the other, none of which suspends: with real symmetric transfer
// the stack stays where it is. Asked at -O2 only: below that no compiler promises the tail call,
// and a sanitizer may forbid it (which is why the engine resumes through its queue and never
// depends on this for its own depth).
#include <cstdint>

#include "probe.hpp"

namespace {

constexpr int links = 1'000'000;
constexpr std::uintptr_t stack_bytes_max = 64 * 1024;  // far below any limit, so nothing crashes
std::uintptr_t start_of_stack = 0;

[[gnu::noinline]] std::uintptr_t stack_now() {
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

probe::task<bool> link() {
  co_return start_of_stack - stack_now() < stack_bytes_max;
}

probe::task<int> chain() {
  int linked = 0;
  while (linked < links) {
    const bool shallow = co_await link();
    if (!shallow) break;
    ++linked;
  }
  co_return linked;
}

const probe::shape here("a long chain of symmetric transfers eats the stack", [] {
  start_of_stack = stack_now();
  return probe::run(chain()) == links;
});

}  // namespace
