#include "engine/ring_limits.hpp"

#include <liburing.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string>

#include "engine/own_thread.hpp"

namespace uring {
namespace {

std::optional<long> number_in(const std::string& path) {
  std::ifstream file(path);
  long value = 0;
  return file >> value ? std::optional(value) : std::nullopt;
}

std::optional<long> status_number(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  long value = 0;
  for (std::string word; file >> word;)
    if (word == key + ':') return file >> value ? std::optional(value) : std::nullopt;
  return std::nullopt;
}

void ask_with_the_largest_ring(ring_limits& found) {
  constexpr unsigned beyond_all = 1U << 30;
  io_uring_params params{};
  params.flags = IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE;
  params.cq_entries = beyond_all;
  const auto ring = static_cast<int>(syscall(__NR_io_uring_setup, beyond_all, &params));
  if (ring < 0) return;
  found.sq_entries = params.sq_entries;
  found.cq_entries = params.cq_entries;
  // Zeros change nothing and are replaced by what is.
  std::array<unsigned, 2> workers{};
  if (syscall(__NR_io_uring_register, ring, IORING_REGISTER_IOWQ_MAX_WORKERS, workers.data(), 2) ==
      0) {
    found.bounded_workers = workers[0];
    found.unbounded_workers = workers[1];
  }
  close(ring);
}

}  // namespace

ring_limits find_ring_limits(const refusal_sources& sources) {
  ring_limits found;
  found.io_uring_disabled = number_in(sources.io_uring_disabled);
  found.io_uring_group = number_in(sources.io_uring_group);
  found.seccomp = status_number(sources.status, "Seccomp");
  // Without a thread the sizes stay unknown: asking here would leave this task's workers changed.
  run_on_own_thread([&found] { ask_with_the_largest_ring(found); });
  return found;
}

}  // namespace uring
