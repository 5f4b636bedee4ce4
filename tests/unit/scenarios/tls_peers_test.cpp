// TLS with programs that others wrote: openssl's client and server, nginx.

#include "tls_fixture.hpp"

namespace {

/// A scenario with one service, `peer`, and one actor.
std::string beside(const std::string& service, const std::string& actor) {
  return R"({ "timeout": "30s", "services": { "peer": { )" + service + R"( } }, "actors": { )" +
         actor + " } }";
}

/// openssl s_client as a service. It ends by itself, when the server has said that it is done: what
/// the end of the scenario sends it must not come first.
std::string s_client(const std::string& more) {
  return R"("files": { "ca.pem": "${tls.cert}" },
    "run": ["sh", "-c", "trap '' TERM; exec openssl s_client -connect 127.0.0.1:${srv.port} )" +
         more +
         R"( -CAfile ${tmp}/ca.pem -verify_return_error -ign_eof -quiet"], "expect_exit": 0)";
}

std::string s_server(const std::string& more) {
  return R"("files": { "cert.pem": "${tls.cert}", "key.pem": "${tls.key}" },
    "run": ["openssl", "s_server", "-accept", "127.0.0.1:${port.p}", "-cert", "${tmp}/cert.pem",
            "-key", "${tmp}/key.pem", )" +
         more + R"( ], "ready": { "stdout": "ACCEPT" }, "stop": { "signal": "SIGKILL" })";
}

// Says a line, waits for what stands for its arrival, asks for a key update, says another.
constexpr const char* talk = R"sh(
set -e; trap '' TERM
cd "$(dirname "$0")"
mkfifo in out
openssl s_client -connect 127.0.0.1:$1 "$2" <in >out 2>&1 &
exec 3>in 4<out
wait_for() { while read -r line <&4; do case "$line" in *"$1"*) return 0;; esac; done; return 1; }
echo first >&3; wait_for "got first"
echo "$3" >&3; wait_for "$4"
echo second >&3; wait_for "got second"
exec 3>&-
)sh";

std::string talking(const std::string& version, const std::string& command, const std::string& sign,
                    const std::string& end) {
  std::string script;
  for (const char* c = talk; *c != '\0'; ++c) {
    if (*c == '\n') {
      script += "\\n";
      continue;
    }
    if (*c == '"' || *c == '\\') script += '\\';
    script += *c;
  }
  return beside(R"("files": { "talk.sh": ")" + script + R"(" },
      "run": ["sh", "${tmp}/talk.sh", "${srv.port}", ")" +
                    version + R"(", ")" + command + R"(", ")" + sign + R"("], )" + end,
                R"("srv": { "server": "tls://127.0.0.1:0", "do": [
      { "recv": { "line": true }, "expect": { "data": "first" } },
      { "send": "got first\n" },
      { "recv": { "line": true }, "expect": { "data": "second" } },
      { "send": "got second\n" },
      { "recv": { "some": true }, "expect": { "any_of": [ "eof", "ECONNRESET", "EPROTO" ] } } ]
          })");
}

}  // namespace

TEST_CASE("openssl's client is served, and its end is clean") {
  PASSES(beside(
      s_client("-verify_hostname localhost -alpn h2,x"),
      R"("srv": { "server": { "address": "tls://127.0.0.1:0", "tls": { "alpn": ["x"] } }, "do": [
      { "send": "hello ${conn.alpn}\n" }, { "half_close": true },
      { "recv": { "eof": true } } ] })"));
}

TEST_CASE("openssl's client asks for TLS in the middle of SMTP") {
  PASSES(beside(s_client("-starttls smtp -name me"),
                R"("srv": { "server": "tcp://127.0.0.1:0", "do": [
      { "send": "220 mail.test\r\n" },
      { "recv": { "line": true }, "expect": { "data": "EHLO me" } },
      { "send": "250-mail.test\r\n250 STARTTLS\r\n" },
      { "recv": { "line": true }, "expect": { "data": "STARTTLS" } },
      { "send": "220 go ahead\r\n" },
      { "start_tls": true },
      { "send": "221 bye\r\n" }, { "half_close": true },
      { "recv": { "eof": true } } ] })"));
}

TEST_CASE("a key update of the other side disturbs nobody") {
  PASSES(talking("-tls1_3", "K", "KEYUPDATE", R"("expect_exit": 0)"));
}

TEST_CASE("a renegotiation that is asked for is refused, and the connection ends cleanly") {
  const auto ended =
      tls_tests::run(talking("-tls1_2", "R", "RENEGOTIATING", R"("stop": { "grace": "100ms" })"));
  // It ends there: what matters is that nobody hangs.
  CHECK_FALSE(ended.says("did not end within"));
}

TEST_CASE("openssl's server answers, in both versions, with tickets and without a close_notify") {
  for (const std::string version : {"1.2", "1.3"}) {
    INFO("TLS " << version);
    PASSES(beside(s_server(R"("-rev")"),
                  R"("c1": { "client": { "to": "tls://127.0.0.1:${port.p}", "tls": { "max": ")" +
                      version + R"(" } }, "do": [
        { "send": "abc\n" }, { "recv": { "line": true }, "expect": { "data": "cba" } },
        { "send": { "repeat": { "data": "x", "times": 3000 } } }, { "send": "\n" },
        { "recv": { "line": true }, "expect": { "data": { "len": 3000 } } },
        { "half_close": true }, { "recv": { "eof": true } } ] })"));
  }
}

TEST_CASE("openssl's server wants a certificate, and gets one that it knows") {
  PASSES(beside(
      s_server(R"("-rev", "-Verify", "1", "-verify_return_error", "-CAfile", "${tmp}/cert.pem")"),
      R"("c1": { "client": { "to": "tls://127.0.0.1:${port.p}", "tls": { "cert": "auto" } }, "do": [
      { "send": "abc\n" }, { "recv": { "line": true }, "expect": { "data": "cba" } } ] },
    "c2": { "client": { "to": "tls://127.0.0.1:${port.p}" }, "do": [
      { "recv": { "some": true }, "expect": { "res": "EPROTO", "fields": { "alert":
          "certificate_required", "alert_from": "peer" } } } ] })"));
}

TEST_CASE("nginx speaks TLS with us") {
  PASSES(beside(
      R"("run": ["nginx", "-p", "${tmp}", "-c", "${tmp}/nginx.conf", "-e", "stderr"],
      "files": { "cert.pem": "${tls.cert}", "key.pem": "${tls.key}", "www/hello.txt": "hello\n",
          "nginx.conf": [
        "daemon off; worker_processes 1; pid ${tmp}/nginx.pid; error_log stderr;\n",
        "events { worker_connections 64; }\nhttp { access_log off;\n",
        "client_body_temp_path ${tmp}/body; proxy_temp_path ${tmp}/proxy;\n",
        "fastcgi_temp_path ${tmp}/fastcgi;\n",
        "uwsgi_temp_path ${tmp}/uwsgi; scgi_temp_path ${tmp}/scgi;\n",
        "server { listen 127.0.0.1:${port.p} ssl http2; root ${tmp}/www; ssl_protocols TLSv1.3;\n",
        "ssl_certificate ${tmp}/cert.pem; ssl_certificate_key ${tmp}/key.pem; } }\n" ] },
      "ready": { "port": "${port.p}" }, "stop": { "signal": "SIGQUIT" }, "expect_exit": 0)",
      R"("http": { "client": { "to": "tls://127.0.0.1:${port.p}", "tls": { "alpn": ["http/1.1"],
          "server_name": "localhost" } }, "do": [
      { "send": "GET /hello.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" },
      { "recv": { "until": "\r\n\r\n" }, "expect": { "data": { "prefix": "HTTP/1.1 200 OK" } } },
      { "recv": { "exactly": 6 }, "expect": { "data": "hello\n" } },
      { "recv": { "eof": true } } ] },
    "h2": { "client": { "to": "tls://127.0.0.1:${port.p}", "tls": { "alpn": ["h2", "http/1.1"] },
                        "expect": { "fields": { "alpn": "h2", "tls_version": "1.3" } } }, "do":
                            [] },
    "old": { "client": { "to": "tls://127.0.0.1:${port.p}", "tls": { "max": "1.2" },
                         "expect": { "res": "EPROTO", "fields": { "alert": "protocol_version",
                             "alert_from": "peer" } } }, "do": [] })"));
}
