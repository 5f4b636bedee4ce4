// Handshakes that fail, each for its own reason, and what both ends say about it.

#include "tls_fixture.hpp"

using tls_tests::pair;
using tls_tests::plain_pair;
using tls_tests::run;
using tls_tests::test_certificates;

namespace {

const test_certificates& certificates() {
  static const test_certificates made;
  return made;
}

/// A start_tls that ends with this alert.
std::string refused(const std::string& settings, const std::string& alert, const std::string& from,
                    const std::string& reason = R"({ "len": { "gt": 0 } })") {
  return R"({ "start_tls": )" + settings +
         R"(, "timeout": "10s", "expect": { "outcome": "error", "res": "EPROTO", "fields": {
           "alert": ")" +
         alert + R"(", "alert_from": ")" + from + R"(", "reason": )" + reason + " } } }";
}
std::string with(const std::string& members) {
  return "{ " + members + " }";
}

}  // namespace

TEST_CASE("a certificate of another CA, an expired one, and one of another name are refused") {
  const std::string ca = R"("ca": ")" + certificates().path("ca.pem") + '"';
  struct wrong {
    std::string leaf, name, alert, reason;
  };
  for (const wrong& each :
       {wrong{"foreign", "good.test", "unknown_ca", "unable to get local issuer"},
        wrong{"expired", "good.test", "certificate_expired", "has expired"},
        wrong{"good", "evil.test", "bad_certificate", "hostname mismatch"}}) {
    INFO(each.leaf << " " << each.name);
    PASSES(plain_pair(
        refused(with(certificates().pair_of(each.leaf)), each.alert, "peer"),
        refused(
            with(ca + R"(, "server_name": ")" + each.name + '"'), each.alert, "us",
            R"({ "prefix": "certificate verify failed", "contains": ")" + each.reason + "\" }")));
  }
  PASSES(plain_pair(R"({ "start_tls": )" + with(certificates().pair_of("good")) + " }",
                    R"({ "start_tls": )" + with(ca + R"(, "server_name": "good.test")") +
                        R"(, "expect": { "fields": { "peer_cn": "good" } } })"));
}

TEST_CASE("a client that verifies nothing takes what it gets") {
  PASSES(plain_pair(R"({ "start_tls": )" + with(certificates().pair_of("expired")) + " }",
                    R"({ "start_tls": { "verify": false } })"));
}

TEST_CASE("an address is verified as an address") {
  PASSES(pair(R"({ "recv": { "eof": true } })", R"({ "close": true })"));
  // The certificate is trusted, and for good.test only.
  PASSES(plain_pair(refused(with(certificates().pair_of("good")), "bad_certificate", "peer"),
                    refused(with(R"("ca": ")" + certificates().path("ca.pem") + '"'),
                            "bad_certificate", "us", R"({ "contains": "IP address mismatch" })")));
}

TEST_CASE("a server asks for the client's certificate when it has something to trust") {
  const std::string trust = R"("ca": ")" + certificates().path("ca.pem") + '"';
  PASSES(plain_pair(
      R"({ "start_tls": )" + with(trust) + R"(, "expect": { "fields": { "peer_cn": "good" } } })",
      R"({ "start_tls": )" + with(certificates().pair_of("good")) + " }"));
  // In TLS 1.3 a client learns of it only after its own handshake is over.
  PASSES(
      plain_pair(refused(with(trust), "certificate_required", "us"),
                 R"({ "start_tls": true }, { "recv": { "some": true }, "expect": { "res": "EPROTO",
                         "fields": { "alert": "certificate_required", "alert_from": "peer" } }
                             })"));
  PASSES(plain_pair(refused(with(trust + R"(, "max": "1.2")"), "handshake_failure", "us"),
                    refused(R"({ "max": "1.2" })", "handshake_failure", "peer")));
  PASSES(plain_pair(refused(with(trust), "unknown_ca", "us"),
                    R"({ "start_tls": )" + with(certificates().pair_of("foreign")) +
                        R"( }, { "recv": { "eof": true }, "expect": { "res": "EPROTO",
                          "fields": { "alert": "unknown_ca", "alert_from": "peer" } } })"));
}

TEST_CASE("no common version and no common protocol") {
  PASSES(plain_pair(refused(R"({ "min": "1.3" })", "protocol_version", "us"),
                    refused(R"({ "max": "1.2" })", "protocol_version", "peer")));
  PASSES(plain_pair(
      refused(R"({ "alpn": ["h2"] })", "no_application_protocol", "us"),
      refused(R"({ "alpn": ["http/1.1", "http/1.0"] })", "no_application_protocol", "peer")));
  // Who asks for none gets none.
  PASSES(plain_pair(
      R"({ "start_tls": { "alpn": ["h2"] }, "expect": { "fields": { "alpn": { "absent": true } }
          } })",
      R"({ "start_tls": true })"));
}

TEST_CASE("the server's order of protocols wins") {
  PASSES(pair(
      R"({ "recv": { "eof": true } })",
      R"({ "send": "" }, { "recv": { "nothing_for": "1ms" } }, { "set": { "p": "${conn.alpn}" } },
                 { "repeat": { "times": "${p == 'b' ? 0 : 1}", "do": [ { "fail": "not b" } ] } })",
      R"({ "alpn": ["b", "a"] })", R"({ "alpn": ["a", "b"] })"));
}

TEST_CASE("a peer that never answers: the time is up, and what was missing is said") {
  const auto silent = run(plain_pair(R"({ "recv": { "some": true } }, { "recv": { "eof": true } })",
                                     R"({ "start_tls": true, "timeout": "50ms" })"));
  CHECK(silent.says("start_tls timed out"));
  CHECK(silent.says("it waited for an answer to our ClientHello"));
  const auto quiet = run(
      plain_pair(R"({ "start_tls": true, "timeout": "50ms" })", R"({ "recv": { "eof": true } })"));
  CHECK(quiet.says("it waited for a ClientHello"));
  // As step 0 of a client.
  PASSES(R"({ "actors": {
    "srv": { "server": "tcp://127.0.0.1:0", "do": [ { "recv": { "some": true } }, { "recv": {
        "eof": true } } ] },
    "c1": { "client": { "to": "tls://127.0.0.1:${srv.port}", "timeout": "100ms", "expect":
        "timed_out" }, "do": [] } } })");
}

TEST_CASE("an interrupted handshake can be gone on with") {
  PASSES(plain_pair(
      R"({ "await": "go" }, { "start_tls": true }, { "send": "x" })",
      R"({ "start_tls": true, "cancel_after": "20ms", "expect": "cancelled" }, { "signal": "go" },
                       { "start_tls": true }, { "recv": { "exactly": 1 } })"));
}

TEST_CASE("a reset and an end in the middle of the handshake") {
  PASSES(plain_pair(R"({ "recv": { "exactly": 5 } }, { "rst": true })",
                    R"({ "start_tls": true, "expect": "ECONNRESET" })"));
  PASSES(plain_pair(
      R"({ "recv": { "some": true } }, { "half_close": true }, { "recv": { "eof": true } })",
      R"({ "start_tls": true, "expect": { "res": "EPROTO", "fields": { "reason": "truncated" } }
          })"));
}

TEST_CASE("a peer that speaks something else is noticed at its first bytes") {
  PASSES(plain_pair(
      R"({ "recv": { "some": true } }, { "send": "220 mail.test ready\r\n" }, { "recv": {
          "some": true }, "expect": { "any_of": ["eof", "ECONNRESET"] } })",
      R"({ "start_tls": true, "timeout": "10s", "expect": { "res": "EPROTO",
                         "fields": { "reason": "wrong version number" } } })"));
  PASSES(plain_pair(
      R"({ "start_tls": { "residue": "allow" }, "timeout": "10s", "expect": { "res": "EPROTO" } })",
      R"({ "send": "GET / HTTP/1.0\r\n\r\n" },
                       { "recv": { "some": true }, "expect": { "any_of": ["eof", "ECONNRESET"] }
                           })"));
}

TEST_CASE("bytes that came before TLS are refused unless they are allowed") {
  PASSES(plain_pair(R"({ "recv": { "exactly": 2 } },
                       { "start_tls": true, "expect": { "res": "EPROTO", "fields": { "reason":
                           "residue" } } },
                       { "recv": { "exactly": 2 }, "expect": { "data": "cd" } })",
                    R"({ "send": "abcd" }, { "recv": { "eof": true } })"));
  // A server can't begin TLS: what looks like it is no better.
  PASSES(plain_pair(R"({ "send": { "hex": "0016030300" } }, { "recv": { "some": true } })",
                    R"({ "recv": { "exactly": 1 } },
                       { "start_tls": true, "expect": { "fields": { "reason": "residue" }, "res":
                           "EPROTO" } },
                       { "send": "x" }, { "recv": { "exactly": 4 } })"));
  const auto told = run(plain_pair(R"({ "recv": { "exactly": 2 } }, { "start_tls": true })",
                                   R"({ "send": "abcd" }, { "recv": { "eof": true } })"));
  CHECK(told.says("bytes had come before TLS began: \"cd\""));
}

TEST_CASE("a client's ClientHello that is quicker than the server is no residue") {
  PASSES(plain_pair(
      R"({ "recv": { "exactly": 1 } }, { "await": "hello" }, { "start_tls": true }, { "send":
          "x" })",
      R"({ "send": "s" }, { "start_tls": true, "id": "h", "async": true }, { "sleep": "20ms" },
                       { "signal": "hello" }, { "join": "h" }, { "recv": { "exactly": 1 } })"));
}

TEST_CASE("both ends that wait for a handshake are a deadlock, told at once") {
  const auto stuck = run(plain_pair(R"({ "start_tls": { "role": "server" } })",
                                    R"({ "start_tls": { "role": "server" } })"));
  CHECK(stuck.says("every actor waits for what can no longer come"));
}
