#include "scenarios/wire/proxy_loop.hpp"

#include <fmt/format.h>

namespace scenarios {
namespace {

std::optional<std::size_t> next_of(std::span<const proxy_path> all, const proxy_path& from) {
  if (from.dials) return from.dials;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (from.to && all[i].listen && leads_to(*from.to, *all[i].listen)) return i;
  return std::nullopt;
}

}  // namespace

bool leads_to(const uring::socket_address& to, const uring::socket_address& listen) {
  if (to.is_datagram() != listen.is_datagram() || to.is_unix() != listen.is_unix()) return false;
  if (to.is_unix()) return !to.is_nameless() && to == listen;
  if (to.port() == 0 || to.port() != listen.port()) return false;
  // Another machine may have the same port.
  const bool is_here = to.is_loopback() || to.is_every_address();
  const bool both_kinds = listen.family() == AF_INET6;  // a socket of [::] takes IPv4, too
  return to == listen ||
         (is_here && listen.is_every_address() && (both_kinds || to.family() == listen.family()));
}

std::string proxy_circle(std::span<const proxy_path> all, std::size_t start) {
  std::string way = all[start].name;
  std::size_t at = start;
  for (std::size_t steps = 0; steps < all.size(); ++steps) {
    const std::optional<std::size_t> next = next_of(all, all[at]);
    if (!next) return {};
    at = *next;
    way += " → " + all[at].name;
    if (at == start) return way;
  }
  return {};
}

std::string circle_message(std::string_view circle) {
  return fmt::format("a connection would go {} and never come to an end", circle);
}

}  // namespace scenarios
