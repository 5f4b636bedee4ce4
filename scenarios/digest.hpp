// Digests and message authentication, by OpenSSL's libcrypto.
//
// Pure functions on bytes; callable from any thread. Without an algorithm (md5 in a FIPS build)
// they yield the reason instead.
#pragma once

#include <string>
#include <string_view>

#include "scenarios/expression.hpp"

namespace scenarios {

/// The digest's octets. `algorithm` is "md5", "sha1", "sha256" or another that libcrypto knows.
evaluation digest_of(std::string_view algorithm, std::string_view data);
/// HMAC of RFC 2104.
evaluation hmac_of(std::string_view algorithm, std::string_view key, std::string_view data);

}  // namespace scenarios
