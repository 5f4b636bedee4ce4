#include "engine/probe.hpp"

#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace uring {
namespace {

constexpr unsigned trial_entries = 8;
constexpr size_t trial_bytes = 4096;

// The first ring of a task sizes its io-wq: min(entries, 4 x processors) bounded workers, for good.
unsigned entries_for_full_io_wq() {
  const long processors = std::max(1L, sysconf(_SC_NPROCESSORS_ONLN));
  return std::bit_ceil(static_cast<unsigned>(std::min(4 * processors, 4096L)));
}

std::string kernel_release() {
  utsname name;
  return uname(&name) == 0 ? name.release : "";
}

int setup(unsigned entries, io_uring_params& params) {
  return static_cast<int>(syscall(__NR_io_uring_setup, entries, &params));
}

// A ring of its own, made through liburing because the NOP trial needs its queues mapped.
class base_ring {
 public:
  base_ring() : error_(-io_uring_queue_init(entries_for_full_io_wq(), &ring_, 0)) {}
  ~base_ring() {
    if (error_ == 0) io_uring_queue_exit(&ring_);
  }
  base_ring(const base_ring&) = delete;
  base_ring& operator=(const base_ring&) = delete;

  int error() const { return error_; }
  io_uring& get() { return ring_; }

 private:
  io_uring ring_{};
  int error_;
};

// Memory for a ring made with no_mmap; one page is enough for the few entries of a trial.
class page {
 public:
  page()
      : memory_(mmap(nullptr, trial_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0)) {}
  ~page() {
    if (memory_ != MAP_FAILED) munmap(memory_, trial_bytes);
  }
  page(const page&) = delete;
  page& operator=(const page&) = delete;
  uint64_t address() const {
    return memory_ == MAP_FAILED ? 0 : reinterpret_cast<uint64_t>(memory_);
  }

 private:
  void* memory_;
};

// Flags that are accepted only together with others.
struct companion {
  uint32_t flag;
  uint32_t needs;
};
constexpr companion companions[] = {
    {IORING_SETUP_SQ_AFF, IORING_SETUP_SQPOLL},
    {IORING_SETUP_TASKRUN_FLAG, IORING_SETUP_COOP_TASKRUN},
    {IORING_SETUP_DEFER_TASKRUN, IORING_SETUP_SINGLE_ISSUER},
    {compat::setup_registered_fd_only, compat::setup_no_mmap},
    {compat::setup_hybrid_iopoll, IORING_SETUP_IOPOLL},
    {compat::setup_sq_rewind, compat::setup_no_sqarray},
};

uint32_t with_companions(uint32_t flag) {
  for (const companion& each : companions)
    if (each.flag == flag) return flag | each.needs;
  return flag;
}

// Such a ring is an index in the task's own table of rings, not a descriptor.
void drop_registered_ring(unsigned index) {
  io_uring_rsrc_update slot{};
  slot.offset = index;
  syscall(__NR_io_uring_register, index,
          IORING_UNREGISTER_RING_FDS | compat::register_use_registered_ring, &slot, 1);
}

// The last word of each offsets structure is where the kernel takes a no_mmap ring's memory from;
// liburing 2.3 calls it resv2.
template <class Offsets>
void give_memory(Offsets& offsets, uint64_t address) {
  std::memcpy(reinterpret_cast<std::byte*>(&offsets) + sizeof offsets - sizeof address, &address,
              sizeof address);
}

bool ring_can_be_made(uint32_t flag, int base_fd) {
  io_uring_params params{};
  params.flags = with_companions(flag);
  if ((flag & IORING_SETUP_CQSIZE) != 0) params.cq_entries = 4 * trial_entries;
  if ((flag & IORING_SETUP_ATTACH_WQ) != 0) params.wq_fd = static_cast<uint32_t>(base_fd);
  if ((flag & IORING_SETUP_SQ_AFF) != 0)
    params.sq_thread_cpu = static_cast<uint32_t>(std::max(0, sched_getcpu()));
  const page rings, submissions;
  if ((params.flags & compat::setup_no_mmap) != 0) {
    give_memory(params.cq_off, rings.address());
    give_memory(params.sq_off, submissions.address());
  }
  const int made = setup(trial_entries, params);
  if (made < 0) return false;
  if ((params.flags & compat::setup_registered_fd_only) != 0)
    drop_registered_ring(static_cast<unsigned>(made));
  else
    close(made);
  return true;
}

uint32_t accepted_setup_flags(int base_fd) {
  uint32_t accepted = 0;
  for (const flag_name& flag : flags::setup_flags.names) {
    const auto bit = static_cast<uint32_t>(flag.bits);
    if (ring_can_be_made(bit, base_fd)) accepted |= bit;
  }
  return accepted;
}

// Kernels before 6.10 ignore nop_flags and answer 0.
bool nop_injects(io_uring& ring) {
  constexpr int wanted = -ENODATA;
  io_uring_sqe* sqe = io_uring_get_sqe(&ring);
  if (sqe == nullptr) return false;
  begin_sqe(*sqe, op(IORING_OP_NOP));
  store(*sqe, sqe_member::op_flags, compat::nop_inject_result);
  store(*sqe, sqe_member::len, static_cast<uint32_t>(wanted));
  if (io_uring_submit_and_wait(&ring, 1) != 1) return false;
  io_uring_cqe* cqe = nullptr;
  if (io_uring_peek_cqe(&ring, &cqe) != 0) return false;
  const bool injected = cqe->res == wanted;
  io_uring_cqe_seen(&ring, cqe);
  return injected;
}

// False when the ring answers no questions: a kernel before 5.6, or a restricted ring.
bool ask_opcodes(io_uring& ring, capabilities& found) {
  constexpr unsigned asked = 256;
  alignas(io_uring_probe)
      std::array<std::byte, sizeof(io_uring_probe) + asked * sizeof(io_uring_probe_op)>
          memory{};
  auto* answer = reinterpret_cast<io_uring_probe*>(memory.data());
  if (io_uring_register_probe(&ring, answer, asked) != 0) return false;
  found.last_opcode = answer->last_op;
  for (unsigned n = 0; n < answer->ops_len && n < asked; ++n)
    found.opcodes.set(answer->ops[n].op, (answer->ops[n].flags & IO_URING_OP_SUPPORTED) != 0);
  return true;
}

// Opcodes that came before there was a way to ask.
void assume_first_opcodes(capabilities& found) {
  for (const op_row& row : op_table())
    if (!newer_than(row.since, "5.1")) found.opcodes.set(row.opcode);
  found.last_opcode = IORING_OP_POLL_REMOVE;
}

bool is_version(std::string_view text) {
  const auto digits = [&text] {
    size_t count = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      text.remove_prefix(1);
      ++count;
    }
    return count > 0 && count < 6;
  };
  if (!digits() || !text.starts_with('.')) return false;
  text.remove_prefix(1);
  return digits() && text.empty();
}

uint32_t bits_known_to(const flag_set& set, uint32_t bits, std::string_view version) {
  for (const flag_name& flag : set.names)
    if (newer_than(flag.since, version)) bits &= ~static_cast<uint32_t>(flag.bits);
  return bits;
}

}  // namespace

capabilities probe(io_uring& ring, setup_trials trials) {
  capabilities found;
  found.release = kernel_release();
  found.features = ring.features;
  base_ring own;
  const bool own_works = own.error() == 0;
  if (!ask_opcodes(ring, found) && !(own_works && ask_opcodes(own.get(), found)))
    assume_first_opcodes(found);
  // What the caller's ring was made with is certain in any case.
  found.setup_flags = ring.flags;
  if (!own_works) return found;
  if (trials == setup_trials::yes) found.setup_flags |= accepted_setup_flags(own.get().ring_fd);
  found.nop_inject = nop_injects(own.get());
  return found;
}

capabilities probe_kernel(setup_trials trials) {
  base_ring own;
  if (own.error() != 0) {
    capabilities nothing;
    nothing.release = kernel_release();
    nothing.ring_errno = own.error();
    return nothing;
  }
  return probe(own.get(), trials);
}

std::optional<capabilities> mask(const capabilities& found, std::string_view version) {
  if (!is_version(version)) return std::nullopt;
  capabilities masked = found;
  masked.as_kernel = version;
  for (const op_row& row : op_table())
    if (newer_than(row.since, version)) masked.opcodes.reset(row.opcode);
  // What has no row came after all that have one.
  if (newer_than(op_table().back().since, version)) {
    for (size_t n = op_table().size(); n < masked.opcodes.size(); ++n) masked.opcodes.reset(n);
  }
  masked.hidden = found.hidden | (found.opcodes & ~masked.opcodes);
  masked.features = bits_known_to(flags::features, found.features, version);
  masked.setup_flags = bits_known_to(flags::setup_flags, found.setup_flags, version);
  masked.nop_inject = found.nop_inject && !newer_than("6.10", version);
  masked.last_opcode = 0;
  for (unsigned n = 0; n < masked.opcodes.size(); ++n)
    if (masked.opcodes.test(n)) masked.last_opcode = n;
  return masked;
}

}  // namespace uring
