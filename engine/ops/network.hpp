// The loop's operations on sockets: making, connecting, accepting, sending, receiving, options.
//
// Results: a descriptor (socket, accept), 0 (bind, listen, connect, shutdown), else bytes; 0 from a
// receive is the end of the stream. Errors are those of the system calls, negative. -EAGAIN comes
// with MSG_DONTWAIT only, never because of O_NONBLOCK. Sending never raises SIGPIPE. Of several
// receives on one socket the last one is served first. A cancelled connect leaves TCP half open:
// close the socket. Buffers, message headers' parts and option values given by span are the
// caller's and must outlive the operation; addresses and headers are copied into it. Kernel
// versions: op_table.hpp.
#pragma once

#include <span>
#include <type_traits>

#include "engine/multishot.hpp"
#include "engine/ops/parts.hpp"

namespace uring {

class buffer_ring;

class accept_operation : public opening_operation {
 public:
  accept_operation(loop& on, any_fd listener, int flags) noexcept;
  // The peer's address, valid once the operation has been awaited with a descriptor.
  [[nodiscard]] const sockaddr* peer() const {
    return reinterpret_cast<const sockaddr*>(&address_);
  }
  [[nodiscard]] socklen_t peer_length() const { return length_; }

 private:
  sockaddr_storage address_{};
  socklen_t length_ = sizeof(sockaddr_storage);
};

// SENDMSG and RECVMSG. After a receive, header() says how long the sender's name and the control
// messages were, and with which flags (MSG_TRUNC, MSG_CTRUNC) it came.
class message_operation : public operation {
 public:
  message_operation(loop& on, const io_uring_sqe& prepared, const msghdr& header) noexcept
      : operation(on, prepared), header_(header) {
    sqe_.addr = address_of(&header_);
  }
  ~message_operation() { give_up(); }
  [[nodiscard]] const msghdr& header() const { return header_; }

 private:
  msghdr header_;
};

// The payloads of its buffers each start with a header, a sender and control messages, in the room
// that `shape` gave to them: message_in() takes them apart.
class message_multishot : public multishot {
 public:
  message_multishot(loop& on, const io_uring_sqe& prepared, const msghdr& shape) noexcept
      : multishot(on, prepared), shape_(shape) {
    sqe_.addr = address_of(&shape_);
  }
  ~message_multishot() { drop_queued(); }
  [[nodiscard]] const msghdr& shape() const { return shape_; }

 private:
  msghdr shape_;
};

// One message of a message_multishot. Empty spans when `buffer` is too short to hold one.
struct received_message {
  std::span<std::byte> name, control, payload;
  std::uint32_t flags = 0;  // MSG_TRUNC, MSG_CTRUNC
};
received_message message_in(std::span<std::byte> buffer, const msghdr& shape) noexcept;

// A send without a copy: it has ended when the kernel has let go of the bytes, which may be as late
// as the peer's read. Its result is the bytes, as of a send.
class zero_copy_operation : public operation {
 public:
  zero_copy_operation(loop& on, const io_uring_sqe& prepared) noexcept : operation(on, prepared) {
    watch(events);
  }
  // The bytes are on their way; only the notification is still to come. It can't be cancelled.
  [[nodiscard]] bool sent() const { return is_settled(); }
  // True once the notification has come; a request that is refused at once has none.
  [[nodiscard]] bool notified() const { return notified_; }
  // With IORING_SEND_ZC_REPORT_USAGE (Linux 6.2) in ioprio(): whether it was copied after all.
  [[nodiscard]] bool copied() const { return copied_; }

 private:
  static const watcher events;
  static void on_arrival(operation& self, std::int32_t res, std::uint32_t flags) noexcept;
  bool notified_ = false;
  bool copied_ = false;
};

class zero_copy_message : public zero_copy_operation {
 public:
  zero_copy_message(loop& on, const io_uring_sqe& prepared, const msghdr& header) noexcept
      : zero_copy_operation(on, prepared), header_(header) {
    sqe_.addr = address_of(&header_);
  }

 private:
  msghdr header_;
};

// GETSOCKOPT or SETSOCKOPT of a T. The result of getting is the value's length.
template <class T>
  requires std::is_trivially_copyable_v<T>
class option_operation : public operation {
 public:
  option_operation(loop& on, const io_uring_sqe& prepared, const T& value) noexcept
      : operation(on, prepared), value_(value) {
    sqe_.addr3 = address_of(&value_);  // optval
  }
  // After getting: valid once it has been awaited with success.
  [[nodiscard]] const T& value() const { return value_; }

 private:
  T value_;
};

class network_factories {
 public:
  opening_operation socket(int domain, int type, int protocol = 0) noexcept;
  address_operation bind(any_fd fd, const sockaddr* address, socklen_t length) noexcept;
  operation listen(any_fd fd, int backlog) noexcept;
  accept_operation accept(any_fd listener, int flags = SOCK_CLOEXEC) noexcept;
  // Descriptors, or with `into` (file_slot::any()) slots, one after the other. It ends with -EMFILE
  // or -ENFILE when there is no room for another.
  multishot accept_multishot(any_fd listener, int flags = SOCK_CLOEXEC,
                             file_slot into = {}) noexcept;
  address_operation connect(any_fd fd, const sockaddr* address, socklen_t length) noexcept;
  operation shutdown(any_fd fd, int how) noexcept;

  operation send(any_fd fd, std::span<const std::byte> data, int msg_flags = 0) noexcept;
  address_operation send_to(any_fd fd, std::span<const std::byte> data, const sockaddr* to,
                            socklen_t length, int msg_flags = 0) noexcept;
  // The next buffer of a group that is filled by hand; with `bundle` all that follow each other,
  // too (Linux 6.10). The completion names the first.
  selecting_operation send_from(any_fd fd, const buffer_ring& group, bool bundle = false,
                                int msg_flags = 0) noexcept;

  operation recv(any_fd fd, std::span<std::byte> buffer, int msg_flags = 0) noexcept;
  // Into buffers of a group, one or a bundle of them. The multishot ends with the stream, on an
  // error, and with -ENOBUFS when the group is empty; it can't have MSG_WAITALL.
  selecting_operation recv(any_fd fd, const buffer_ring& group, bool bundle = false,
                           int msg_flags = 0) noexcept;
  multishot recv_multishot(any_fd fd, const buffer_ring& group, bool bundle = false,
                           int msg_flags = 0) noexcept;

  message_operation sendmsg(any_fd fd, const msghdr& message, int msg_flags = 0) noexcept;
  message_operation recvmsg(any_fd fd, const msghdr& message, int msg_flags = 0) noexcept;
  // Of `shape` only the lengths of the name and of the control messages matter.
  message_multishot recvmsg_multishot(any_fd fd, const msghdr& shape, const buffer_ring& group,
                                      int msg_flags = 0) noexcept;

  zero_copy_operation send_zc(any_fd fd, std::span<const std::byte> data,
                              int msg_flags = 0) noexcept;
  zero_copy_operation send_zc(any_fd fd, fixed_buffer data, int msg_flags = 0) noexcept;
  zero_copy_message sendmsg_zc(any_fd fd, const msghdr& message, int msg_flags = 0) noexcept;
  // Into the memory of network queue `ifq`, which must have been registered: else -EINVAL. The ring
  // must have 32-byte completions. `most` bytes in all; 0: no limit.
  multishot recv_zc(any_fd fd, unsigned ifq, unsigned most = 0) noexcept;

  // What a socket's driver can be asked in the queue (Linux 6.7). SIOCINQ and SIOCOUTQ: bytes that
  // wait to be read, or to be acknowledged. -EOPNOTSUPP on Unix sockets and what is no socket. Only
  // options of SOL_SOCKET can be got.
  operation siocinq(any_fd fd) noexcept;
  operation siocoutq(any_fd fd) noexcept;
  template <class T>
  option_operation<T> getsockopt(any_fd fd, int level, int option) noexcept {
    return {self(), option_request(false, fd, level, option, sizeof(T)), T{}};
  }
  template <class T>
  option_operation<T> setsockopt(any_fd fd, int level, int option, const T& value) noexcept {
    return {self(), option_request(true, fd, level, option, sizeof(T)), value};
  }
  // Any driver's command; what else it reads is written through raw() (sync.hpp).
  operation uring_cmd(any_fd fd, unsigned command) noexcept;

 protected:
  network_factories() = default;

 private:
  loop& self() noexcept;
  static io_uring_sqe option_request(bool set, any_fd fd, int level, int option,
                                     unsigned length) noexcept;
};

}  // namespace uring
