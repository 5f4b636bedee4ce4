// A stream of bytes between two ends: what TCP and Unix sockets are, and what a layer on top of
// them (TLS) is one more of.
//
// A stream owns its descriptor until close() or reset(). Every call is bounded by io_limits: one
// absolute deadline for all submissions of a call, one stop source. Results are completions: bytes
// or -errno, with the cause. Bytes that a reader had to give back (unread) are served first, in
// order. Buffers belong to the caller and must outlive the call. One reader and one writer at a
// time; the stream counts what is in flight, so that close() can cancel it first.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "engine/loop.hpp"
#include "engine/operation.hpp"
#include "engine/task.hpp"

namespace uring {

struct io_limits {
  std::optional<time_point> deadline;
  stop_source* stop = nullptr;
  void* tag = nullptr;     // for the seam: which step this belongs to
  unsigned sqe_flags = 0;  // IOSQE_ASYNC and the like, added to each submission
};

// What a loop of submissions came to: the last completion, and what was transferred in all.
struct transfer_result {
  completion last;
  std::size_t transferred = 0;
};

class byte_stream {
 public:
  byte_stream() = default;
  byte_stream(const byte_stream&) = delete;
  byte_stream& operator=(const byte_stream&) = delete;
  virtual ~byte_stream() = default;

  // One read of at most buffer.size() bytes; res 0 is the end of the stream.
  virtual task<completion> read_some(std::span<std::byte> buffer, io_limits limits) = 0;
  // The same without consuming: what follows stays for any next reader, also a low-level one.
  virtual task<completion> peek_some(std::span<std::byte> buffer, io_limits limits) = 0;
  // Writes everything, in as many submissions as it takes.
  virtual task<transfer_result> write_all(std::span<const std::byte> data, io_limits limits) = 0;
  // Sends the end of the stream; reading goes on.
  virtual task<completion> half_close(io_limits limits) = 0;
  // Ends it abruptly: the peer sees a reset (on a Unix socket: the end, or ECONNRESET when it had
  // bytes that were not read).
  virtual task<completion> reset(io_limits limits) = 0;
  // Cancels what is in flight on it, then closes it.
  virtual task<completion> close(io_limits limits) = 0;

  [[nodiscard]] virtual int descriptor() const = 0;  // -1 once closed
  // Somebody else closed the descriptor: the stream lets go of it.
  virtual void disown() noexcept = 0;
  [[nodiscard]] bool is_open() const { return descriptor() >= 0; }

  // Bytes that were read and had to be given back; read_some and peek_some serve them first.
  void unread(std::span<const std::byte> data) {
    held_.insert(held_.begin(), data.begin(), data.end());
  }
  // How many bytes lie ahead of what a reader of the descriptor would get; a layer counts its own.
  [[nodiscard]] virtual std::size_t held_back() const { return held_.size(); }

 protected:
  std::size_t take_held(std::span<std::byte> buffer, bool consume);
  [[nodiscard]] bool has_held() const { return !held_.empty(); }

 private:
  std::vector<std::byte> held_;
};

class socket_stream final : public byte_stream {
 public:
  // Takes a connected stream socket.
  socket_stream(loop& on, int fd) : loop_(on), fd_(fd) {}
  ~socket_stream() override;

  task<completion> read_some(std::span<std::byte> buffer, io_limits limits) override;
  task<completion> peek_some(std::span<std::byte> buffer, io_limits limits) override;
  task<transfer_result> write_all(std::span<const std::byte> data, io_limits limits) override;
  task<completion> half_close(io_limits limits) override;
  task<completion> reset(io_limits limits) override;
  task<completion> close(io_limits limits) override;
  [[nodiscard]] int descriptor() const override { return fd_; }
  void disown() noexcept override { fd_ = -1; }

 private:
  task<completion> receive(std::span<std::byte> buffer, int msg_flags, io_limits limits);
  loop& loop_;
  int fd_;
  int in_flight_ = 0;
};

// Bounds an operation as `limits` says.
void apply(operation& op, const io_limits& limits) noexcept;

}  // namespace uring
