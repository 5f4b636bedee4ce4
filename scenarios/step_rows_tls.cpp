// Steps that lay TLS over a stream and take it off, and the keys that say how.

#include "scenarios/compile_strand.hpp"
#include "scenarios/step_rows.hpp"

namespace scenarios {
namespace {

using enum key_state;
namespace j = json;

constexpr key_row start_tls_keys[] = {
    {"role", j::string, optional, "client or server (default: what the actor is)"},
    {"residue", j::string, optional,
     "bytes that came before it: fail (default), or allow: they are read as TLS"},
    // What follows stands under the key `tls` of an address, too.
    {"server_name", j::string, optional,
     "client: the name to ask for and to verify (default: the host); server: a name of an "
     "automatic certificate"},
    {"cert", j::string, optional,
     "own certificate and its chain: a PEM file, PEM text, or auto (a server's default)"},
    {"key", j::string, optional, "its private key: a PEM file or PEM text; may stand in `cert`"},
    {"ca", j::string, optional, "what is trusted: a PEM file, PEM text, auto (default), or system"},
    {"verify", j::boolean, optional,
     "whether the other end must show a certificate that is trusted (client: true; server: only "
     "with `ca`)"},
    {"alpn", j::array, optional, "application protocols, the preferred one first"},
    {"min", j::string, optional, "oldest version: 1.0, 1.1, 1.2 (default), 1.3"},
    {"max", j::string, optional, "newest version (default 1.3)"},
    {"tickets", j::number, optional,
     "of a server: session tickets that it sends after the handshake (default 0)"}};
constexpr std::size_t of_the_step_only = 2;

constexpr std::uint8_t handshake_ops[] = {IORING_OP_RECV, IORING_OP_SEND};

}  // namespace

namespace keys {
const key_table tls{"tls", "`tls`", std::span(start_tls_keys).subspan(of_the_step_only)};
}  // namespace keys

namespace rows {

std::vector<step_row> tls_rows() {
  std::vector<step_row> rows;
  rows.push_back(with(
      stream("start_tls", trait::works_on, submits | on, handshake_ops, compile_start_tls),
      j::boolean, "", start_tls_keys,
      "Lays TLS over the stream from here on: a handshake. From then on all stream steps send and "
      "receive plain text through it.",
      R"({ "start_tls": { "alpn": ["h2"] }, "expect": { "fields": { "alpn": "h2" } } })"));
  rows.push_back(with(
      stream("stop_tls", trait::works_on, submits | on, handshake_ops, compile_stop_tls),
      j::boolean, "", {}, "Sends a close_notify, waits for the peer's, and goes on in clear text.",
      R"({ "stop_tls": true, "timeout": "1s" })"));
  return rows;
}

}  // namespace rows
}  // namespace scenarios
