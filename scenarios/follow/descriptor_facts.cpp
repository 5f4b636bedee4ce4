#include "scenarios/follow/descriptor_facts.hpp"

#include <fcntl.h>
#include <liburing.h>

#include <algorithm>
#include <cctype>

#include "engine/kernel_compat.hpp"
#include "scenarios/endpoint.hpp"
#include "scenarios/inner_blocks.hpp"
#include "scenarios/make_table.hpp"

namespace scenarios::follow {
namespace {

struct endpoint_words {
  carrier what = carrier::unknown;
  int family = AF_UNSPEC;
  std::optional<bool> tls = {};
};

/// The scheme of an address stands at its beginning, even where the rest is computed.
endpoint_words words_at(const expression& to) {
  const std::string_view text = to.at().in != nullptr ? to.at().text() : std::string_view();
  const auto begins = [&](std::string_view scheme) {
    return text.size() > scheme.size() && text.substr(1).starts_with(scheme);
  };
  if (begins("unix://")) return {carrier::stream, AF_UNIX, false};
  if (begins("unixgram://")) return {carrier::datagrams, AF_UNIX, false};
  const bool six = text.find("://[") != std::string_view::npos;
  // A host that is computed may be of either family.
  const bool is_open = text.find("://$") != std::string_view::npos;
  const int family = is_open ? AF_UNSPEC : six ? AF_INET6 : AF_INET;
  if (begins("tcp://")) return {carrier::stream, family, false};
  if (begins("tls://")) return {carrier::stream, family, true};
  if (begins("udp://")) return {carrier::datagrams, family, false};
  return {};
}

/// Something that is no socket.
descriptor_facts thing(object is, bool reads = true, bool writes = true) {
  return {.is = is, .reads = reads, .writes = writes};
}

descriptor_facts connection(carrier what, int family, std::optional<bool> tls) {
  const int type = what == carrier::datagrams ? SOCK_DGRAM
                   : what == carrier::unknown ? 0
                                              : SOCK_STREAM;
  return {.is = object::socket, .what = what, .family = family, .type = type, .tls = tls};
}

/// Ends of pipes come in turn: to read, to write.
descriptor_facts pipe_end(std::size_t which) {
  return thing(object::pipe, which % 2 == 0, which % 2 == 1);
}

descriptor_facts facts_of_make(const make_step& step, std::size_t which) {
  if (step.row == nullptr) return {};
  switch (step.row->kind) {
    case make_kind::socketpair:
      return {.is = object::socket};
    case make_kind::pipe:
    case make_kind::pair_of_pipes:
      return pipe_end(which);
    case make_kind::eventfd:
      return thing(object::other);
    case make_kind::timerfd:
    case make_kind::inotify:
      return thing(object::other, true, false);
    case make_kind::epoll:
      return thing(object::epoll, false, false);
    case make_kind::memfd:
      return thing(object::memory);
    case make_kind::child:
      return thing(object::other, false, false);
    case make_kind::fifo:
    case make_kind::futex:
      break;
  }
  return {};
}

descriptor_facts facts_of_open(const sqe_step& step) {
  descriptor_facts made = thing(object::opened);
  auto flags = known_field(step.fields, "open_flags");
  for (const sqe_field& field : step.fields)
    if (field.row->kind == uring::field_kind::open_how)
      flags = known_field(field.parts, "open_flags");
  if (!flags) return made;
  made.reads = (*flags & O_ACCMODE) != O_WRONLY && (*flags & O_PATH) == 0;
  made.writes = (*flags & O_ACCMODE) != O_RDONLY && (*flags & O_PATH) == 0;
  return made;
}

descriptor_facts facts_of_socket(const sqe_step& step) {
  descriptor_facts made{.is = object::socket};
  const auto domain = known_field(step.fields, "domain");
  const auto type = known_field(step.fields, "type");
  const auto protocol = known_field(step.fields, "protocol");
  if (!domain || !type || !protocol) return made;
  const bool usual = *domain == AF_INET || *domain == AF_INET6 || *domain == AF_UNIX;
  const auto kind = static_cast<int>(*type & ~std::uint64_t{SOCK_NONBLOCK | SOCK_CLOEXEC});
  if (!usual || *protocol != 0 || (kind != SOCK_STREAM && kind != SOCK_DGRAM)) return made;
  made.family = static_cast<int>(*domain);
  made.type = kind;
  made.is_fresh = kind == SOCK_STREAM;
  return made;
}

descriptor_facts facts_of_single(const sqe_step& step, const descriptor_facts* on,
                                 std::size_t which) {
  if (step.row == nullptr) return {};
  switch (step.row->opcode) {
    case IORING_OP_OPENAT:
    case IORING_OP_OPENAT2:
      return facts_of_open(step);
    case IORING_OP_SOCKET:
      return facts_of_socket(step);
    case uring::compat::op_pipe:
      return pipe_end(which);
    case IORING_OP_ACCEPT:
      return {.is = object::socket, .family = on != nullptr ? on->family : AF_UNSPEC};
    default:
      return {};
  }
}

descriptor_facts facts_of_listen(const listen_step& step) {
  const endpoint_words words = words_at(step.address);
  return connection(carrier::listener, words.family, step.tls != nullptr ? true : words.tls);
}

listener_facts facts_at(const expression& address, bool is_peer,
                        std::shared_ptr<const tls_context> tls) {
  listener_facts made;
  made.what = is_peer ? carrier::datagrams : carrier::stream;
  const endpoint_words words = words_at(address);
  made.family = words.family;
  made.tls = words.tls;
  if (tls != nullptr) made.tls = true;
  made.speaks_tls = made.tls;
  made.context = std::move(tls);
  return made;
}

/// Of listeners that steps make, whose addresses others read.
void find_made(const strand_plan& of, listener_map& into) {
  for (const handle_property& property : of.properties) {
    if (property.what != handle_value::addr || property.to.shared == no_index) continue;
    const auto made = std::ranges::find(of.steps, property.handle, &step_plan::as_handle);
    const auto* listens = made != of.steps.end() ? std::get_if<listen_step>(&made->body) : nullptr;
    if (listens == nullptr) continue;
    listener_facts facts = facts_at(listens->address, false, listens->tls);
    facts.may_start_tls = begins_tls(of.steps);
    into[property.to.shared] = std::move(facts);
  }
}

/// The one name in it, where it is one name: "${srv.addr}", "tcp://127.0.0.1:${srv.port}".
std::string_view name_in(std::string_view text) {
  const std::size_t begin = text.find("${");
  if (begin == std::string_view::npos || !text.ends_with("}\"")) return {};
  const std::string_view name = text.substr(begin + 2, text.size() - begin - 4);
  const bool is_bare = std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
  });
  const bool alone = begin == 1 || text[begin - 1] == ':';
  return is_bare && alone ? name : std::string_view();
}

/// The shared slot of that name; nothing where the address is computed in any other way.
std::optional<std::uint32_t> slot_of(const expression& to) {
  const auto reads = to.reads();
  if (reads.size() != 1 || reads.front().space != shared_space || to.at().in == nullptr ||
      name_in(to.at().text()).empty())
    return std::nullopt;
  return reads.front().index;
}

}  // namespace

descriptor_facts descriptor_facts::lasting(bool opens) const {
  descriptor_facts kept;
  kept.is = is;
  kept.what = what;
  kept.family = family;
  kept.type = type;
  kept.reads = reads;
  kept.writes = writes;
  kept.made_by = made_by;
  kept.ended_by = ended_by;
  kept.stdin_closed_by = stdin_closed_by;
  if (!opens) kept.closed_by = closed_by;
  return kept;
}

bool begins_tls(const block& steps) {
  return std::ranges::any_of(steps, [](const step_plan& step) {
    bool any = std::holds_alternative<start_tls_step>(step.body);
    for_each_block(step.body, [&](const block& inner) { any |= begins_tls(inner); });
    return any;
  });
}

listener_map find_listeners(const plan& of) {
  listener_map found;
  for (const actor_plan& actor : of.actors) {
    if (actor.server) {
      listener_facts facts = facts_at(actor.server->address, false, actor.server->tls);
      facts.may_start_tls = actor.body != nullptr && begins_tls(actor.body->steps);
      facts.name = actor.name;
      found[actor.server->addr.shared] = facts;
      facts.is_port = true;
      found[actor.server->port.shared] = std::move(facts);
    } else if (actor.peer && actor.peer->addr.shared != no_index) {
      found[actor.peer->addr.shared] = facts_at(actor.peer->address, true, nullptr);
    }
    if (actor.body != nullptr && !actor.server) find_made(*actor.body, found);
  }
  find_made(of.setup, found);
  // A chain of proxies has an end, and none is longer than there are proxies.
  for (std::size_t i = 0; i < of.proxies.size(); ++i) {
    for (const relay_plan& proxy : of.proxies) {
      const auto slot = proxy.to.is_valid() ? slot_of(proxy.to) : std::nullopt;
      const auto to = slot ? found.find(*slot) : found.end();
      if (to == found.end()) continue;
      listener_facts through = to->second;
      const auto own = known_endpoint(proxy.listen);
      through.family = own ? own->address.family() : AF_UNSPEC;
      through.tls = false;  // it carries what comes
      found[proxy.addr.shared] = std::move(through);
    }
  }
  return found;
}

dialled find_dialled(const listener_map& listeners, const expression& to) {
  if (!to.is_valid()) return {};
  if (const auto known = known_endpoint(to))
    return {known->address.is_datagram() ? carrier::datagrams : carrier::stream,
            known->address.family(), known->tls, nullptr};
  const auto slot = slot_of(to);
  const auto found = slot ? listeners.find(*slot) : listeners.end();
  const endpoint_words words = words_at(to);
  if (found == listeners.end()) return {words.what, words.family, words.tls, nullptr};
  const listener_facts& facts = found->second;
  // Of a port that stands in a written address, the address says how it is dialled.
  if (facts.is_port) return {words.what, words.family, words.tls, &facts};
  return {facts.what, facts.family, facts.tls, &facts};
}

descriptor_facts facts_of(const listener_map& listeners, const step_plan& step,
                          const descriptor_facts* on) {
  descriptor_facts made;
  if (std::holds_alternative<accept_step>(step.body)) {
    made = connection(carrier::stream, on != nullptr ? on->family : AF_UNSPEC,
                      on != nullptr ? on->tls : std::nullopt);
  } else if (const auto* connects = std::get_if<connect_step>(&step.body)) {
    const dialled there = find_dialled(listeners, connects->to);
    made = connection(there.what, there.family, there.tls);
    if (connects->tls != nullptr) made.tls = true;
  } else if (const auto* listens = std::get_if<listen_step>(&step.body)) {
    made = facts_of_listen(*listens);
  } else if (const auto* make = std::get_if<make_step>(&step.body)) {
    made = facts_of_make(*make, 0);
  } else if (const auto* single = std::get_if<sqe_step>(&step.body)) {
    made = facts_of_single(*single, on, 0);
  } else if (std::holds_alternative<spawn_step>(step.body)) {
    made = thing(object::program);
  }
  made.made_by = &step;
  return made;
}

descriptor_facts facts_of_further(const step_plan& step, std::size_t which) {
  descriptor_facts made;
  if (const auto* make = std::get_if<make_step>(&step.body)) {
    made = facts_of_make(*make, which);
  } else if (const auto* single = std::get_if<sqe_step>(&step.body)) {
    made = facts_of_single(*single, nullptr, which);
  }
  made.made_by = &step;
  return made;
}

descriptor_facts common(const descriptor_facts& a, const descriptor_facts& b) {
  descriptor_facts made;
  if (a.is == b.is) made.is = a.is;
  if (a.what == b.what) made.what = a.what;
  if (a.family == b.family) made.family = a.family;
  if (a.type == b.type) made.type = a.type;
  made.is_fresh = a.is_fresh && b.is_fresh;
  made.reads = a.reads || b.reads;
  made.writes = a.writes || b.writes;
  if (a.tls == b.tls) made.tls = a.tls;
  const auto same = [](const step_plan* one, const step_plan* other) {
    return one == other ? one : nullptr;
  };
  made.made_by = same(a.made_by, b.made_by);
  made.tls_by = same(a.tls_by, b.tls_by);
  made.closed_by = same(a.closed_by, b.closed_by);
  made.shut_by = same(a.shut_by, b.shut_by);
  made.ended_by = same(a.ended_by, b.ended_by);
  made.stdin_closed_by = same(a.stdin_closed_by, b.stdin_closed_by);
  return made;
}

facts_map common(const facts_map& a, const facts_map& b) {
  facts_map made;
  for (const auto& [handle, facts] : a)
    if (const auto other = b.find(handle); other != b.end())
      made.emplace(handle, common(facts, other->second));
  return made;
}

std::optional<std::uint64_t> known_field(const std::vector<sqe_field>& of, std::string_view name) {
  const auto found =
      std::ranges::find_if(of, [&](const sqe_field& field) { return field.row->name == name; });
  if (found == of.end()) return 0;
  if (!found->is_constant || found->bad_address) return std::nullopt;
  return found->constant;
}

}  // namespace scenarios::follow
