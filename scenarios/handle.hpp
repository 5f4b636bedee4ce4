// A descriptor that a scenario has a name for, or what stands where a descriptor could: a slot of a
// ring's file table, a futex, a child process.
//
// Owned by the strand (an actor, a connection's handler) that made it, and closed when the strand
// ends. A stream is laid over it when a stream step first uses it; from then on the stream owns the
// descriptor.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "engine/byte_stream.hpp"
#include "engine/socket_address.hpp"
#include "scenarios/tls_plan.hpp"

namespace scenarios {

class scenario_process;
class tls_stream;

class handle {
 public:
  handle() = default;
  handle(handle&& other) noexcept;
  handle& operator=(handle&& other) noexcept;
  ~handle();

  void adopt(int fd, std::string stable_name);
  // A slot belongs to its ring: nothing is closed with it.
  void adopt_slot(int slot, std::string stable_name);
  void adopt_word(std::uint32_t content, std::string stable_name);
  // A pidfd of a child of ours, which is killed and reaped with it.
  void adopt_child(int pidfd, pid_t pid, std::string stable_name);
  // A program that a step started; it belongs to the scenario.
  void adopt_process(scenario_process& started, pid_t pid, std::string stable_name);
  [[nodiscard]] scenario_process* process() const { return process_; }
  [[nodiscard]] bool is_open() const { return fd() >= 0 || slot_ >= 0 || word_ != nullptr; }
  [[nodiscard]] bool is_slot() const { return slot_ >= 0; }
  [[nodiscard]] int slot() const { return slot_; }
  [[nodiscard]] std::uint32_t* word() const { return word_.get(); }
  [[nodiscard]] pid_t pid() const { return child_ ? child_->pid : process_pid_; }
  [[nodiscard]] int fd() const { return stream_ ? stream_->descriptor() : fd_; }
  // "<fd:c1#2>": what stands for the number in stable reports.
  [[nodiscard]] const std::string& stable_name() const { return stable_name_; }
  // Lays a stream over the descriptor when there is none yet.
  uring::byte_stream& stream(uring::loop& on);
  [[nodiscard]] uring::byte_stream* existing_stream() const { return stream_.get(); }
  // Lays TLS over the stream; there is none yet. `host` is whom a client expects at the other end.
  tls_stream& lay_tls(uring::loop& on, std::shared_ptr<const tls_context> context,
                      const std::string& host);
  // Nothing where no TLS is spoken.
  [[nodiscard]] tls_stream* tls() const { return tls_; }
  // After tls()->finish(): what follows is clear text.
  void take_off_tls();
  // The descriptor was closed by a low-level step.
  void forget() noexcept;

  uring::socket_address local;
  uring::socket_address peer;
  // Of a listener: how its connections speak TLS.
  std::shared_ptr<const tls_context> accepts_tls;

 private:
  struct child {
    explicit child(pid_t of) : pid(of) {}
    child(const child&) = delete;
    child& operator=(const child&) = delete;
    ~child();
    const pid_t pid;
  };

  int fd_ = -1;
  int slot_ = -1;
  std::string stable_name_;
  std::unique_ptr<uring::byte_stream> stream_;
  tls_stream* tls_ = nullptr;  // the stream, when it is one
  std::unique_ptr<std::uint32_t> word_;
  std::unique_ptr<child> child_;
  scenario_process* process_ = nullptr;
  pid_t process_pid_ = 0;
};

}  // namespace scenarios
