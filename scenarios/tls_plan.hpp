// What the language says about TLS, as the plan holds it.
//
// A tls_context is made when the file is loaded, so that a wrong certificate or key is told before
// anything runs. Contexts never change and are shared by all connections of their step or actor.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace scenarios {

class tls_context;

enum class tls_role : std::uint8_t { client, server };

/// What certificates of the other end are held against.
enum class tls_trust : std::uint8_t {
  automatic,  // the certificates that this process makes itself
  system,     // what the machine trusts
  given       // the PEM in `ca`
};

struct tls_settings {
  tls_role role = tls_role::client;
  std::string
      server_name;        // client: SNI and the name to verify; server: of an automatic certificate
  std::string cert, key;  // PEM; both empty: none
  bool automatic_cert = false;
  tls_trust trust = tls_trust::automatic;
  std::string ca;      // PEM, where the trust is given
  bool verify = true;  // server: a certificate of the client is asked for, and needed
  std::vector<std::string> alpn;
  int min = 0, max = 0;       // protocol versions as OpenSSL counts them
  std::uint32_t tickets = 0;  // server: session tickets after the handshake
};

struct start_tls_step {
  std::shared_ptr<const tls_context> context;
  bool residue_allowed = false;  // bytes that came before it are read as TLS
};
struct stop_tls_step {};

}  // namespace scenarios
