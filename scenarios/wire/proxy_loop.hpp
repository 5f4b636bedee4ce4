// Proxies that dial each other in a circle: the first connection would never come to an end.
//
// Held against written-out addresses, and proxies named by ${px.addr}, when a file is loaded. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/socket_address.hpp"

namespace scenarios {

struct proxy_path {
  std::string name;
  std::optional<uring::socket_address> listen;  // nothing: not known yet
  std::optional<uring::socket_address> to;
  std::optional<std::size_t> dials;  // another of them, named by an expression
};

/// Whether who dials `to` reaches who listens there: the same address, or every one of this
/// machine.
bool leads_to(const uring::socket_address& to, const uring::socket_address& listen);
/// Where the proxy `start` comes back to itself: "px → py → px"; else empty.
std::string proxy_circle(std::span<const proxy_path> all, std::size_t start);
/// The diagnostic's words for such a way.
std::string circle_message(std::string_view circle);

}  // namespace scenarios
