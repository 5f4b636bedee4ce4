#include "scenarios/handle.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <utility>

namespace scenarios {

handle::handle(handle&& other) noexcept
    : local(other.local),
      peer(other.peer),
      fd_(std::exchange(other.fd_, -1)),
      slot_(std::exchange(other.slot_, -1)),
      stable_name_(std::move(other.stable_name_)),
      stream_(std::move(other.stream_)),
      word_(std::move(other.word_)),
      child_(std::move(other.child_)) {}

handle& handle::operator=(handle&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    local = other.local;
    peer = other.peer;
    fd_ = std::exchange(other.fd_, -1);
    slot_ = std::exchange(other.slot_, -1);
    stable_name_ = std::move(other.stable_name_);
    stream_ = std::move(other.stream_);
    word_ = std::move(other.word_);
    child_ = std::move(other.child_);
  }
  return *this;
}

handle::~handle() {
  if (fd_ >= 0) ::close(fd_);
}

void handle::adopt(int fd, std::string stable_name) {
  if (fd_ >= 0) ::close(fd_);
  stream_.reset();
  word_.reset();
  child_.reset();
  slot_ = -1;
  fd_ = fd;
  stable_name_ = std::move(stable_name);
}

void handle::adopt_slot(int slot, std::string stable_name) {
  adopt(-1, std::move(stable_name));
  slot_ = slot;
}

void handle::adopt_word(std::uint32_t content, std::string stable_name) {
  adopt(-1, std::move(stable_name));
  word_ = std::make_unique<std::uint32_t>(content);
}

void handle::adopt_child(int pidfd, pid_t pid, std::string stable_name) {
  adopt(pidfd, std::move(stable_name));
  child_ = std::make_unique<child>(pid);
}

// Its end may have been taken by a waitid already; then there is nobody to kill or to reap.
handle::child::~child() {
  siginfo_t nothing{};
  if (waitid(P_PID, static_cast<id_t>(pid), &nothing, WEXITED | WNOHANG | WNOWAIT) != 0) return;
  ::kill(pid, SIGKILL);
  waitid(P_PID, static_cast<id_t>(pid), &nothing, WEXITED);
}

uring::byte_stream& handle::stream(uring::loop& on) {
  if (!stream_) stream_ = std::make_unique<uring::socket_stream>(on, std::exchange(fd_, -1));
  return *stream_;
}

void handle::forget() noexcept {
  fd_ = -1;
  slot_ = -1;
  if (stream_) stream_->disown();
}

}  // namespace scenarios
