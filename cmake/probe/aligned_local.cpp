// An over-aligned local that lives across a suspension is aligned, provided that its frame is: the
// promise's allocator answers for the frame's address (the default one gives 16 bytes and both g++
// and clang then misplace the local), the compiler for the offset in it. Many frames, with small
// allocations between them: a lucky address proves nothing.
#include <cstdint>
#include <memory>
#include <vector>

#include "probe.hpp"

namespace {

struct alignas(64) cache_line {
  unsigned char bytes[64] = {};
};

// Volatile: the optimiser knows what the alignment ought to be and would answer without looking.
bool aligned(const cache_line& line) {
  const volatile std::uintptr_t address = reinterpret_cast<std::uintptr_t>(line.bytes);
  return address % alignof(cache_line) == 0;
}

probe::task<bool> body() {
  cache_line line;
  const bool before = aligned(line);
  line.bytes[0] = co_await probe::suspended<unsigned char>{1};
  co_return before&& aligned(line) && line.bytes[0] == 1;
}

const probe::shape here("an alignas(64) local is misaligned in an aligned frame", [] {
  std::vector<probe::task<bool>> frames;
  std::vector<std::unique_ptr<char[]>> between;
  bool all = true;
  for (int each = 0; each < 16; ++each) {
    between.push_back(std::make_unique<char[]>(16));
    frames.push_back(body());
    frames.back().start();
    std::exchange(probe::parked, nullptr).resume();
    all = all && frames.back().value();
  }
  return all;
});

}  // namespace
