#include "scenarios/wire/proxy_host.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/errno_name.hpp"
#include "scenarios/counted.hpp"
#include "scenarios/document.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"
#include "scenarios/wire/listen_remedy.hpp"

namespace scenarios {
namespace {

// In the order of the file: the first rule wins.
using object = nlohmann::ordered_json;
using uring::task;

constexpr std::size_t line_max = 1U << 20U;
constexpr int waiting_max = 16;

uring::socket_address control_address(const std::string& path) {
  std::string reason;
  return uring::socket_address::parse("unix://" + path, reason).value_or(uring::socket_address());
}

std::string error_text(int error) {
  const char* const name = uring::errno_name(error);
  return fmt::format("{}{}{}", std::strerror(error), name != nullptr ? ", " : "",
                     name != nullptr ? name : "");
}

/// Only who may send us signals may send us commands.
bool is_trusted(int client) {
  ucred peer{};
  socklen_t length = sizeof(peer);
  return getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
         (peer.uid == ::geteuid() || peer.uid == 0);
}

object failure(std::string_view why) {
  return {{"ok", false}, {"error", why}};
}

std::string text_at(const object& asked, std::string_view key) {
  const auto found = asked.is_object() ? asked.find(key) : asked.end();
  return asked.is_object() && found != asked.end() && found->is_string() ? found->get<std::string>()
                                                                         : std::string();
}

/// What is wrong with it; empty: nothing. A heal of something unsaid would be one of everything.
std::string misuse(const proxy_command& command, const object& asked) {
  for (const auto& [key, value] : asked.items()) {
    if (key == "command") continue;
    if (key != command.argument) return fmt::format("{} takes no {}", command.name, in_quotes(key));
    const bool fits =
        command.verb == proxy_verb::add ? value.is_object() : !text_at(asked, key).empty();
    if (!fits) return fmt::format("{} is to be {}", in_quotes(key), command.argument_is);
  }
  if (!command.needs_argument || asked.contains(command.argument)) return {};
  return fmt::format("{} needs {}: {}", command.name, in_quotes(command.argument),
                     command.argument_is);
}

std::string errno_text(int error) {
  const char* const name = uring::errno_name(error);
  return name != nullptr ? name : std::to_string(error);
}

}  // namespace

proxy_host::proxy_host(uring::loop& on, proxy_plan what, trouble_log::teller tell)
    : loop_(on), plan_(std::move(what)), rules_(plan_.seed, std::move(tell)) {
  for (wire_rule& each : std::exchange(plan_.rules, {})) rules_.add(std::move(each));
  for (const proxy_spec& each : plan_.proxies) {
    relays_.push_back(make_relay(loop_, {each.name, each.listen, each.to}, rules_));
    rules_.attach(*relays_.back());
  }
}

proxy_host::~proxy_host() {
  close_control();
}

void proxy_host::close_control() {
  if (control_ < 0) return;
  ::close(std::exchange(control_, -1));
  ::unlink(plan_.control.c_str());
}

bool proxy_host::open(diagnostics& out) {
  const auto tell = [&](const std::string& what, const uring::socket_address& where, int error) {
    out.error(code::address_unavailable, {},
              fmt::format("{} can't be listened on: {}", what, error_text(error)))
        .help = listen_remedy(where, error);
    return false;
  };
  for (std::size_t i = 0; i < relays_.size(); ++i) {
    const int error = relays_[i]->open();
    if (error != 0)
      return tell(fmt::format("{} of the proxy {}", plan_.proxies[i].listen.url(),
                              in_quotes(plan_.proxies[i].name)),
                  plan_.proxies[i].listen, -error);
  }
  if (plan_.control.empty()) return true;
  const int error = open_control();
  return error == 0 || tell(fmt::format("the control socket {}", in_quotes(plan_.control)),
                            control_address(plan_.control), -error);
}

int proxy_host::open_control() {
  const uring::socket_address where = control_address(plan_.control);
  if (where.family() != AF_UNIX) return -EINVAL;
  control_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (control_ < 0) return -errno;
  // Nobody else may connect, not even in the moment before a chmod.
  const mode_t before = ::umask(0177);
  const bool bound = ::bind(control_, where.data(), where.length()) == 0;
  const int error = errno;
  ::umask(before);
  if (!bound) {
    ::close(std::exchange(control_, -1));
    return -error;
  }
  return ::listen(control_, waiting_max) == 0 ? 0 : -errno;
}

task<void> proxy_host::run() {
  uring::scope all;
  for (const auto& each : relays_) all.spawn(each->run());
  all.spawn(rules_.run(loop_, stop_));
  if (control_ >= 0) all.spawn(take_commands());
  co_await all.join();
}

void proxy_host::stop() {
  for (const auto& each : relays_) each->stop();
  stop_.request_stop();
}

// ---- Commands ----------------------------------------------------------------------------------

task<void> proxy_host::take_commands() {
  while (!stop_.stop_requested()) {
    uring::accept_operation arriving = loop_.accept(control_);
    arriving.cancel_on(stop_);
    const uring::completion each = co_await arriving;
    if (each.res >= 0) {
      clients_.spawn(talk(each.res));
    } else if (each.res != -ECANCELED) {
      co_await loop_.sleep_for(std::chrono::milliseconds(10)).cancel_on(stop_);
    }
  }
  co_await clients_.join();
  close_control();
}

task<void> proxy_host::talk(int client) {
  std::string line;
  bool over = !is_trusted(client);
  while (!over) {
    std::array<std::byte, 4096> room;
    uring::operation receiving = loop_.recv(client, room);
    receiving.cancel_on(stop_);
    const uring::completion got = co_await receiving;
    if (got.res <= 0 || line.size() > line_max) break;
    line.append(reinterpret_cast<const char*>(room.data()), static_cast<std::size_t>(got.res));
    for (std::size_t end = 0; !over && (end = line.find('\n')) != std::string::npos;) {
      const std::string reply = answer(std::string_view(line).substr(0, end)) + '\n';
      line.erase(0, end + 1);
      uring::operation sending =
          loop_.send(client, std::as_bytes(std::span(reply)), MSG_NOSIGNAL | MSG_WAITALL);
      sending.cancel_on(stop_);
      over = (co_await sending).res < 0;
    }
  }
  co_await loop_.close_only(client);
}

std::string proxy_host::answer(std::string_view line) {
  const object asked = object::parse(line, nullptr, false);
  const proxy_command* const command = find_proxy_command(text_at(asked, "command"));
  std::string wrong;
  if (command == nullptr) {
    std::vector<std::string_view> names;
    names.reserve(proxy_commands.size());
    for (const proxy_command& each : proxy_commands) names.push_back(each.name);
    wrong = fmt::format("a command is a line of JSON, and one of {}", fmt::join(names, ", "));
  } else {
    wrong = misuse(*command, asked);
  }
  const object reply = wrong.empty() ? carry_out(*command, line, asked) : failure(wrong);
  return reply.dump(-1, ' ', true, object::error_handler_t::replace);
}

object proxy_host::carry_out(const proxy_command& command, std::string_view line,
                             const object& asked) {
  // The reader of files, which sees what stands there twice: of that `asked` has the last.
  diagnostics out;
  const auto read =
      parse_document(source::from_text(std::string(command.name), std::string(line)), out);
  if (!read || out.has_errors()) return failure(render(out));
  const std::string id = text_at(asked, command.argument);
  switch (command.verb) {
    case proxy_verb::add:
      return add(std::string(read->root.find(command.argument)->at().text()));
    case proxy_verb::remove:
      return of_fault(rules_.remove(id), id);
    case proxy_verb::heal:
      return of_fault(rules_.heal(id), id);
    default:
      return inventory(command.verb == proxy_verb::list);
  }
}

object proxy_host::of_fault(bool found, const std::string& id) const {
  if (found) return object{{"ok", true}};
  std::vector<std::string_view> ids;
  rules_.each_rule([&](const wire_rule& each, const rule_counters&) { ids.push_back(each.id); });
  const std::string near = suggestion(id, ids);
  return failure(
      fmt::format("there is no fault {}{}{}", in_quotes(id), near.empty() ? "" : "; ", near));
}

object proxy_host::proxy_node(std::size_t number, bool in_full) const {
  const relay& of = *relays_[number];
  const relay_counters counted = of.counters();
  object node;
  if (in_full) {
    node["listen"] = of.address().url();
    node["to"] = plan_.proxies[number].to.url();
  }
  node["connections"] = counted.connections;
  node["active"] = counted.active;
  node["to_server"] = counted.to_server;
  node["to_client"] = counted.to_client;
  std::array<std::uint64_t, 2> failed{};
  object troubles = object::array();
  for (const trouble_log::entry& each : rules_.troubles().all()) {
    if (each.proxy != of.name()) continue;
    failed[static_cast<std::size_t>(each.what)] += each.times;
    troubles.push_back({{"what", trouble_name(each.what)},
                        {"errno", errno_text(each.error)},
                        {"times", each.times}});
  }
  node["dial_failures"] = failed[static_cast<std::size_t>(trouble::dial)];
  node["accept_failures"] = failed[static_cast<std::size_t>(trouble::accept)];
  if (in_full && !troubles.empty()) node["troubles"] = std::move(troubles);
  return node;
}

object proxy_host::inventory(bool in_full) const {
  object reply{{"ok", true}};
  for (std::size_t i = 0; i < relays_.size(); ++i)
    reply["proxies"][relays_[i]->name()] = proxy_node(i, in_full);
  reply["faults"] = object::object();
  rules_.each_rule([&](const wire_rule& rule, const rule_counters& of) {
    object& node = reply["faults"][rule.id];
    if (in_full) {
      node["type"] = fmt::format("wire.{}", wire_fault_name(rule.effect->type));
      node["fault"] = object::parse(rule.text, nullptr, false, true);
      node["healed"] = rules_.is_healed(rule.id);
    }
    node["candidates"] = of.candidates_told(rule.on.any());
    node["matched"] = of.matched;
    node["fired"] = of.fired;
    node["observed"] = of.observed;
  });
  return reply;
}

object proxy_host::add(const std::string& fault) {
  diagnostics out;
  proxy_plan known = plan_;
  rules_.each_rule(
      [&](const wire_rule& each, const rule_counters&) { known.rules.push_back(each); });
  auto rule = compile_wire_rule(source::from_text("fault", fault), known, out);
  if (!rule) return failure(render(out));
  object reply{{"ok", true}, {"id", rule->id}};
  rules_.add(*std::move(rule));
  return reply;
}

std::string proxy_host::describe() const {
  std::string text;
  for (std::size_t i = 0; i < relays_.size(); ++i)
    text += fmt::format("{}: {} → {}\n", visible(relays_[i]->name()),
                        visible(relays_[i]->address().url()), visible(plan_.proxies[i].to.url()));
  if (control_ >= 0) text += fmt::format("control: {}\n", visible(plan_.control));
  return text;
}

std::string proxy_host::summary() const {
  std::string text;
  for (const auto& each : relays_) {
    const relay_counters of = each->counters();
    text += fmt::format("{}: {}, {} to the server, {} to the client\n", visible(each->name()),
                        counted(of.connections, "connection"), counted(of.to_server, "byte"),
                        of.to_client);
  }
  for (const trouble_log::entry& each : rules_.troubles().all()) {
    text += fmt::format("{}: {}: {}, {}\n", visible(each.proxy),
                        each.what == trouble::dial ? "the server could not be dialled"
                                                   : "connections could not be accepted",
                        counted(each.times, "time"), errno_text(each.error));
  }
  rules_.each_rule([&](const wire_rule& rule, const rule_counters& of) {
    text += fmt::format("fault {} (wire.{}): {}, {} matched, {} fired, {} observed\n",
                        visible(rule.id), wire_fault_name(rule.effect->type),
                        counted(of.candidates_told(rule.on.any()), "candidate"), of.matched,
                        of.fired, of.observed);
  });
  return text;
}

}  // namespace scenarios
