#include "scenarios/services/child_process.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <iterator>

#include "scenarios/services/deadline.hpp"
#include "scenarios/services/pidfd.hpp"

namespace scenarios {
namespace {

using namespace std::chrono_literals;

// A killed process that has not ended by then is stuck in the kernel.
constexpr uring::duration killed_grace = 10s;
// A pipe holds 64 KiB; a program that never stops writing must not keep us reading.
constexpr std::size_t drain_bytes_max = 1U << 20U;

enum class read_end : std::uint8_t { data, empty, ended };

// The pipe does not block: what it holds is either still in it or already in the log, never in a
// request under way, so that at an exit all of it can be had at once.
read_end read_piece(int fd, output_log& into, std::size_t& count) {
  std::array<char, 16U << 10U> piece;
  const ssize_t got = read(fd, piece.data(), piece.size());
  if (got < 0) return errno == EAGAIN || errno == EINTR ? read_end::empty : read_end::ended;
  if (got == 0) return read_end::ended;
  count = static_cast<std::size_t>(got);
  into.append({piece.data(), count});
  return read_end::data;
}

void drain(const descriptor& from, output_log& into) {
  std::size_t count = 0;
  for (std::size_t total = 0; total < drain_bytes_max; total += count) {
    if (read_piece(from.get(), into, count) != read_end::data) return;
  }
}

}  // namespace

uring::task<std::optional<spawn_failure>> child_process::start(const launch_spec& what) {
  std::variant<spawned, spawn_failure> result = co_await spawn(loop_, what, mark_);
  if (const auto* failure = std::get_if<spawn_failure>(&result)) co_return *failure;
  spawned& made = std::get<spawned>(result);
  pid_ = made.pid;
  pidfd_ = std::move(made.pidfd);
  input_ = std::move(made.input);
  output_fd_ = std::move(made.output);
  errors_fd_ = std::move(made.errors);
  tasks_.spawn(read_stream(output_fd_, output_));
  tasks_.spawn(read_stream(errors_fd_, errors_));
  tasks_.spawn(watch_exit());
  co_return std::nullopt;
}

uring::task<void> child_process::read_stream(const descriptor& from, output_log& into) {
  std::size_t count = 0;
  for (;;) {
    const uring::completion ready =
        co_await loop_.poll_add(from.get(), POLLIN).cancel_on(stop_watching_);
    if (!ready.succeeded()) break;
    if (read_piece(from.get(), into, count) == read_end::ended) break;
  }
}

uring::task<void> child_process::watch_exit() {
  const uring::completion ended =
      co_await loop_.poll_add(pidfd_.get(), POLLIN).cancel_on(stop_watching_);
  if (!ended.succeeded()) co_return;
  siginfo_t info;
  // Not reaped yet: see the header.
  check_pidfd(pidfd_, info, WEXITED | WNOWAIT);
  drain(output_fd_, output_);
  drain(errors_fd_, errors_);
  status_ = exit_status::from(info);
  exited_.set();
}

int child_process::signal(int signo) {
  if (!running()) return -ESRCH;
  return kill(-pid_, signo) == 0 ? 0 : -errno;
}

bool child_process::is_stopped() const {
  siginfo_t info;
  return running() && check_pidfd(pidfd_, info, WSTOPPED | WNOWAIT) == 0 && info.si_pid != 0;
}

uring::task<void> child_process::end_gently(int signo, uring::duration grace) {
  const uring::time_point until = uring::clock::now() + grace;
  // Also when the leader has ended: others of the group may not have.
  kill(-pid_, signo);
  if (running()) {
    // Whether or not it stands still yet: a SIGSTOP that is on its way is undone by this as well.
    kill(-pid_, SIGCONT);
    outlasted_grace_ = !co_await set_before(loop_, exited_, until);
  }
  // The leader may have been a shell that ended at once, its server may still be at work.
  if (!outlasted_grace_) co_await await_group(loop_, mark_, pid_, until);
}

uring::task<void> child_process::end(int signo, uring::duration grace) {
  if (pid_ == 0 || reaped_) co_return;
  input_.reset();
  if (signo != 0) co_await end_gently(signo, grace);
  kill(-pid_, SIGKILL);
  const uring::time_point until = uring::clock::now() + killed_grace;
  if (!co_await set_before(loop_, exited_, until)) stuck_.push_back(pid_);
  siginfo_t info;
  check_pidfd(pidfd_, info, WEXITED);
  reaped_ = true;
  const std::vector<pid_t> others = co_await end_leftovers(loop_, mark_, pid_, until);
  std::copy_if(others.begin(), others.end(), std::back_inserter(stuck_),
               [&](pid_t other) { return other != pid_; });

  stop_watching_.request_stop();
  co_await tasks_.join();
  drain(output_fd_, output_);
  drain(errors_fd_, errors_);
  output_.finish();
  errors_.finish();
  output_fd_.reset();
  errors_fd_.reset();
  pidfd_.reset();
}

}  // namespace scenarios
