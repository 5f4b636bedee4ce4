// What bounds rings here: sizes that the kernel clamps to, workers, and who may use io_uring at
// all.
//
// Asked by making one ring that is as large as may be, on a thread of its own (the first ring of a
// task sizes its workers for good), and by reading /proc. Plain values; ask once. What the process
// itself is limited to (descriptors, locked memory) is getrlimit(2)'s to tell.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/limits.hpp"

namespace uring {

struct ring_limits {
  std::optional<uint32_t> sq_entries;         ///< of the largest ring; none when it can't be had
  std::optional<uint32_t> cq_entries;         ///< the largest completion queue
  std::optional<uint32_t> bounded_workers;    ///< io-wq, for files: per task (Linux 5.15)
  std::optional<uint32_t> unbounded_workers;  ///< io-wq, for what may wait for ever
  std::optional<long> io_uring_disabled;      ///< the sysctl: 0 all may, 1 a group, 2 nobody (6.6)
  std::optional<long> io_uring_group;         ///< the group of 1; -1: none (6.6)
  std::optional<long> seccomp;                ///< of this process: 0 none, 1 strict, 2 a filter
};

ring_limits find_ring_limits(const refusal_sources& sources = {});

}  // namespace uring
