// Certificates that the program makes itself: self-signed, for tests that care about TLS but not
// about certificates.
//
// One for each name, made at first use and kept as long as the process, so that a client that
// trusts `auto` trusts what an `auto` server of the same run presents. The key never leaves the
// process unless a scenario writes it into a service's file. Callable from any thread.
#pragma once

#include <string>

namespace scenarios {

struct certificate {
  std::string cert;  // PEM
  std::string key;   // PEM, PKCS #8
};

/// For `name` (may be empty), localhost, 127.0.0.1 and ::1: an ECDSA P-256 key, signed by itself.
/// The common name is `name`, or localhost.
const certificate& automatic_certificate(const std::string& name);

}  // namespace scenarios
