// A descriptor that a scenario has a name for.
//
// Owned by the strand (an actor, a connection's handler) that made it, and closed when the strand
// ends. A stream is laid over it when a stream step first uses it; from then on the stream owns the
// descriptor.
#pragma once

#include <memory>
#include <string>

#include "engine/byte_stream.hpp"
#include "engine/socket_address.hpp"

namespace scenarios {

class handle {
 public:
  handle() = default;
  handle(handle&& other) noexcept;
  handle& operator=(handle&& other) noexcept;
  ~handle();

  void adopt(int fd, std::string stable_name);
  [[nodiscard]] bool is_open() const { return fd() >= 0; }
  [[nodiscard]] int fd() const { return stream_ ? stream_->descriptor() : fd_; }
  // "<fd:c1#2>": what stands for the number in stable reports.
  [[nodiscard]] const std::string& stable_name() const { return stable_name_; }
  // Lays a stream over the descriptor when there is none yet.
  uring::byte_stream& stream(uring::loop& on);
  [[nodiscard]] uring::byte_stream* existing_stream() const { return stream_.get(); }
  // The descriptor was closed by a low-level step.
  void forget() noexcept;

  uring::socket_address local;
  uring::socket_address peer;

 private:
  int fd_ = -1;
  std::string stable_name_;
  std::unique_ptr<uring::byte_stream> stream_;
};

}  // namespace scenarios
