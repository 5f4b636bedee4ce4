#include "engine/ops/network.hpp"

#include "engine/buffer_ring.hpp"
#include "engine/kernel_compat.hpp"
#include "engine/loop.hpp"
#include "engine/op_table.hpp"

namespace uring {
namespace {

io_uring_sqe with_flags(io_uring_sqe sqe, int msg_flags, unsigned ioprio = 0) noexcept {
  sqe.msg_flags = static_cast<__u32>(msg_flags);
  sqe.ioprio = static_cast<__u16>(ioprio);
  return sqe;
}

unsigned bundled(bool bundle) noexcept {
  return bundle ? compat::recvsend_bundle : 0U;
}

io_uring_sqe message(std::uint8_t opcode, any_fd fd, int msg_flags, unsigned ioprio = 0) noexcept {
  io_uring_sqe sqe = blank(opcode, fd);
  sqe.len = 1;
  return with_flags(sqe, msg_flags, ioprio);
}

}  // namespace

const operation::watcher zero_copy_operation::events{&zero_copy_operation::on_arrival, nullptr};

void zero_copy_operation::on_arrival(operation& self, std::int32_t res,
                                     std::uint32_t flags) noexcept {
  if ((flags & IORING_CQE_F_NOTIF) == 0) {
    static_cast<zero_copy_operation&>(self).settle();
    return;
  }
  auto& sent = static_cast<zero_copy_operation&>(self);
  sent.notified_ = true;
  sent.copied_ = res == compat::notif_usage_zc_copied;
}

accept_operation::accept_operation(loop& on, any_fd listener, int flags) noexcept
    : opening_operation(on, blank(IORING_OP_ACCEPT, listener)) {
  sqe_.accept_flags = static_cast<__u32>(flags);
  sqe_.addr = address_of(&address_);
  sqe_.addr2 = address_of(&length_);
}

received_message message_in(std::span<std::byte> buffer, const msghdr& shape) noexcept {
  msghdr room = shape;
  io_uring_recvmsg_out* out =
      io_uring_recvmsg_validate(buffer.data(), static_cast<int>(buffer.size()), &room);
  if (out == nullptr) return {};
  const std::size_t name_room = room.msg_namelen, control_room = room.msg_controllen;
  std::span<std::byte> rest = buffer.subspan(sizeof(*out));
  received_message made;
  made.flags = out->flags;
  made.name = rest.first(std::min<std::size_t>(out->namelen, name_room));
  rest = rest.subspan(name_room);
  made.control = rest.first(std::min<std::size_t>(out->controllen, control_room));
  rest = rest.subspan(control_room);
  made.payload = rest.first(std::min<std::size_t>(out->payloadlen, rest.size()));
  return made;
}

loop& network_factories::self() noexcept {
  return static_cast<loop&>(*this);
}

opening_operation network_factories::socket(int domain, int type, int protocol) noexcept {
  io_uring_sqe sqe = blank(IORING_OP_SOCKET, domain);
  sqe.off = static_cast<std::uint64_t>(type);
  sqe.len = static_cast<__u32>(protocol);
  return {self(), sqe};
}

address_operation network_factories::bind(any_fd fd, const sockaddr* address,
                                          socklen_t length) noexcept {
  return {self(), compat::op_bind, fd, address, length};
}

operation network_factories::listen(any_fd fd, int backlog) noexcept {
  return {self(), transfer(compat::op_listen, fd, nullptr, static_cast<unsigned>(backlog))};
}

accept_operation network_factories::accept(any_fd listener, int flags) noexcept {
  return {self(), listener, flags};
}

multishot network_factories::accept_multishot(any_fd listener, int flags, file_slot into) noexcept {
  io_uring_sqe sqe = blank(IORING_OP_ACCEPT, listener);
  sqe.ioprio = IORING_ACCEPT_MULTISHOT;
  sqe.file_index = into.file_index();
  // A slot has no close-on-exec.
  const int kept = into.file_index() != 0 ? flags & ~SOCK_CLOEXEC : flags;
  sqe.accept_flags = static_cast<__u32>(kept);
  return {self(), sqe};
}

address_operation network_factories::connect(any_fd fd, const sockaddr* address,
                                             socklen_t length) noexcept {
  return {self(), IORING_OP_CONNECT, fd, address, length};
}

operation network_factories::shutdown(any_fd fd, int how) noexcept {
  io_uring_sqe sqe = blank(IORING_OP_SHUTDOWN, fd);
  sqe.len = static_cast<__u32>(how);
  return {self(), sqe};
}

operation network_factories::send(any_fd fd, std::span<const std::byte> data,
                                  int msg_flags) noexcept {
  return {self(), with_flags(transfer(IORING_OP_SEND, fd, data.data(), data.size()), msg_flags)};
}

address_operation network_factories::send_to(any_fd fd, std::span<const std::byte> data,
                                             const sockaddr* to, socklen_t length,
                                             int msg_flags) noexcept {
  return {self(), with_flags(transfer(IORING_OP_SEND, fd, data.data(), data.size()), msg_flags), to,
          length};
}

selecting_operation network_factories::send_from(any_fd fd, const buffer_ring& group, bool bundle,
                                                 int msg_flags) noexcept {
  return {self(), with_flags(blank(IORING_OP_SEND, fd), msg_flags, bundled(bundle)), group.group()};
}

operation network_factories::recv(any_fd fd, std::span<std::byte> buffer, int msg_flags) noexcept {
  return {self(),
          with_flags(transfer(IORING_OP_RECV, fd, buffer.data(), buffer.size()), msg_flags)};
}

selecting_operation network_factories::recv(any_fd fd, const buffer_ring& group, bool bundle,
                                            int msg_flags) noexcept {
  return {self(), with_flags(blank(IORING_OP_RECV, fd), msg_flags, bundled(bundle)), group.group()};
}

multishot network_factories::recv_multishot(any_fd fd, const buffer_ring& group, bool bundle,
                                            int msg_flags) noexcept {
  const unsigned ioprio = IORING_RECV_MULTISHOT | bundled(bundle);
  return {self(),
          selecting(with_flags(blank(IORING_OP_RECV, fd), msg_flags, ioprio), group.group())};
}

message_operation network_factories::sendmsg(any_fd fd, const msghdr& header,
                                             int msg_flags) noexcept {
  return {self(), message(IORING_OP_SENDMSG, fd, msg_flags), header};
}

message_operation network_factories::recvmsg(any_fd fd, const msghdr& header,
                                             int msg_flags) noexcept {
  return {self(), message(IORING_OP_RECVMSG, fd, msg_flags), header};
}

message_multishot network_factories::recvmsg_multishot(any_fd fd, const msghdr& shape,
                                                       const buffer_ring& group,
                                                       int msg_flags) noexcept {
  return {
      self(),
      selecting(message(IORING_OP_RECVMSG, fd, msg_flags, IORING_RECV_MULTISHOT), group.group()),
      shape};
}

zero_copy_operation network_factories::send_zc(any_fd fd, std::span<const std::byte> data,
                                               int msg_flags) noexcept {
  return {self(), with_flags(transfer(IORING_OP_SEND_ZC, fd, data.data(), data.size()), msg_flags)};
}

zero_copy_operation network_factories::send_zc(any_fd fd, fixed_buffer data,
                                               int msg_flags) noexcept {
  io_uring_sqe sqe =
      with_flags(transfer(IORING_OP_SEND_ZC, fd, data.bytes.data(), data.bytes.size()), msg_flags,
                 IORING_RECVSEND_FIXED_BUF);
  sqe.buf_index = data.index;
  return {self(), sqe};
}

zero_copy_message network_factories::sendmsg_zc(any_fd fd, const msghdr& header,
                                                int msg_flags) noexcept {
  return {self(), message(IORING_OP_SENDMSG_ZC, fd, msg_flags), header};
}

multishot network_factories::recv_zc(any_fd fd, unsigned ifq, unsigned most) noexcept {
  io_uring_sqe sqe =
      with_flags(transfer(compat::op_recv_zc, fd, nullptr, most), 0, IORING_RECV_MULTISHOT);
  store(sqe, sqe_member::zcrx_ifq_idx, ifq);
  return {self(), sqe};
}

operation network_factories::siocinq(any_fd fd) noexcept {
  return uring_cmd(fd, compat::socket_op_siocinq);
}

operation network_factories::siocoutq(any_fd fd) noexcept {
  return uring_cmd(fd, compat::socket_op_siocoutq);
}

operation network_factories::uring_cmd(any_fd fd, unsigned command) noexcept {
  io_uring_sqe sqe = blank(IORING_OP_URING_CMD, fd);
  store(sqe, sqe_member::cmd_op, command);
  return {self(), sqe};
}

io_uring_sqe network_factories::option_request(bool set, any_fd fd, int level, int option,
                                               unsigned length) noexcept {
  io_uring_sqe sqe = blank(IORING_OP_URING_CMD, fd);
  store(sqe, sqe_member::cmd_op, set ? compat::socket_op_setsockopt : compat::socket_op_getsockopt);
  store(sqe, sqe_member::level, static_cast<std::uint64_t>(level));
  store(sqe, sqe_member::optname, static_cast<std::uint64_t>(option));
  store(sqe, sqe_member::optlen, length);
  return sqe;
}

}  // namespace uring
