#include "scenarios/handle.hpp"

#include <unistd.h>

#include <utility>

namespace scenarios {

handle::handle(handle&& other) noexcept
    : local(other.local),
      peer(other.peer),
      fd_(std::exchange(other.fd_, -1)),
      stable_name_(std::move(other.stable_name_)),
      stream_(std::move(other.stream_)) {}

handle& handle::operator=(handle&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    local = other.local;
    peer = other.peer;
    fd_ = std::exchange(other.fd_, -1);
    stable_name_ = std::move(other.stable_name_);
    stream_ = std::move(other.stream_);
  }
  return *this;
}

handle::~handle() {
  if (fd_ >= 0) ::close(fd_);
}

void handle::adopt(int fd, std::string stable_name) {
  if (fd_ >= 0) ::close(fd_);
  stream_.reset();
  fd_ = fd;
  stable_name_ = std::move(stable_name);
}

uring::byte_stream& handle::stream(uring::loop& on) {
  if (!stream_) stream_ = std::make_unique<uring::socket_stream>(on, std::exchange(fd_, -1));
  return *stream_;
}

void handle::forget() noexcept {
  fd_ = -1;
  if (stream_) stream_->disown();
}

}  // namespace scenarios
