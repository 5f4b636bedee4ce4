// Rules of `wire.*`: which connections they hit, held against the proxies and who dials them.

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "scenarios/endpoint.hpp"
#include "scenarios/faults/compile_rule.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"
#include "scenarios/wire/wire_effect.hpp"

namespace scenarios {
namespace {

std::string_view base_of(std::string_view actor) {
  return actor.substr(0, actor.find('['));
}

wire_carrier carrier_of(const relay_plan& proxy) {
  const auto where = known_endpoint(proxy.listen);
  if (!where) return wire_carrier::unknown;
  return where->address.is_datagram() ? wire_carrier::datagram : wire_carrier::stream;
}

/// How much is known at load of whether it goes through a proxy.
enum class route : std::uint8_t { direct, proxied, unknown };

route route_of(const name_table& names, const expression& to, const relay_plan& proxy) {
  const auto reads = to.reads();
  const auto is_slot = [&](const name_target& of) {
    return std::ranges::any_of(reads, [&](const slot_ref& slot) {
      return slot.space == shared_space && slot.index == of.shared;
    });
  };
  if (is_slot(proxy.addr) || is_slot(proxy.port)) return route::proxied;
  if (!to.is_valid()) return route::unknown;
  if (to.is_constant()) {
    const auto target = known_endpoint(to);
    const auto where = known_endpoint(proxy.listen);
    return target && where && target->address == where->address ? route::proxied : route::direct;
  }
  // The whole address of somebody else; what is put together may be anything.
  const bool is_other = std::ranges::any_of(names.parties(), [&](const named_party& each) {
    return each.addr.shared != no_index && is_slot(each.addr);
  });
  return is_other && reads.size() == 1 ? route::direct : route::unknown;
}

/// Whether the text has the name where an expression could: "px." or "px[".
bool mentions(std::string_view text, std::string_view name) {
  const auto is_part = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
  };
  for (std::size_t at = text.find(name); at != std::string_view::npos;
       at = text.find(name, at + 1)) {
    const bool begins = at == 0 || !is_part(text[at - 1]);
    const std::size_t next = text.find_first_not_of(" \t\r\n", at + name.size());
    if (begins && next != std::string_view::npos && (text[next] == '.' || text[next] == '['))
      return true;
  }
  return false;
}

/// The kernel chooses where it listens, and no expression of the scenario asks where that is.
bool is_nowhere_named(const relay_plan& proxy, const plan& of) {
  const auto where = known_endpoint(proxy.listen);
  if (!where || !(where->address.is_any_port() || where->address.is_nameless())) return false;
  const auto is_in = [&](const auto& text) {
    return text != nullptr && mentions(text->text(), proxy.name);
  };
  return proxy.at.in != nullptr && !is_in(proxy.at.in) && std::ranges::none_of(of.included, is_in);
}

}  // namespace

void fault_compiler::compile_relay_effect(const checked_object& keys) {
  made_.effect = relay_effect{};
  if (!keys.sound()) return;
  wire_carrier carrier = wire_carrier::unknown;
  bool first = true;
  for (const relay_plan& each : in_.into.proxies) {
    if (!made_.where.proxy.empty() && made_.where.proxy != each.name) continue;
    const wire_carrier its = carrier_of(each);
    carrier = first || carrier == its ? its : wire_carrier::unknown;
    first = false;
  }
  auto effect = compile_wire_effect(from_, scope_, carrier);
  if (!effect) return;
  if (const node* target = keys.find("fault"); target != nullptr && !effect->target.empty())
    in_.fault_uses.push_back({effect->target, target->at(), false, true});
  made_.effect = relay_effect{std::make_shared<const wire_effect>(*std::move(effect))};
}

bool fault_compiler::has_proxies() {
  if (!in_.into.proxies.empty()) return true;
  out_.error(code::fault_needs_proxy, from_.at(),
             fmt::format("{} needs a proxy, and the scenario has none", row_->name))
      .help = R"("proxies": { "px": { "listen": "tcp://127.0.0.1:0", "to": "${srv.addr}" } })";
  return false;
}

void fault_compiler::compile_wire_where(const checked_object& keys) {
  for (const char* key : {"op", "step", "service", "fd_kind", "peer", "ring"}) {
    if (const member* m = keys.find_member(key)) {
      out_.error(code::conflicting_keys, m->key_at,
                 fmt::format("{} hits connections, not {}", row_->name,
                             *key == 's' && key[1] == 'e' ? "services" : "operations"))
          .help =
          "name a proxy, a conn, or the actor that dialled; \"after\": { \"step\": … } "
          "waits for a step";
    }
  }
  if (const node* proxy = keys.find("proxy")) {
    if (find_proxy(in_, proxy->text(), proxy->at()) != nullptr) made_.where.proxy = proxy->text();
  }
  if (const node* actor = keys.find("actor")) {
    actor_at_ = actor->at();
    made_.where.actor = scope_.read_text(*actor, "an actor").value_or("");
  }
  if (const node* conn = keys.find("conn")) compile_wire_conn(*conn);
}

/// px#2, c1.conn, c1.conn#2.
void fault_compiler::compile_wire_conn(const node& from) {
  const auto text = scope_.read_text(from, "a connection");
  if (!text) return;
  conn_at_ = from.at();
  const std::size_t mark = text->rfind('#');
  const std::string whose = text->substr(0, mark);
  const auto number = mark == std::string::npos
                          ? std::optional(occurrence_range{})
                          : parse_occurrences(std::string_view(*text).substr(mark + 1));
  const bool spelt_otherwise = mark != std::string::npos && (*text)[mark + 1] == '0';
  if (!number || number->ranged || spelt_otherwise || whose.starts_with('.') ||
      (mark == std::string::npos && whose.find('.') == std::string::npos)) {
    out_.error(code::bad_name, from.at(), "a connection is written actor.name, or proxy#number")
        .help = "c1.conn is what the client c1 dialled, px#2 the second that px accepted";
    return;
  }
  if (whose.find('.') != std::string::npos) {
    made_.where.conn = *text;
    return;
  }
  if (find_proxy(in_, whose, from.at()) == nullptr) return;
  made_.where.conn = *text;
  made_.where.proxy = whose;
  // By the order of accepting: which of several actors comes second is nobody's choice.
  const auto proxy = std::ranges::find(in_.into.proxies, whose, &relay_plan::name);
  std::vector<std::string> diallers;
  for (const dial_seen& each : in_.dials) {
    if (route_of(in_.names, each.to, *proxy) != route::proxied) continue;
    for (const actor_plan& actor : in_.into.actors)
      if (actor.base == each.actor && std::ranges::find(diallers, actor.name) == diallers.end())
        diallers.push_back(actor.name);
  }
  if (diallers.size() < 2) return;
  out_.error(code::fault_inexact, from.at(),
             fmt::format("{} is another connection from run to run: {} and {} dial {} beside each "
                         "other",
                         *text, diallers[0], diallers[1], whose))
      .help = fmt::format("name it by who dialled: \"{}.conn\"", diallers[0]);
}

/// Somebody dials a proxy that the rule is of.
bool fault_compiler::has_dialler() const {
  const fault_where& where = made_.where;
  const std::string name = where.conn.substr(0, where.conn.rfind('#'));
  const std::size_t dot = name.find('.');
  for (const dial_seen& each : in_.dials) {
    if (!where.actor.empty() && each.actor != base_of(where.actor)) continue;
    if (dot != std::string::npos &&
        (each.actor != base_of(name.substr(0, dot)) || each.handle != name.substr(dot + 1)))
      continue;
    for (const relay_plan& proxy : in_.into.proxies) {
      if (!where.proxy.empty() && where.proxy != proxy.name) continue;
      if (route_of(in_.names, each.to, proxy) != route::direct) return true;
    }
  }
  return false;
}

void fault_compiler::check_wire_victims() {
  const fault_where& where = made_.where;
  const std::size_t dot = where.conn.find('.');
  const bool by_conn = dot != std::string::npos;
  const std::string actor = by_conn ? where.conn.substr(0, dot) : where.actor;
  if (row_->name == "wire.refuse" && (!where.conn.empty() || !actor.empty())) {
    out_.error(code::rule_cannot_match, by_conn || actor.empty() ? conn_at_ : actor_at_,
               "wire.refuse hits nobody who is connected")
        .help = "`where` names a proxy; nth: 3 refuses from the third connection on";
    return;
  }
  // Of programs nobody knows whom they dial; only that they can't know a port that nobody names.
  if (actor.empty()) return check_proxies_are_named();
  const span at = by_conn ? conn_at_ : actor_at_;
  const auto is_it = [&](const actor_plan& each) {
    return each.name == actor || each.base == actor;
  };
  const auto of = std::ranges::find_if(in_.into.actors, is_it);
  if (of == in_.into.actors.end()) {
    std::vector<std::string_view> names;
    names.reserve(in_.into.actors.size());
    for (const actor_plan& each : in_.into.actors) names.push_back(each.base);
    out_.error(code::rule_cannot_match, at, fmt::format("there is no actor {}", in_quotes(actor)))
        .help = suggestion(actor, names);
    return;
  }
  // A socket of datagrams sends to whom it likes.
  if (of->kind == actor_kind::peer || has_dialler()) return;
  if (by_conn) {
    const std::string name = where.conn.substr(dot + 1, where.conn.rfind('#') - dot - 1);
    const bool there = of->body != nullptr &&
                       std::ranges::find(of->body->handles, name) != of->body->handles.end();
    if (!there) {
      out_.error(code::rule_cannot_match, at,
                 fmt::format("{} has nothing that is called {}", actor, in_quotes(name)));
      return;
    }
  }
  const std::string what = by_conn ? where.conn : "what " + actor + " dials";
  const std::string which =
      where.proxy.empty() ? std::string("a proxy") : "the proxy " + where.proxy;
  out_.error(code::fault_needs_proxy, at, fmt::format("{} does not go through {}", what, which))
      .help = fmt::format("let {} connect to ${{{}.addr}}", actor,
                          where.proxy.empty() ? in_.into.proxies.front().name : where.proxy);
}

/// A rule needs a proxy that somebody can dial.
void fault_compiler::check_proxies_are_named() {
  if (made_.wire()->what == nullptr) return;  // told
  const relay_plan* lonely = nullptr;
  for (const relay_plan& each : in_.into.proxies) {
    if (!made_.where.proxy.empty() && made_.where.proxy != each.name) continue;
    if (!is_nowhere_named(each, in_.into)) return;
    if (lonely == nullptr) lonely = &each;
  }
  if (lonely == nullptr) return;
  const node* where = from_.find("where");
  const node* proxy = where != nullptr ? where->find("proxy") : nullptr;
  const span at = proxy != nullptr ? proxy->at() : conn_at_.in != nullptr ? conn_at_ : made_.at;
  out_.error(code::fault_needs_proxy, at,
             fmt::format("nobody dials the proxy {0}: the kernel chooses its port, and nothing "
                         "names ${{{0}.addr}}",
                         lonely->name))
      .help = fmt::format(
      "let a client or a service connect to ${{{0}.addr}} or ${{{0}.port}}, or "
      "give {0} a port that the dialling program knows",
      lonely->name);
}

/// Some faults are decided when a connection begins, or concern nobody who is connected.
void fault_compiler::check_wire_when(const node& when) {
  if (made_.wire()->what == nullptr) return;  // told
  const wire_fault_row& row = row_of(made_.wire()->what->type);
  const auto wrong = [&](std::string_view key, std::string_view why) {
    out_.error(code::rule_cannot_match, when.at(),
               fmt::format("{} has no meaning for {}: {}", in_quotes(key), row_->name, why));
  };
  if (row.stage == wire_stage::connect && made_.when.bytes.any())
    wrong(made_.when.bytes.match != nullptr ? "match" : "after_bytes",
          "it is decided before bytes have passed");
  const bool set_off = !made_.armed || made_.when.at || made_.when.window || made_.when.after;
  if (set_off && (row.type == wire_fault::refuse || row.type == wire_fault::heal)) {
    if (!made_.when.nth.has_all()) wrong("nth", "it happens when it is set off");
    if (made_.when.p) wrong("p", "it happens when it is set off");
  }
  if (row.type != wire_fault::refuse) return;
  if (made_.when.bytes.any())
    wrong(made_.when.bytes.match != nullptr ? "match" : "after_bytes", "nobody is connected");
  if (made_.when.p) wrong("p", "who is refused is never seen");
}

}  // namespace scenarios
