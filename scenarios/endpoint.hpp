// An address as scenarios write it: a socket address, and whether TLS is spoken there.
//
// The engine knows sockets only; `tls://HOST:PORT` is the language's word for TLS over tcp://.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/socket_address.hpp"
#include "scenarios/expression.hpp"

namespace scenarios {

struct endpoint {
  uring::socket_address address;
  bool tls = false;

  /// `tls://…` for TCP with TLS. TLS over a Unix socket has no scheme of its own.
  std::string url() const;
};

/// Nothing when the text is not an address; `reason` then says why, in a phrase.
std::optional<endpoint> parse_endpoint(std::string_view url, std::string& reason);

/// What an expression is known to be when the file is loaded; nothing when it is not, or no
/// address.
std::optional<endpoint> known_endpoint(const expression& from);

/// The host without port and brackets: what a certificate's name is held against when the scenario
/// names nobody. A Unix socket is at "localhost".
std::string host_of(const uring::socket_address& address);

}  // namespace scenarios
