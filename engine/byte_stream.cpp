#include "engine/byte_stream.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace uring {
namespace {

bool is_same_file(int fd, const struct stat& as) {
  struct stat now{};
  return ::fstat(fd, &now) == 0 && now.st_dev == as.st_dev && now.st_ino == as.st_ino;
}

}  // namespace

void apply(operation& op, const io_limits& limits) noexcept {
  if (limits.deadline) op.deadline(*limits.deadline);
  if (limits.stop != nullptr) op.cancel_on(*limits.stop);
  if (limits.sqe_flags != 0) op.flags(limits.sqe_flags);
  op.tag(limits.tag);
}

std::size_t byte_stream::take_held(std::span<std::byte> buffer, bool consume) {
  const std::size_t count = std::min(buffer.size(), held_.size());
  std::copy_n(held_.begin(), count, buffer.begin());
  if (consume) held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(count));
  return count;
}

socket_stream::~socket_stream() {
  if (fd_ >= 0) ::close(fd_);
}

task<completion> socket_stream::receive(std::span<std::byte> buffer, int msg_flags,
                                        io_limits limits) {
  operation op = loop_.recv(fd_, buffer, msg_flags);
  apply(op, limits);
  ++in_flight_;
  const completion result = co_await op;
  --in_flight_;
  co_return result;
}

task<completion> socket_stream::read_some(std::span<std::byte> buffer, io_limits limits) {
  if (held_back() != 0) {
    co_return completion{static_cast<int>(take_held(buffer, true)), 0, outcome::ok};
  }
  co_return co_await receive(buffer, 0, limits);
}

task<completion> socket_stream::peek_some(std::span<std::byte> buffer, io_limits limits) {
  if (held_back() != 0) {
    co_return completion{static_cast<int>(take_held(buffer, false)), 0, outcome::ok};
  }
  co_return co_await receive(buffer, MSG_PEEK, limits);
}

task<transfer_result> socket_stream::write_all(std::span<const std::byte> data, io_limits limits) {
  transfer_result result;
  do {
    operation op = loop_.send(fd_, data.subspan(result.transferred), MSG_NOSIGNAL);
    apply(op, limits);
    ++in_flight_;
    result.last = co_await op;
    --in_flight_;
    if (result.last.res < 0) break;
    result.transferred += static_cast<std::size_t>(result.last.res);
    // The timer or the cancel fired while the last piece still went out: no further submission.
    // Nor after no progress at all, which a socket never makes but a fault may.
    if (result.last.why != outcome::ok || result.last.res == 0) break;
  } while (result.transferred < data.size());
  co_return result;
}

task<completion> socket_stream::half_close(io_limits limits) {
  operation op = loop_.shutdown(fd_, SHUT_WR);
  apply(op, limits);
  co_return co_await op;
}

task<completion> socket_stream::reset(io_limits limits) {
  // Closing with a linger time of zero sends RST instead of FIN.
  const linger abrupt{1, 0};
  if (setsockopt(fd_, SOL_SOCKET, SO_LINGER, &abrupt, sizeof(abrupt)) != 0) {
    co_return completion{-errno, 0, outcome::error};
  }
  co_return co_await close(limits);
}

task<completion> socket_stream::close(io_limits limits) {
  if (fd_ < 0) co_return completion{-EBADF, 0, outcome::error};
  const int fd = std::exchange(fd_, -1);
  struct stat was{};
  const bool known = ::fstat(fd, &was) == 0;
  // The kernel does both at once. A fault may keep them waiting, which must end with the others.
  const auto bound = [&](operation& op) {
    op.tag(limits.tag);
    if (limits.stop != nullptr) op.cancel_on(*limits.stop);
  };
  if (in_flight_ != 0) {
    operation cancelled = loop_.cancel_fd(fd);
    bound(cancelled);
    co_await cancelled;
  }
  operation op = loop_.close_only(fd);
  bound(op);
  const completion result = co_await op;
  // What a fault kept from being closed is still ours; its number may also be another's by now.
  if (result.res < 0 && known && is_same_file(fd, was)) fd_ = fd;
  co_return result;
}

}  // namespace uring
