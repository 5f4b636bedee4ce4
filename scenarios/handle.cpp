#include "scenarios/handle.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "scenarios/tls_stream.hpp"

namespace scenarios {

handle::handle(handle&& other) noexcept
    : local(other.local),
      peer(other.peer),
      accepts_tls(std::move(other.accepts_tls)),
      fd_(std::exchange(other.fd_, -1)),
      slot_(std::exchange(other.slot_, -1)),
      stable_name_(std::move(other.stable_name_)),
      stream_(std::move(other.stream_)),
      tls_(std::exchange(other.tls_, nullptr)),
      word_(std::move(other.word_)),
      child_(std::move(other.child_)),
      process_(std::exchange(other.process_, nullptr)),
      process_pid_(std::exchange(other.process_pid_, 0)) {}

handle& handle::operator=(handle&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    local = other.local;
    peer = other.peer;
    accepts_tls = std::move(other.accepts_tls);
    fd_ = std::exchange(other.fd_, -1);
    slot_ = std::exchange(other.slot_, -1);
    stable_name_ = std::move(other.stable_name_);
    stream_ = std::move(other.stream_);
    tls_ = std::exchange(other.tls_, nullptr);
    word_ = std::move(other.word_);
    child_ = std::move(other.child_);
    process_ = std::exchange(other.process_, nullptr);
    process_pid_ = std::exchange(other.process_pid_, 0);
  }
  return *this;
}

handle::~handle() {
  if (fd_ >= 0) ::close(fd_);
}

void handle::adopt(int fd, std::string stable_name) {
  if (fd_ >= 0) ::close(fd_);
  stream_.reset();
  tls_ = nullptr;
  accepts_tls.reset();
  word_.reset();
  child_.reset();
  process_ = nullptr;
  process_pid_ = 0;
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

void handle::adopt_process(scenario_process& started, pid_t pid, std::string stable_name) {
  adopt(-1, std::move(stable_name));
  process_ = &started;
  process_pid_ = pid;
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

tls_stream& handle::lay_tls(uring::loop& on, std::shared_ptr<const tls_context> context,
                            const std::string& host) {
  stream(on);
  auto made = std::make_unique<tls_stream>(on, std::move(stream_), std::move(context), host);
  tls_ = made.get();
  stream_ = std::move(made);
  return *tls_;
}

void handle::take_off_tls() {
  // Two steps: assigning would end the layer, and what it owns, first.
  std::unique_ptr<uring::byte_stream> below = tls_->take_below();
  tls_ = nullptr;
  stream_ = std::move(below);
}

void handle::forget() noexcept {
  fd_ = -1;
  slot_ = -1;
  if (stream_) stream_->disown();
}

}  // namespace scenarios
