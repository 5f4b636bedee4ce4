// Rows of the op table that work on sockets. Private to op_table.cpp.
#pragma once

#include "engine/op_row_parts.hpp"

namespace uring::rows {

inline constexpr field_row socket_fields[] = {
    {.name = "domain",
     .kind = choice,
     .at = member::fd,
     .flags = &uring::flags::socket_domain,
     .required = true,
     .doc = "address family"},
    {.name = "type",
     .kind = flags,
     .at = member::off,
     .flags = &uring::flags::socket_type,
     .required = true,
     .doc = "kind of socket, with nonblock and cloexec"},
    one_of("protocol", uring::flags::socket_protocol, member::len, "usually left out"),
    count_at("socket_flags", member::op_flags, "none are defined: others than 0 are EINVAL"),
    slot(),
};
inline constexpr op_row socket{
    .name = "socket",
    .opcode = IORING_OP_SOCKET,
    .since = "5.19",
    .fields = socket_fields,
    .result = result_kind::descriptor,
    .success = success_rule::non_negative,
    .cls = cls::inline_,
    .errnos = errors<EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT, EMFILE, ENFILE, ENXIO, ENOBUFS,
                     EPERM>,
    .doc =
        "Makes a socket; the result is its descriptor, or the slot (0 for a chosen one). ENFILE "
        "means a full file table, or the system's limit."};

inline constexpr field_row bind_fields[] = {
    fd(),
    {.name = "addr",
     .kind = address_in,
     .at = member::addr,
     .length_at = member::addr2,
     .required = true,
     .doc = "local address"},
};
inline constexpr op_row bind{
    .name = "bind",
    .opcode = compat::op_bind,
    .since = "6.11",
    .fields = bind_fields,
    .success = success_rule::zero,
    .cls = cls::inline_,
    .takes_descriptor = true,
    .errnos = errors<EADDRINUSE, EADDRNOTAVAIL, ENOTSOCK, EAFNOSUPPORT, EPERM, ENOENT, ENOTDIR,
                     EROFS, ELOOP, ENAMETOOLONG>,
    .doc = "Gives a socket its local address; 0 or an error at once. EINVAL when it has one."};

inline constexpr field_row listen_fields[] = {
    fd(),
    count_at("backlog", member::len, "connections that may wait for accept"),
};
inline constexpr op_row listen{
    .name = "listen",
    .opcode = compat::op_listen,
    .since = "6.11",
    .fields = listen_fields,
    .success = success_rule::zero,
    .cls = cls::inline_,
    .takes_descriptor = true,
    .errnos = errors<EADDRINUSE, ENOTSOCK, EOPNOTSUPP>,
    .doc =
        "Makes a socket accept connections; 0 or an error at once. EOPNOTSUPP on a datagram "
        "socket."};

inline constexpr field_row accept_fields[] = {
    fd("the listening socket"),
    {.name = "want_addr",
     .kind = address_out,
     .at = member::addr,
     .length_at = member::off,
     .doc = "room for the peer's address, and a pointer to its length"},
    bits("accept_flags", uring::flags::accept_flags),
    bits("ioprio", uring::flags::accept_ioprio, member::ioprio),
    multishot_bit(member::ioprio, IORING_ACCEPT_MULTISHOT, "5.19"),
    slot("5.15"),
};
inline constexpr op_row accept{
    .name = "accept",
    .opcode = IORING_OP_ACCEPT,
    .since = "5.5",
    .fields = accept_fields,
    .result = result_kind::descriptor,
    .success = success_rule::non_negative,
    .cls = cls::poll,
    .shot = shots::multi,
    .takes_descriptor = true,
    .errnos = errors<EAGAIN, EMFILE, ENFILE, ENXIO, ECONNABORTED, ENOTSOCK, EOPNOTSUPP, EPERM,
                     ENOBUFS, EPROTO>,
    .doc =
        "Waits for a connection; the result is its descriptor or slot. O_NONBLOCK does not make "
        "it EAGAIN, only dontwait does; shutdown of the listener ends it with EINVAL. A multishot "
        "one ends on EMFILE, ENFILE, cancel and a full CQ."};

inline constexpr field_row connect_fields[] = {
    fd(),
    {.name = "addr",
     .kind = address_in,
     .at = member::addr,
     .length_at = member::off,
     .required = true,
     .doc = "the peer's address"},
};
inline constexpr op_row connect{
    .name = "connect",
    .opcode = IORING_OP_CONNECT,
    .since = "5.5",
    .fields = connect_fields,
    .success = success_rule::zero,
    .cls = cls::poll,
    .takes_descriptor = true,
    .errnos = errors<ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EADDRINUSE,
                     EISCONN, EALREADY, EINPROGRESS, ENOENT, ENOTSOCK, EAFNOSUPPORT, EPROTOTYPE,
                     ECONNRESET, ECONNABORTED, EAGAIN, EPERM, ENETDOWN, EHOSTDOWN>,
    .doc =
        "Connects a socket; 0 when the connection stands, never EINPROGRESS. A cancelled one "
        "leaves TCP half open: the next connect on it is EALREADY, so close the socket."};

inline constexpr field_row send_fields[] = {
    fd(),
    data(),
    msg_flags(),
    send_ioprio(),
    {.name = "addr",
     .kind = address_in,
     .at = member::addr2,
     .length_at = member::addr_len,
     .since = "6.0",
     .doc = "destination, for an unconnected datagram socket"},
    group("6.10"),
    registered_buffer(false),
};
inline constexpr auto& send_errors =
    errors<EPIPE, ECONNRESET, ENOTCONN, EAGAIN, EMSGSIZE, ENOTSOCK, EDESTADDRREQ, EISCONN, ENOBUFS,
           EHOSTUNREACH, ENETUNREACH, ENETDOWN, ETIMEDOUT, ECONNREFUSED, EOPNOTSUPP, EAFNOSUPPORT,
           EADDRNOTAVAIL, EPERM, ENOENT>;
inline constexpr op_row send{
    .name = "send",
    .opcode = IORING_OP_SEND,
    .since = "5.6",
    .fields = send_fields,
    .result = result_kind::bytes,
    .success = success_rule::non_negative,
    .cls = cls::poll,
    .takes_descriptor = true,
    .buffer_select = true,
    .errnos = send_errors,
    .doc =
        "Sends bytes; the result is how many, fewer than asked for when the socket is full and "
        "waitall is not set. It never raises SIGPIPE: EPIPE instead. Cancelled half-way it "
        "answers the short count."};

inline constexpr field_row recv_fields[] = {
    fd(),
    room(),
    msg_flags(),
    bits("ioprio", uring::flags::recvsend_ioprio, member::ioprio),
    multishot_bit(member::ioprio, IORING_RECV_MULTISHOT, "6.0"),
    group(),
    {.name = "total",
     .kind = number,
     .at = member::optlen,
     .since = "6.18",
     .doc = "with multishot: end after this many bytes in all"},
};
inline constexpr auto& recv_errors =
    errors<ECONNRESET, ENOTCONN, EAGAIN, ENOTSOCK, ENOBUFS, ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH,
           ENETUNREACH, EMSGSIZE, EOPNOTSUPP, EPIPE>;
inline constexpr op_row recv{
    .name = "recv",
    .opcode = IORING_OP_RECV,
    .since = "5.6",
    .fields = recv_fields,
    .result = result_kind::bytes,
    .success = success_rule::non_negative,
    .cls = cls::poll,
    .shot = shots::multi,
    .takes_descriptor = true,
    .buffer_select = true,
    .errnos = recv_errors,
    .doc =
        "Receives bytes; the result is how many, 0 at the end of the stream. A reset is told "
        "once, the next recv answers 0. Several pending ones on a socket complete last first; "
        "closing the descriptor does not end them."};

inline constexpr field_row sendmsg_fields[] = {fd(), message(msg_out), msg_flags(), send_ioprio(),
                                               registered_buffer(false)};
inline constexpr op_row sendmsg{
    .name = "sendmsg",
    .opcode = IORING_OP_SENDMSG,
    .since = "5.3",
    .fields = sendmsg_fields,
    .constants = one_message,
    .result = result_kind::bytes,
    .success = success_rule::non_negative,
    .cls = cls::poll,
    .takes_descriptor = true,
    .errnos = send_errors,
    .doc =
        "Sends a message: bytes from several places, a destination, control data. The result is "
        "the number of bytes."};

inline constexpr field_row recvmsg_fields[] = {
    fd(),
    message(msg_in),
    msg_flags(),
    bits("ioprio", uring::flags::recvsend_ioprio, member::ioprio),
    multishot_bit(member::ioprio, IORING_RECV_MULTISHOT, "6.0"),
    group(),
};
inline constexpr op_row recvmsg{
    .name = "recvmsg",
    .opcode = IORING_OP_RECVMSG,
    .since = "5.3",
    .fields = recvmsg_fields,
    .constants = one_message,
    .result = result_kind::bytes,
    .success = success_rule::non_negative,
    .cls = cls::poll,
    .shot = shots::multi,
    .takes_descriptor = true,
    .buffer_select = true,
    .errnos = recv_errors,
    .doc =
        "Receives a message with its sender and control data; the result is the number of "
        "bytes. A multishot one puts a header, name and control data before the payload and "
        "counts them too."};

inline constexpr op_row send_zc{
    .name = "send_zc",
    .opcode = IORING_OP_SEND_ZC,
    .since = "6.0",
    .fields = send_fields,
    .result = result_kind::bytes,
    .success = success_rule::non_negative,
    .cls = cls::poll,
    .ended = "until its bytes are out: cancel 0",
    .shot = shots::zero_copy,
    .takes_descriptor = true,
    .errnos = send_errors,
    .doc =
        "Sends without copying. Two completions, for errors too: the result with MORE, then a "
        "notification with NOTIF when the bytes may be changed, which may be as late as the "
        "peer's read."};

inline constexpr op_row sendmsg_zc{
    .name = "sendmsg_zc",
    .opcode = IORING_OP_SENDMSG_ZC,
    .since = "6.1",
    .fields = sendmsg_fields,
    .constants = one_message,
    .result = result_kind::bytes,
    .success = success_rule::non_negative,
    .cls = cls::poll,
    .ended = "until its bytes are out: cancel 0",
    .shot = shots::zero_copy,
    .takes_descriptor = true,
    .errnos = send_errors,
    .doc = "sendmsg without copying: a result with MORE, then a notification."};

inline constexpr field_row recv_zc_fields[] = {
    fd(),
    count_at("len", member::len, "end after this many bytes; 0 = never"),
    multishot_bit(member::ioprio, IORING_RECV_MULTISHOT, {}),
    {.name = "ifq", .kind = index, .at = member::zcrx_ifq_idx, .doc = "registered interface queue"},
};
inline constexpr op_row recv_zc{
    .name = "recv_zc",
    .opcode = compat::op_recv_zc,
    .since = "6.15",
    .fields = recv_zc_fields,
    .result = result_kind::bytes,
    .success = success_rule::non_negative,
    .cls = cls::poll,
    .shot = shots::multi,
    .takes_descriptor = true,
    .errnos = recv_errors,
    .doc =
        "Receives into memory of a registered network queue; 32-byte completions say where. "
        "EINVAL without such a queue."};

inline constexpr field_row shutdown_fields[] = {fd(),
                                                {.name = "how",
                                                 .kind = choice,
                                                 .at = member::len,
                                                 .flags = &uring::flags::shutdown_how,
                                                 .required = true,
                                                 .doc = "which direction ends"}};
inline constexpr op_row shutdown{
    .name = "shutdown",
    .opcode = IORING_OP_SHUTDOWN,
    .since = "5.11",
    .fields = shutdown_fields,
    .success = success_rule::zero,
    .cls = cls::inline_,
    .takes_descriptor = true,
    .errnos = errors<ENOTCONN, ENOTSOCK>,
    .doc =
        "Ends one or both directions of a connection. Unlike close it also ends what is pending: "
        "a recv with 0, an accept with EINVAL."};

inline constexpr field_row uring_cmd_fields[] = {
    fd(),
    one_of("command", uring::flags::socket_command, member::cmd_op, "the driver's command"),
    one_of("level", uring::flags::socket_level, member::level, "socket option level"),
    count_at("option", member::optname, "socket option number"),
    count_at("option_len", member::optlen, "size of the option's value in bytes"),
    {.name = "value", .kind = address, .at = member::optval, .doc = "the option's value"},
    bits("uring_cmd_flags", uring::flags::uring_cmd_flags),
    registered_buffer(false),
};
inline constexpr op_row uring_cmd{
    .name = "uring_cmd",
    .opcode = IORING_OP_URING_CMD,
    .since = "5.19",
    .fields = uring_cmd_fields,
    .result = result_kind::value,
    .success = success_rule::non_negative,
    .cls = cls::poll,
    .ended = "if its driver can",
    .takes_descriptor = true,
    .buffer_select = true,
    .errnos = errors<EOPNOTSUPP, ENOTSUP, ENOPROTOOPT, ENOTTY>,
    .doc =
        "A command to the descriptor's driver. Sockets know siocinq, siocoutq, getsockopt and "
        "setsockopt; the result is the command's own."};

inline constexpr op_row uring_cmd128{
    .name = "uring_cmd128",
    .opcode = compat::op_uring_cmd128,
    .since = "6.19",
    .fields = uring_cmd_fields,
    .result = result_kind::value,
    .success = success_rule::non_negative,
    .cls = cls::poll,
    .ended = "if its driver can",
    .takes_descriptor = true,
    .buffer_select = true,
    .errnos = errors<EOPNOTSUPP, ENOTSUP, ENOPROTOOPT, ENOTTY>,
    .doc = "uring_cmd with a 128-byte SQE on a ring made with sqe_mixed."};

}  // namespace uring::rows
