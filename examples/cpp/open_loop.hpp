// How the examples get their loop: or say why there is none, and what to do about it.
#pragma once

#include <cstdio>
#include <memory>

#include "engine/limits.hpp"
#include "engine/loop.hpp"

// Null when the kernel refuses a ring; the reason and the remedy are on standard error then.
inline std::unique_ptr<uring::loop> open_loop(const uring::loop_options& options = {}) {
  int refused = 0;
  std::unique_ptr<uring::loop> made = uring::loop::open(options, refused);
  if (made == nullptr) {
    const uring::ring_refusal why = uring::diagnose_ring_failure(refused);
    std::fprintf(stderr, "no io_uring: %s\n%s\n", why.message.c_str(), why.remedy.c_str());
  }
  return made;
}
