// A ring of buffers that the kernel selects from (IORING_REGISTER_PBUF_RING, Linux 5.19), so that a
// receive that waits holds no memory.
//
//   auto group = buffer_ring::open(loop, {.group = 1, .count = 64, .size = 4096}, refused);
//   const completion c = co_await loop.recv(socket, *group);
//   borrowed_buffer data = group->take(c);      // its bytes; goes back when `data` dies
//
// The ring owns the memory. A borrowed buffer returns itself to the kernel when it is destroyed or
// released; with `recycle` off it stays out until provide(), which is how -ENOBUFS is had. One
// completion may stand for a part of a buffer (incremental consumption, Linux 6.12) or for several
// (a bundle, Linux 6.10). Used from the loop's thread; must outlive what was borrowed from it, or
// it aborts, and must not outlive the loop.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engine/operation.hpp"

namespace uring {

class buffer_ring;

struct buffer_ring_options {
  std::uint16_t group = 0;    // the number that requests select it by
  std::uint16_t count = 16;   // a power of two, at most 32768
  std::uint32_t size = 4096;  // bytes of each
  bool incremental = false;   // a buffer is used up bit by bit, by many completions
  bool filled = true;         // the kernel has all of them from the start
  bool recycle = true;        // what was borrowed goes back by itself
};

// The bytes of one completion, in one buffer or, of a bundle, in several.
class borrowed_buffer {
 public:
  borrowed_buffer() = default;
  borrowed_buffer(borrowed_buffer&& other) noexcept { swap(other); }
  borrowed_buffer& operator=(borrowed_buffer&& other) noexcept {
    release();
    swap(other);
    return *this;
  }
  ~borrowed_buffer() { release(); }

  explicit operator bool() const { return from_ != nullptr; }
  [[nodiscard]] std::uint16_t id() const { return first_; }
  // Of all pieces together.
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] unsigned pieces() const { return pieces_; }
  [[nodiscard]] std::span<std::byte> piece(unsigned number) const noexcept;
  // The only piece, or the first.
  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return piece(0); }
  void release() noexcept;

 private:
  friend class buffer_ring;
  void swap(borrowed_buffer& other) noexcept {
    std::swap(from_, other.from_);
    std::swap(size_, other.size_);
    std::swap(offset_, other.offset_);
    std::swap(first_, other.first_);
    std::swap(pieces_, other.pieces_);
  }
  buffer_ring* from_ = nullptr;
  std::size_t size_ = 0;
  std::uint32_t offset_ = 0;  // of the first piece within its buffer
  std::uint16_t first_ = 0;
  std::uint16_t pieces_ = 0;
};

class buffer_ring {
 public:
  // Null when the kernel refuses it; `refused` then holds -errno: -EINVAL for a count that is no
  // power of two or for `incremental` before Linux 6.12, -EEXIST for a group that exists.
  static std::unique_ptr<buffer_ring> open(loop& on, const buffer_ring_options& options,
                                           int& refused);
  ~buffer_ring();
  buffer_ring(const buffer_ring&) = delete;
  buffer_ring& operator=(const buffer_ring&) = delete;

  [[nodiscard]] std::uint16_t group() const { return options_.group; }
  [[nodiscard]] std::uint16_t count() const { return options_.count; }
  [[nodiscard]] std::uint32_t size() const { return options_.size; }
  // How many completions' bytes are out.
  [[nodiscard]] std::size_t borrowed() const { return borrowed_; }

  // The bytes that a completion brought; empty when it names no buffer (an error, -ENOBUFS). Once
  // for each completion, in their order. `bundle`: the request had IORING_RECVSEND_BUNDLE.
  borrowed_buffer take(const completion& done, bool bundle = false) noexcept;

  // The bytes of a completion that has not been taken yet; of a bundle those in the first buffer.
  [[nodiscard]] std::span<std::byte> arrived(const completion& done) noexcept;

  // For a group that is not filled, or not recycled: the whole memory of a buffer, and giving its
  // first `length` bytes to the kernel. A buffer must not be given while it is there already.
  [[nodiscard]] std::span<std::byte> memory(std::uint16_t id) noexcept {
    return {data_ + std::size_t{id} * options_.size, options_.size};
  }
  void provide(std::uint16_t id, std::uint32_t length) noexcept;
  void provide(std::uint16_t id) noexcept { provide(id, options_.size); }

 private:
  friend class borrowed_buffer;
  friend class loop;
  struct buffer_state {
    std::uint32_t length = 0;  // as it was provided
    std::uint32_t used = 0;    // incremental: what the kernel has filled
    std::uint32_t pieces = 0;  // borrowed now
    std::uint16_t next = 0;    // the one that was provided after it
    bool over = false;         // the kernel is done with it
  };
  buffer_ring(loop& on, const buffer_ring_options& options) noexcept
      : on_(on), options_(options), states_(options.count) {}
  int map() noexcept;
  void give_piece_back(std::uint16_t id) noexcept;

  loop& on_;
  buffer_ring_options options_;
  std::vector<buffer_state> states_;
  io_uring_buf_ring* ring_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t mapped_ = 0;
  std::size_t borrowed_ = 0;
  std::uint16_t newest_ = 0;
  bool registered_ = false;
  buffer_ring* next_group_ = nullptr;  // in the loop's list
};

}  // namespace uring
