// Work on a thread that is made for it and gone afterwards: what it changes for its task (workers
// of io-wq, ring descriptors, affinities) goes with it. For the probes only; it blocks the caller.
#pragma once

#include <pthread.h>

namespace uring {

/// False when no thread can be had; nothing has been done then. `work` must not throw.
template <class Work>
bool run_on_own_thread(Work work) {
  pthread_t thread{};
  const auto body = [](void* its) -> void* {
    (*static_cast<Work*>(its))();
    return nullptr;
  };
  if (pthread_create(&thread, nullptr, body, &work) != 0) return false;
  pthread_join(thread, nullptr);
  return true;
}

}  // namespace uring
