#include "runner/footprint.hpp"

#include <algorithm>

namespace runner {
namespace {

using scenarios::actor_kind;
using scenarios::actor_plan;

// A service's pidfd, two pipes, and what looks whether it is ready.
constexpr std::size_t service_descriptors = 6;
// Programs of steps are mostly few, and not all at once.
constexpr std::size_t program_descriptors = 4 * service_descriptors;
// Of a ring of its own, its waker's, and what looks at the namespace.
constexpr std::size_t apart_descriptors = 4;
// Of a proxy: what it listens on, and for each connection the one that it dials.
constexpr std::size_t link_descriptors = 2;
// A signed count in a plan is bounded, but the product of two need not be sensible.
constexpr std::size_t descriptors_max = 1U << 20U;

std::size_t of_actor(const actor_plan& actor, std::size_t clients) {
  const std::size_t strand = std::max<std::size_t>(actor.body->handles.size(), 1);
  if (actor.kind != actor_kind::server) return strand;
  const bool each = actor.server->accept_each;
  return 1 + strand * (each ? clients : std::size_t{actor.server->accept});
}

}  // namespace

footprint estimate(const scenarios::plan& of) {
  footprint made;
  const auto clients = static_cast<std::size_t>(
      std::ranges::count(of.actors, actor_kind::client, &actor_plan::kind));
  made.descriptors = of.setup.handles.size() + of.teardown.handles.size() +
                     of.services.size() * service_descriptors;
  for (const actor_plan& actor : of.actors) made.descriptors += of_actor(actor, clients);
  if (of.starts_programs) made.descriptors += program_descriptors;
  if (of.private_net || of.own_loop) made.descriptors += apart_descriptors;
  made.descriptors += of.proxies.size() * (1 + clients * link_descriptors);
  made.descriptors = std::min(made.descriptors, descriptors_max);
  made.heavy = !of.services.empty() || of.starts_programs || of.private_net;
  return made;
}

}  // namespace runner
