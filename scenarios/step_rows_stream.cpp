// Steps on streams: loops over submissions.

#include "engine/kernel_compat.hpp"
#include "scenarios/compile_strand.hpp"
#include "scenarios/step_rows.hpp"

namespace scenarios::rows {
namespace {

constexpr key_row connect_keys[] = {
    {"to", j::string, required,
     "the address: tcp://127.0.0.1:80, tls://127.0.0.1:443, unix:///path"},
    {"bind", j::string, optional, "the local address"},
    {"tls", j::object, optional, "how it speaks TLS; also where the address is no tls:// one"}};
constexpr key_row listen_keys[] = {
    {"address", j::string, required, "where; port 0 lets the kernel choose"},
    {"backlog", j::number, optional, "connections that may wait for accept (default 128)"},
    {"tls", j::object, optional, "how its connections speak TLS; accept does the handshake"}};
constexpr key_row close_keys[] = {{"notify", j::boolean, optional,
                                   "false: without the close_notify that ends TLS (default true)"}};
constexpr key_row send_keys[] = {
    {"data", j::data, required, "what to send: text, {hex}, {b64}, {file}, {random}, a list …"},
    {"to", j::string, optional, "where a datagram goes; a connected socket needs none"}};
constexpr key_row recv_keys[] = {
    {"exactly", j::number, optional, "so many bytes"},
    {"until", j::data, optional, "up to and with this delimiter"},
    {"line", j::boolean, optional, "true: up to a line end, which is left out"},
    {"some", j::boolean | j::number, optional, "true, or n: what comes first, at most n bytes"},
    {"eof", j::boolean, optional, "true: to the end, without a byte unless data is expected"},
    {"nothing_for", j::string, optional, "that nothing comes for so long"},
    {"at_least", j::number, optional, "so many bytes, and what has come beside them"},
    {"datagram", j::boolean, optional, "true: exactly one datagram"},
    {"datagrams", j::number, optional, "so many datagrams"},
    {"message", j::string, optional, "one message of this layout; what follows stays"},
    {"max", j::number, optional,
     "more bytes are a failure; default: until, line, eof 1MiB, message 16MiB, datagram 64KiB"}};

constexpr std::uint8_t connect_ops[] = {IORING_OP_SOCKET, uring::compat::op_bind,
                                        IORING_OP_CONNECT};
constexpr std::uint8_t listen_ops[] = {IORING_OP_SOCKET, uring::compat::op_bind,
                                       uring::compat::op_listen};
constexpr std::uint8_t accept_ops[] = {IORING_OP_ACCEPT};
constexpr std::uint8_t send_ops[] = {IORING_OP_SEND};
constexpr std::uint8_t recv_ops[] = {IORING_OP_RECV, IORING_OP_RECVMSG};
constexpr std::uint8_t shutdown_ops[] = {IORING_OP_SHUTDOWN};
constexpr std::uint8_t close_ops[] = {IORING_OP_CLOSE};

}  // namespace

std::vector<step_row> stream_rows() {
  std::vector<step_row> rows;
  rows.push_back(with(stream("connect", trait::makes, submits | as, connect_ops, compile_connect),
                      j::string, "to", connect_keys, "Makes a socket and connects it.",
                      R"({ "connect": "tcp://127.0.0.1:6379", "as": "c" })"));
  rows.push_back(
      with(stream("listen", trait::makes, always | as | expect, listen_ops, compile_listen),
           j::string, "address", listen_keys, "Makes a socket that accepts connections.",
           R"({ "listen": "tcp://127.0.0.1:0", "as": "listener" })"));
  rows.push_back(with(stream("accept", trait::works_on | trait::makes, submits | on | as,
                             accept_ops, compile_accept),
                      j::boolean, "", {}, "Waits for one connection.",
                      R"({ "accept": true, "on": "listener", "as": "peer" })"));
  rows.push_back(with(stream("send", trait::works_on, submits | on, send_ops, compile_send),
                      j::data, "data", send_keys, "Sends all of the data.",
                      R"({ "send": "PING\r\n" })"));
  rows.push_back(
      with(stream("recv", trait::works_on | trait::yields_data, submits | on | as, recv_ops,
                  compile_recv),
           0, "", recv_keys,
           "Receives: so many bytes, to a delimiter, a line, to the end. What was not asked for "
           "stays in "
           "the stream.",
           R"({ "recv": { "line": true, "max": "1KiB" }, "expect": { "data": "+PONG" } })"));
  rows.push_back(with(
      stream("half_close", trait::works_on, always | on | expect, shutdown_ops, compile_half_close),
      j::boolean, "", {},
      "Ends the sending direction; receiving goes on. Over TLS: with a close_notify.",
      R"({ "half_close": true })"));
  rows.push_back(with(stream("rst", trait::works_on, always | on | expect, close_ops, compile_rst),
                      j::boolean, "", {}, "Closes so that the peer sees a reset.",
                      R"({ "rst": true })"));
  rows.push_back(
      with(stream("close", trait::works_on, always | on | expect, close_ops, compile_close),
           j::boolean, "", close_keys, "Cancels what is pending on the descriptor, and closes it.",
           R"({ "close": true })"));
  return rows;
}

}  // namespace scenarios::rows
