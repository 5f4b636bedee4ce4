// One group of provided buffers of a private ring, given to the kernel by a registered buffer ring
// or by PROVIDE_BUFFERS.
//
// Owned by its private_ring, which asks it for the bytes that a completion put into it. It knows
// the order in which the kernel takes the buffers, which only a buffer ring promises.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace scenarios {

class buffer_group {
 public:
  explicit buffer_group(std::uint16_t id) : id_(id) {}
  buffer_group(const buffer_group&) = delete;
  buffer_group& operator=(const buffer_group&) = delete;
  ~buffer_group();

  /// Registers a buffer ring with all its buffers in it. Returns 0 or -errno.
  int register_ring(io_uring& with, std::uint32_t count, std::uint32_t size, bool incremental);
  int unregister(io_uring& with);
  /// Memory for buffers that PROVIDE_BUFFERS is about to give.
  std::byte* provide(std::uint16_t first, std::uint32_t count, std::uint32_t size);

  /// What a completion put into the buffers from its own on, and takes note that they are used.
  std::string take(std::uint16_t buffer, std::size_t size, bool more);
  /// Puts bytes into the buffers that the kernel takes next.
  void fill_next(std::string_view octets);
  /// Gives a buffer back; false when it is none of this group, or is not used.
  bool recycle(std::uint16_t buffer);
  /// Every buffer that is used.
  [[nodiscard]] std::vector<std::uint16_t> used() const;

  bool recycles = false;  // used ones go back at once

 private:
  struct buffer {
    std::byte* at = nullptr;
    std::uint32_t size = 0;
    std::uint32_t consumed = 0;  // of an incremental one
    bool in_use = false;
  };
  void give(std::uint16_t number);

  std::uint16_t id_;
  std::map<std::uint16_t, buffer> buffers_;
  std::deque<std::uint16_t> order_;  // what the kernel has
  std::vector<std::unique_ptr<std::byte[]>> memory_;
  io_uring_buf_ring* ring_ = nullptr;
  std::size_t ring_bytes_ = 0;
  std::uint32_t count_ = 0;
  bool incremental_ = false;
};

}  // namespace scenarios
