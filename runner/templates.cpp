#include "runner/templates.hpp"

#include <algorithm>

namespace runner {
namespace {

constexpr std::string_view tcp_client = R"--(// A client, held against a server that is played here.
// To test a server of your own, write its address into `client` and remove the actor `srv`.
{
  "format": 1,
  "name": "a client asks and reads the answer",
  "tags": ["tcp"],
  "timeout": "10s",
  "actors": {
    "srv": { "server": "tcp://127.0.0.1:0", "do": [
      { "recv": { "line": true }, "as": "question" },
      { "send": "you said ${question}\n" },
      { "recv": { "eof": true } } ] },

    "client": { "client": "${srv.addr}", "do": [
      { "send": "hello\n" },
      { "recv": { "line": true }, "timeout": "2s", "expect": { "data": "you said hello" } },
      { "close": true } ] } }
}
)--";

constexpr std::string_view tcp_server =
    R"--(// A server that is played here, for clients that need one to talk to.
// Each connection has a handler of its own; `accept` says how many come. To test a client of your
// own, start it as a service and give it ${srv.port}.
{
  "format": 1,
  "name": "a server answers each of its clients",
  "tags": ["tcp"],
  "timeout": "10s",
  "actors": {
    "srv": { "server": "tcp://127.0.0.1:0", "accept": 3, "do": [
      { "recv": { "until": "\r\n" }, "expect": { "data": { "prefix": "HELO " } } },
      { "send": "250 pleased to meet you\r\n" },
      { "recv": { "eof": true } } ] },

    "client": { "client": "${srv.addr}", "count": 3, "do": [
      { "send": "HELO client${actor.index}\r\n" },
      { "recv": { "line": true }, "expect": { "data": { "regex": "^250 " } } },
      { "close": true } ] } }
}
)--";

constexpr std::string_view service =
    R"--(// A real program, started for the scenario and stopped after it.
// Its port is a free one; `ready` says when it can be talked to; ${tmp} is a directory of its own.
{
  "format": 1,
  "name": "the web server sends a file",
  "tags": ["http", "service"],
  "requires": { "programs": ["python3"] },
  "timeout": "30s",
  "services": {
    "web": {
      "run": ["python3", "-m", "http.server", "--bind", "127.0.0.1", "${port.web}"],
      "files": { "hello.txt": "hello\n" },
      "ready": { "port": "${port.web}" },
      "stop": { "signal": "SIGTERM", "grace": "5s" },
      "expect_exit": "SIGTERM" } },
  "actors": {
    "client": { "client": "${web.addr}", "do": [
      { "send": "GET /hello.txt HTTP/1.0\r\n\r\n" },
      { "recv": { "line": true }, "expect": { "data": { "regex": "^HTTP/1\\.. 200 " } } },
      { "recv": { "until": "\r\n\r\n" } },
      { "recv": { "eof": true }, "expect": { "data": "hello\n" } } ] } }
}
)--";

constexpr std::string_view cancel =
    R"--(// What is cut short: a recv that is cancelled, and one that times out.
// Neither loses a byte, and the two are told apart.
{
  "format": 1,
  "name": "a cancelled recv and a timed-out one leave the stream intact",
  "tags": ["tcp", "cancel", "timeout"],
  "timeout": "10s",
  "actors": {
    "srv": { "server": "tcp://127.0.0.1:0", "do": [
      { "barrier": "the client has waited" },
      { "send": "hello\n" },
      { "recv": { "eof": true } } ] },

    "client": { "client": "${srv.addr}", "do": [
      { "recv": { "exactly": 6 }, "cancel_after": "20ms", "expect": "cancelled" },
      { "recv": { "exactly": 6 }, "timeout": "20ms",
        "expect": { "outcome": "timed_out", "took": { "ge": "20ms" } } },
      { "barrier": "the client has waited" },
      { "recv": { "line": true }, "expect": { "data": "hello" } },
      { "close": true } ] } }
}
)--";

constexpr std::string_view fault =
    R"--(// A fault: the second send works, and its sender is told that it failed.
// A required fault that does not fire makes the scenario invalid, never passed.
{
  "format": 1,
  "name": "a commit whose acknowledgement is lost",
  "tags": ["fault"],
  "timeout": "10s",
  "faults": [
    { "id": "lost", "type": "cqe.errno", "errno": "ECONNRESET", "point": "after",
      "where": { "actor": "client", "op": "send" }, "when": { "nth": 2 } } ],
  "actors": {
    "srv": { "server": "tcp://127.0.0.1:0", "do": [
      { "recv": { "line": true }, "expect": { "data": "begin" } },
      { "recv": { "eof": true }, "expect": { "data": "commit\n" } } ] },

    "client": { "client": "${srv.addr}", "do": [
      { "send": "begin\n" },
      { "send": "commit\n", "expect": "ECONNRESET" },
      { "close": true } ] } }
}
)--";

constexpr std::string_view low_level =
    R"--(// Submissions one by one: a step is exactly one, with all its completions on record.
// `uring-scenario explain sqe.read` lists the fields of an opcode.
{
  "format": 1,
  "name": "a file is written and read, one submission each",
  "tags": ["low-level"],
  "timeout": "10s",
  "steps": [
    { "openat": { "path": "${tmp}/f", "open_flags": ["rdwr", "creat"], "mode": "0600" },
      "as": "file" },
    { "write": { "data": "twelve bytes", "offset": 0 }, "on": "file", "expect": 12 },
    { "read": { "len": 64, "offset": 7 }, "on": "file", "expect": { "res": 5, "data": "bytes" } },
    { "sqe.close": {}, "on": "file" },
    { "sqe.timeout": { "ts": "10ms" }, "expect": "ETIME" } ]
}
)--";

constexpr std::string_view matrix =
    R"--(// One scenario in several cases: each combination of the matrix is run by itself.
// `uring-scenario list` shows the cases; a path with [size=1] behind it runs one.
{
  "format": 1,
  "name": "bytes come back as they were sent",
  "tags": ["tcp"],
  "matrix": {
    "size": [1, 1000, 100000],
    "over": { "tcp": "tcp://127.0.0.1:0", "unix": "unix://@" } },
  "timeout": "10s",
  "actors": {
    "srv": { "server": "${matrix.over.label == 'unix' ? matrix.over + tmp : matrix.over}", "do": [
      { "recv": { "exactly": "${matrix.size}" }, "as": "bytes" },
      { "send": "${bytes}" },
      { "recv": { "eof": true } } ] },

    "client": { "client": "${srv.addr}", "do": [
      { "send": { "random": { "len": "${matrix.size}", "seed": 7 } } },
      { "recv": { "exactly": "${matrix.size}" },
        "expect": { "data": { "random": { "len": "${matrix.size}", "seed": 7 } } } },
      { "close": true } ] } }
}
)--";

constexpr scenario_template table[] = {
    {"tcp-client", "a client that asks a server and checks the answer", tcp_client},
    {"tcp-server", "a server with several clients", tcp_server},
    {"service", "a real program and its client", service},
    {"cancel", "operations that are cancelled or time out", cancel},
    {"fault", "a completion that is replaced by an error", fault},
    {"low-level", "single submissions and their completions", low_level},
    {"matrix", "one scenario in several cases", matrix},
};

}  // namespace

std::span<const scenario_template> template_table() {
  return table;
}

const scenario_template* find_template(std::string_view name) {
  const auto* const found = std::ranges::find(table, name, &scenario_template::name);
  return found == std::end(table) ? nullptr : found;
}

}  // namespace runner
