// What a ring knows by number: the table of registered files and the registered buffers.
//
// Each is registered by its constructor function and unregistered by its destructor; a ring has one
// of each. Requests name a slot as fixed_fd (fd.hpp) and a place in a buffer as fixed_buffer. Used
// from the loop's thread; must not outlive the loop. The kernel keeps what a request in flight
// works on, so both may go while some are.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/fd.hpp"
#include "engine/ops/parts.hpp"

namespace uring {

// Slots for files, all empty at first. A slot holds its file open: a descriptor that was put into
// one may be closed.
class file_table {
 public:
  // Null when the kernel refuses; `refused` then holds -errno: -EBUSY when the ring has a table,
  // -EMFILE for more slots than RLIMIT_NOFILE, -EINVAL for none.
  static std::unique_ptr<file_table> open(loop& on, unsigned slots, int& refused);
  ~file_table();
  file_table(const file_table&) = delete;
  file_table& operator=(const file_table&) = delete;

  // At once, by a register call; loop::files_update does it in the queue. 0 or -errno.
  int put(fixed_fd slot, int fd) noexcept;
  int clear(fixed_fd slot) noexcept { return put(slot, -1); }
  // Restricts the slots that the kernel picks by itself (file_slot::any) to this range (Linux 6.0).
  int pick_from(unsigned first, unsigned count) noexcept;
  [[nodiscard]] unsigned slots() const { return slots_; }

 private:
  file_table(loop& on, unsigned slots) noexcept : on_(on), slots_(slots) {}
  loop& on_;
  unsigned slots_;
  bool registered_ = false;
};

// Memory that is pinned once instead of in each request. Owns it.
class registered_buffers {
 public:
  // `sizes`: bytes of each buffer, at least one. Null when the kernel refuses; `refused` then holds
  // -errno: -EBUSY when the ring has buffers, -ENOMEM beyond RLIMIT_MEMLOCK.
  static std::unique_ptr<registered_buffers> open(loop& on, std::span<const std::size_t> sizes,
                                                  int& refused);
  ~registered_buffers();
  registered_buffers(const registered_buffers&) = delete;
  registered_buffers& operator=(const registered_buffers&) = delete;

  // The whole buffer; fixed_buffer::subspan narrows it.
  [[nodiscard]] fixed_buffer at(std::uint16_t index) noexcept {
    return {std::span(memory_[index]), index};
  }
  [[nodiscard]] std::size_t count() const { return memory_.size(); }

 private:
  explicit registered_buffers(loop& on) noexcept : on_(on) {}
  loop& on_;
  std::vector<std::vector<std::byte>> memory_;
  bool registered_ = false;
};

}  // namespace uring
