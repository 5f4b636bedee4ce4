// The loop's operations between threads, processes and rings, and on what a ring has registered:
// futexes, children, messages, tables, provided buffers; and every other opcode, raw.
//
// A cancelled futex or waitid, and one that times out, answers -ECANCELED; the cancel itself then
// says 1, not 0. Futex words are 32 bits and belong to the caller. Kernel versions: op_table.hpp.
#pragma once

#include <linux/futex.h>
#include <sys/wait.h>

#include <initializer_list>
#include <span>

#include "engine/op_table.hpp"
#include "engine/ops/parts.hpp"

namespace uring {

// Waits on N words; the result is the index of one that was woken.
template <std::size_t N>
class futex_waitv_operation : public operation {
 public:
  futex_waitv_operation(loop& on, const io_uring_sqe& prepared,
                        const futex_waitv (&words)[N]) noexcept
      : operation(on, prepared) {
    std::copy_n(words, N, words_.begin());
    sqe_.addr = address_of(words_.data());
    sqe_.len = N;
  }

 private:
  std::array<futex_waitv, N> words_;
};

// What happened to the child, valid once it has been awaited with 0; si_pid 0 when nothing did
// (WNOHANG).
class waitid_operation : public operation {
 public:
  waitid_operation(loop& on, io_uring_sqe prepared) noexcept : operation(on, prepared) {
    sqe_.addr2 = address_of(&info_);
  }
  [[nodiscard]] const siginfo_t& info() const { return info_; }

 private:
  siginfo_t info_{};
};

// A member of an SQE and what it shall be.
using sqe_value = constant_row;

class sync_factories {
 public:
  operation nop() noexcept;
  // Completes with `res`, whatever it is (Linux 6.10).
  operation nop_result(int res) noexcept;
  // Any opcode, also one that the table does not know, with these members set; or a prepared
  // submission. Its user_data is the loop's.
  operation raw(std::uint8_t opcode, any_fd fd,
                std::initializer_list<sqe_value> members = {}) noexcept;
  operation raw(const io_uring_sqe& prepared) noexcept;

  // Waits while the word is `value`: -EAGAIN when it is not. Masks select waiters by common bits; 0
  // is -EINVAL. `flags` are FUTEX2_*; 2, the default, is a word of 32 bits, shared.
  operation futex_wait(const std::uint32_t& word, std::uint32_t value,
                       std::uint64_t mask = 0xffffffff, unsigned flags = futex2_size_u32) noexcept;
  // Wakes at most `count` waiters; the result is how many there were.
  operation futex_wake(const std::uint32_t& word, unsigned count, std::uint64_t mask = 0xffffffff,
                       unsigned flags = futex2_size_u32) noexcept;
  template <std::size_t N>
  futex_waitv_operation<N> futex_waitv(const struct futex_waitv (&words)[N]) noexcept {
    return {self(), futex_waitv_request(), words};
  }
  static struct futex_waitv futex_word(const std::uint32_t& word, std::uint32_t value) noexcept;

  // As waitid(2): P_PID, P_PGID, P_ALL, P_PIDFD; WEXITED and so on. -ECHILD.
  waitid_operation waitid(idtype_t type, id_t id, int options) noexcept;

  // Posts a completion with this user_data, result and flags (Linux 6.3) on another ring, or on its
  // own. Among loops nobody waits for it: it is a stray there. -EBADFD when `ring` is none.
  operation msg_ring(int ring, std::uint64_t user_data, int res,
                     std::uint32_t cqe_flags = 0) noexcept;
  // Hands a file of this ring's table to another ring's (Linux 6.0); with file_slot::any() the
  // completion there names the slot. -ENFILE when that table is full, -EBADF for an empty slot.
  operation msg_ring_fd(int ring, fixed_fd source, file_slot target,
                        std::uint64_t user_data) noexcept;

  // Puts descriptors into slots from `first` on; -1 empties one. The result is how many were done.
  // The descriptors are read when it runs and must outlive it.
  operation files_update(std::span<int> descriptors, unsigned first) noexcept;
  // The same into free slots, which then stand in the place of the descriptors.
  operation files_update(std::span<int> descriptors) noexcept;
  // An ordinary descriptor for a slot's file; `no_cloexec`: it survives exec.
  opening_operation fixed_fd_install(fixed_fd file, bool no_cloexec = false) noexcept;

  // The older way to provide buffers: `count` of `size` bytes, numbered from `first`, that belong
  // to the caller. Each goes out once; for groups that refill themselves see buffer_ring.hpp.
  operation provide_buffers(std::span<std::byte> memory, unsigned size, unsigned count,
                            std::uint16_t group, std::uint16_t first = 0) noexcept;
  // The result is how many were taken out.
  operation remove_buffers(unsigned count, std::uint16_t group) noexcept;

  static constexpr unsigned futex2_size_u32 = 2;

 protected:
  sync_factories() = default;

 private:
  loop& self() noexcept;
  static io_uring_sqe futex_waitv_request() noexcept;
};

}  // namespace uring
