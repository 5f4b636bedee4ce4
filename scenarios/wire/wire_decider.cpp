#include "scenarios/wire/wire_decider.hpp"

#include <fmt/format.h>

#include "engine/draw.hpp"

namespace scenarios {

std::string wire_link::label() const {
  return actor.empty() || ordinal == 1 ? name : fmt::format("{}#{}", name, ordinal);
}

bool wire_link::is_called(std::string_view conn) const {
  if (conn == fmt::format("{}#{}", proxy, number)) return true;
  if (actor.empty()) return false;
  if (const std::size_t mark = conn.rfind('#'); mark != std::string_view::npos) {
    if (conn.substr(mark + 1) != std::to_string(ordinal)) return false;
    conn = conn.substr(0, mark);
  }
  return conn == name || conn == fmt::format("{}.{}", base, handle);
}

std::uint64_t wire_link::key() const {
  if (actor.empty()) return number;
  return uring::draw_bits(uring::hash_identity(uring::hash_identity(0, proxy), name), ordinal);
}

wire_hit of_link(wire_hit hit, const wire_link& link) {
  hit.seed = uring::draw_bits(hit.seed, link.key());
  return hit;
}

uring::task<void> wire_decider::identify(wire_link& /*link*/, const uring::socket_address& /*peer*/,
                                         const uring::socket_address& /*at*/) {
  co_return;
}

void wire_decider::dialled(const wire_link& /*link*/, const uring::socket_address& /*local*/,
                           const uring::socket_address& /*server*/) {}

}  // namespace scenarios
