// Stream steps over TLS: what holds over TCP holds here.

#include <fmt/format.h>

#include "tls_fixture.hpp"

using tls_tests::pair;
using tls_tests::run;

TEST_CASE("every way of receiving works over TLS, in each version") {
  for (const std::string version : {"1.0", "1.1", "1.2", "1.3"}) {
    INFO("TLS " << version);
    const std::string bounds = R"({ "min": ")" + version + R"(", "max": ")" + version + R"(" })";
    PASSES(pair(R"({ "recv": { "line": true }, "expect": { "data": "one" } },
                   { "send": "two\r\nthree;four" },
                   { "recv": { "eof": true } },
                   { "send": "after your end" })",
                R"({ "send": "one\n" },
                   { "recv": { "line": true }, "expect": { "data": "two" } },
                   { "recv": { "until": ";" }, "expect": { "data": "three;" } },
                   { "recv": { "exactly": 2 }, "expect": { "data": "fo" } },
                   { "recv": { "some": true }, "expect": { "data": "ur" } },
                   { "recv": { "nothing_for": "20ms" } },
                   { "half_close": true },
                   { "recv": { "eof": true }, "expect": { "data": "after your end" } })",
                bounds, bounds));
  }
}

TEST_CASE("eight MiB both ways at once don't stand in each other's way") {
  const std::string both =
      R"({ "send": { "repeat": { "data": "0123456789abcdef", "times": 524288 } },
      "id": "out", "async": true },
    { "recv": { "exactly": "8MiB" }, "expect": { "data": { "len": 8388608 } } },
    { "join": "out" })";
  PASSES(pair(both, both));
}

TEST_CASE("a cancelled read gives its bytes back") {
  PASSES(pair(
      R"({ "send": "abc" }, { "barrier": "go" }, { "send": "def" }, { "recv": { "eof": true } })",
      R"({ "recv": { "exactly": 6 }, "cancel_after": "30ms", "expect": "cancelled" },
                 { "barrier": "go" },
                 { "recv": { "exactly": 6 }, "expect": { "data": "abcdef" } })"));
}

TEST_CASE("one deadline bounds a read of many records") {
  PASSES(pair(R"({ "repeat": { "times": 3, "do": [ { "send": "x" }, { "sleep": "20ms" } ] } },
                 { "recv": { "eof": true } })",
              R"({ "recv": { "exactly": 6 }, "timeout": "100ms",
                   "expect": { "outcome": "timed_out", "took": { "ge": "100ms", "le": "5s" } } },
                 { "recv": { "exactly": 3 }, "expect": { "data": "xxx" } })"));
}

TEST_CASE("a send into a connection that nobody reads ends with its timeout") {
  PASSES(pair(R"({ "await": "done" }, { "recv": { "some": true } })",
              R"({ "send": { "repeat": { "data": "0123456789abcdef", "times": 4194304 } },
                   "timeout": "100ms", "expect": { "any_of": [
                     { "outcome": "timed_out", "took": { "ge": "100ms" } },
                     { "outcome": "ok_after_timeout", "took": { "ge": "100ms" } } ] } },
                 { "signal": "done" }, { "rst": true })"));
}

TEST_CASE("what an interrupted send left goes out before the next one, and only once") {
  // The same bytes again are those that wait; the server counts what comes.
  PASSES(pair(R"({ "await": "done" }, { "recv": { "until": "end", "max": "60MiB" } })",
              R"({ "send": { "repeat": { "data": "0123456789abcdef", "times": 524288 } },
                   "timeout": "50ms",
                   "expect": { "any_of": [ "timed_out", "ok_after_timeout", "ok" ] } },
                 { "signal": "done" }, { "send": "end" }, { "recv": { "eof": true } })"));
}

TEST_CASE("an end without close_notify is truncation, and told apart from a clean one") {
  PASSES(pair(R"({ "send": "half of" }, { "close": { "notify": false } })",
              R"({ "recv": { "exactly": 7 } },
                 { "recv": { "eof": true }, "expect": { "outcome": "error", "res": "EPROTO",
                   "fields": { "reason": "truncated", "alert": { "absent": true } } } })"));
  const auto unexpected =
      run(pair(R"({ "close": { "notify": false } })", R"({ "recv": { "eof": true } })"));
  CHECK(unexpected.result.result == scenarios::verdict::failed);
  CHECK(unexpected.says("close_notify"));
}

TEST_CASE("a close, and the end of an actor, send close_notify; a reset does not") {
  PASSES(pair(R"({ "close": true })", R"({ "recv": { "eof": true } })"));
  PASSES(
      pair(R"({ "send": "x" })", R"({ "recv": { "exactly": 1 } }, { "recv": { "eof": true } })"));
  PASSES(pair(R"({ "rst": true })", R"({ "recv": { "eof": true }, "expect": "ECONNRESET" })"));
}

TEST_CASE("stop_tls ends TLS on both sides and leaves clear text") {
  PASSES(pair(R"({ "recv": { "line": true } }, { "stop_tls": true }, { "send": "plain\n" },
                 { "recv": { "eof": true } })",
              R"({ "send": "secret\n" }, { "stop_tls": true, "timeout": "5s" },
                 { "sqe.recv": { "len": 6 }, "expect": { "data": "plain\n" } })"));
}

TEST_CASE("stop_tls refuses data that nobody received, and waits no longer than it may") {
  PASSES(pair(R"({ "send": "late" }, { "recv": { "eof": true } })",
              R"({ "stop_tls": true, "expect": { "res": "EPROTO", "fields": { "reason":
          "data before close_notify" } } })"));
  PASSES(
      pair(R"({ "await": "done" })",
           R"({ "stop_tls": true, "timeout": "50ms", "expect": { "outcome": "timed_out", "took": {
          "ge": "50ms" } } },
                 { "signal": "done" })"));
}

TEST_CASE("a low-level step sees ciphertext, and is refused where plain text was read ahead") {
  PASSES(pair(R"({ "send": "abc" }, { "await": "seen" })",
              R"({ "sqe.recv": { "len": 3, "msg_flags": ["peek", "waitall"] }, "expect": { "data": {
          "hex": "170303" } } },
                 { "signal": "seen" }, { "recv": { "exactly": 3 }, "expect": { "data": "abc" }
                     })"));
  const auto refused = run(pair(R"({ "send": "abcdef" }, { "recv": { "eof": true } })",
                                R"({ "recv": { "exactly": 2 } }, { "sqe.recv": { "len": 4 } })"));
  CHECK(refused.says("4 bytes were read ahead"));
}

TEST_CASE("a fault on a step hits it also where the bytes were decrypted before") {
  const auto with_fault = [](const std::string& fault, const std::string& serve,
                             const std::string& dial) {
    std::string text = pair(serve, dial);
    return text.insert(1, "\"faults\": [ " + fault + " ],");
  };
  // The second line came in the first one's record: no submission is left to hit.
  for (const std::string point : {"before", "after"}) {
    PASSES(with_fault(R"({ "type": "cqe.errno", "errno": "ECONNRESET", "point": ")" + point +
                          R"(", "where": { "actor": "c1", "op": "recv" }, "when": { "nth": 2 } })",
                      R"({ "send": "one\ntwo\n" }, { "recv": { "eof": true } })",
                      R"({ "recv": { "line": true }, "expect": { "data": "one" } },
                         { "recv": { "line": true }, "expect": "ECONNRESET" })"));
  }
  // A send that never ran and is tried again arrives once.
  PASSES(with_fault(R"({ "type": "cqe.errno", "errno": "ENOBUFS", "force": true, "point": "before",
                         "where": { "actor": "c1", "op": "send" } })",
                    R"({ "recv": { "eof": true }, "expect": { "data": "once" } })",
                    R"({ "send": "once", "retry": { "times": 2 } }, { "half_close": true },
                       { "recv": { "eof": true } })"));
  // A handshake whose success is hidden.
  PASSES(R"({ "faults": [ { "type": "cqe.errno", "errno": "ECONNRESET", "point": "after",
                            "where": { "actor": "c1", "op": "start_tls" } } ],
    "actors": {
      "srv": { "server": "tcp://127.0.0.1:0", "do": [ { "start_tls": true }, { "recv": {
          "eof": true } } ] },
      "c1": { "client": "${srv.addr}", "do": [ { "start_tls": true, "expect": "ECONNRESET" } ] }
          } })");
}

TEST_CASE("session tickets disturb nobody") {
  PASSES(pair(R"({ "send": "x" }, { "recv": { "eof": true } })",
              R"({ "recv": { "exactly": 1 } }, { "recv": { "nothing_for": "20ms" } })",
              R"({ "tickets": 3 })"));
}

TEST_CASE("a task listens, dials and accepts by tls:// addresses") {
  PASSES(R"({ "timeout": "10s", "actors": {
    "a": { "task": true, "do": [
      { "listen": { "address": "tls://[::1]:0", "tls": { "alpn": ["x"] } }, "as": "l" },
      { "accept": true, "on": "l", "as": "peer", "expect": { "fields": { "alpn": "x" } } },
      { "send": "${l.addr[0:6]} ${peer.alpn}\n", "on": "peer" },
      { "recv": { "eof": true }, "on": "peer" } ] },
    "b": { "task": true, "do": [
      { "connect": { "to": "${a.l.addr}", "tls": { "alpn": ["y", "x"] } }, "as": "c" },
      { "recv": { "line": true }, "on": "c", "expect": { "data": "tls:// x" } },
      { "close": true, "on": "c" } ] } } })");
}

TEST_CASE("a Unix socket speaks TLS, too") {
  PASSES(R"({ "actors": {
    "srv": { "server": { "address": "unix://${tmp}/s", "tls": {} }, "do": [ { "send": "hi" }, {
        "recv": { "eof": true } } ] },
    "c1": { "client": { "to": "${srv.addr}", "tls": {} }, "do": [
      { "recv": { "exactly": 2 }, "expect": { "data": "hi" } } ] } } })");
}

TEST_CASE("what a connection's TLS agreed on is a property of its descriptor") {
  PASSES(pair(
             R"({ "send": "${conn.tls_version} ${conn.server_name} ${conn.peer_cn}\n" },
                 { "recv": { "eof": true }, "expect": { "data":
                     "a.test TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" } })",
             R"({ "recv": { "line": true }, "expect": { "data": "1.2 a.test localhost" } },
                 { "set": { "n": "${conn.peer_cn} ${conn.cipher}" } },
                 { "send": "${n}" })",
             R"({ "server_name": "a.test", "max": "1.2", "ca": "auto" })",
             R"({ "server_name": "a.test", "cert": "auto" })")
             .replace(0, 0, ""));
}

// In a block of its own: what came before it is not known when the file is loaded.
TEST_CASE("TLS that is there already, or not at all, is told") {
  const auto later = [](std::string_view step) {
    return fmt::format(R"({{ "repeat": {{ "times": 1, "do": [ {} ] }} }})", step);
  };
  const std::string to_the_end = R"({ "recv": { "eof": true } })";
  CHECK(run(pair(to_the_end, later(R"({ "start_tls": true })"))).says("is spoken here already"));
  CHECK(run(tls_tests::plain_pair(to_the_end, later(R"({ "stop_tls": true })")))
            .says("no TLS is spoken here"));
  CHECK(run(tls_tests::plain_pair(to_the_end, later(R"({ "close": { "notify": false } })")))
            .says("is about TLS"));
}
