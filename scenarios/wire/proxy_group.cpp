#include "scenarios/wire/proxy_group.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/errno_name.hpp"
#include "scenarios/endpoint.hpp"
#include "scenarios/strand.hpp"
#include "scenarios/wire/listen_remedy.hpp"

namespace scenarios {

using namespace std::chrono_literals;
using uring::task;

namespace {

std::string error_name(int error) {
  const char* const name = uring::errno_name(error);
  return name != nullptr ? name : "unknown error";
}

}  // namespace

// ---- Who decides -------------------------------------------------------------------------------

scenario_decider::scenario_decider(scenario_run& run) : rule_decider(run.seed), run_(run) {
  for (const fault_plan& each : run.what.faults) {
    if (each.wire() == nullptr || each.removed) continue;
    wire_rule made;
    made.id = each.id;
    made.part_of = each.part_of;
    made.effect = each.wire()->what;
    made.proxy = each.where.proxy;
    made.conn = each.where.conn;
    made.actor = each.where.actor;
    made.nth = each.when.nth;
    made.on = each.when.bytes;
    made.p = each.when.p;
    made.times = each.times;
    made.seed = each.seed;
    made.stack = each.stack;
    made.tells_misses = true;
    made.one_stroke = each.times == 1 && !each.says_times;
    made.gated = each.when.at || each.when.window || each.when.after || !each.armed;
    plans_.push_back(&each);
    add(std::move(made));
  }
}

std::optional<std::uint32_t> scenario_decider::number_of(const fault_plan& rule) const {
  const auto found = std::ranges::find(plans_, &rule);
  if (found == plans_.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - plans_.begin());
}

void scenario_decider::collect() {
  for (std::uint32_t i = 0; i < plans_.size(); ++i) run_.faults.tally(*plans_[i]) = counters(i);
}

std::optional<rule_decider::time_point> scenario_decider::opens_at(const wire_rule& /*rule*/,
                                                                   std::uint32_t number) const {
  return run_.faults.opens_at(*plans_[number]);
}

std::optional<rule_decider::time_point> scenario_decider::closes_at(const wire_rule& /*rule*/,
                                                                    std::uint32_t number) const {
  return run_.faults.closes_at(*plans_[number]);
}

void scenario_decider::begun(std::uint32_t rule) {
  run_.faults.note_fired(*plans_[rule]);
}

/// The dialler's own completion is at most a turn of the loop away: the kernel posted it before the
/// accept could be.
task<void> scenario_decider::identify(wire_link& link, const uring::socket_address& peer,
                                      const uring::socket_address& at) {
  for (int turns = 0; !name(link, peer, at) && turns < 4; ++turns)
    co_await run_.loop.sleep_for(0ns);
}

/// False while nobody of the scenario is known to have dialled.
bool scenario_decider::name(wire_link& link, const uring::socket_address& peer,
                            const uring::socket_address& at) {
  std::uint32_t actor = no_index;
  std::uint32_t handle = 0;
  run_.note_dial(peer);
  if (const scenario_run::dialled* who = run_.find_dialler(peer, at)) {
    actor = who->actor;
    handle = who->handle;
    const auto same = [&](const scenario_run::dialled& each) {
      return each.actor == who->actor && each.handle == who->handle && each.target == who->target &&
             &each < who;
    };
    link.ordinal = 1 + static_cast<std::uint64_t>(std::ranges::count_if(run_.connections, same));
    if (actor == no_index) return true;
  } else {
    const auto bound = std::ranges::find(
        run_.peers, peer, [](const auto& each) -> const auto& { return each.first; });
    if (bound == run_.peers.end()) return false;
    actor = bound->second;
  }
  const actor_plan& of = run_.what.actors[actor];
  link.actor = of.name;
  link.base = of.base;
  link.handle = handle < of.body->handles.size() ? of.body->handles[handle] : "conn";
  link.name = fmt::format("{}.{}", link.actor, link.handle);
  return true;
}

/// The server behind the proxy knows its connections by who dialled, too.
void scenario_decider::dialled(const wire_link& link, const uring::socket_address& local,
                               const uring::socket_address& server) {
  if (!local.is_unix())
    run_.redact(local.url().substr(6), fmt::format("<addr:{} for {}>", link.proxy, link.label()));
  if (link.actor.empty()) return;
  const auto found = std::ranges::find(run_.what.actors, link.actor, &actor_plan::name);
  const auto actor = static_cast<std::uint32_t>(found - run_.what.actors.begin());
  const auto same = std::ranges::count_if(run_.connections, [&](const auto& each) {
    return each.actor == actor && each.target == server;
  });
  scenario_run::dialled made{local, server, actor, static_cast<std::uint32_t>(same) + 1};
  made.relayed = true;
  run_.add_connection(made);
}

void scenario_decider::could_not_dial(const wire_link& link, const uring::socket_address& server,
                                      int error) {
  log_once(fmt::format("{}: no connection to {} for {}: {}", link.proxy, server.url(), link.label(),
                       error_name(error)));
}

void scenario_decider::could_not_accept(std::string_view proxy, int error) {
  log_once(fmt::format("{}: connections can't be accepted: {}", proxy, error_name(error)));
}

/// What comes again with each datagram, or each try, says nothing new.
void scenario_decider::log_once(std::string line) {
  std::vector<std::string>& logs = run_.result.logs;
  if (std::ranges::find(logs, line) == logs.end()) logs.push_back(std::move(line));
}

// ---- The relays --------------------------------------------------------------------------------

proxy_group::proxy_group(scenario_run& run) : run_(run), rules_(run) {}

void proxy_group::fail(span at, std::string message) {
  run_.fail(run_.make(code::setup_failed, at, std::move(message)));
}

bool proxy_group::open_all() {
  for (const relay_plan& each : run_.what.proxies)
    if (!open(each)) return false;
  for (std::size_t i = 0; i < relays_.size(); ++i)
    all_.spawn(live(run_.what.proxies[i], *relays_[i]));
  if (!relays_.empty()) all_.spawn(rules_.run(run_.loop, stop_));
  return true;
}

bool proxy_group::open(const relay_plan& plan) {
  const strand nobody(run_, run_.what.setup, plan.name, plan.name, run_.stop);
  const evaluation text = plan.listen.eval(nobody);
  std::string reason;
  auto where = text ? parse_endpoint(text->data(), reason) : std::nullopt;
  if (!where) {
    fail(plan.listen.at(),
         fmt::format("{}: no address to listen on: {}", plan.name, text ? reason : text.message()));
    return false;
  }
  run_.meet(where->address);
  relay& one = *relays_.emplace_back(
      make_relay(run_.loop, {plan.name, where->address, uring::socket_address()}, rules_));
  if (const int error = one.open(); error != 0) {
    diagnostic told = run_.make(code::setup_failed, plan.listen.at(),
                                fmt::format("the proxy {} can't listen on {}: {}", plan.name,
                                            where->address.url(), error_name(-error)));
    told.help = listen_remedy(where->address, -error);
    run_.fail(std::move(told));
    relays_.pop_back();
    return false;
  }
  rules_.attach(one);
  where->address = one.address();
  run_.publish(plan.addr.shared, value::text(where->url()));
  run_.publish(plan.port.shared, value(std::int64_t{one.address().port()}));
  if (!one.address().is_unix())
    run_.redact(one.address().url().substr(6), fmt::format("<addr:{}>", plan.name));
  return true;
}

/// Nobody is accepted before it is known whom to dial: until then the kernel keeps them waiting.
task<void> proxy_group::live(const relay_plan& plan, relay& one) {
  for (const slot_ref& slot : plan.reads) {
    if (slot.space != shared_space) continue;
    uring::event& assigned = run_.future(slot.index).assigned;
    if (!assigned.is_set() && !co_await assigned.wait().cancel_on(stop_)) co_return;
  }
  const auto to = find_target(plan, one);
  if (!to) co_return;
  one.set_target(*to);
  co_await one.run();
}

std::optional<uring::socket_address> proxy_group::find_target(const relay_plan& plan,
                                                              const relay& one) {
  const strand nobody(run_, run_.what.setup, plan.name, plan.name, run_.stop);
  const evaluation text = plan.to.eval(nobody);
  std::string reason;
  const auto to = text ? parse_endpoint(text->data(), reason) : std::nullopt;
  if (!to) {
    fail(plan.to.at(),
         fmt::format("{}: no server to dial: {}", plan.name, text ? reason : text.message()));
    return std::nullopt;
  }
  if (to->address.is_datagram() == one.address().is_datagram()) return to->address;
  fail(plan.to.at(), fmt::format("{} takes a stream on one side and datagrams on the other: {} "
                                 "and {}",
                                 plan.name, one.address().url(), to->address.url()));
  return std::nullopt;
}

task<void> proxy_group::end() {
  for (const auto& each : relays_) each->stop();
  stop_.request_stop();
  co_await all_.join();
}

relay* proxy_group::find(std::string_view name) const {
  const auto found =
      std::ranges::find_if(relays_, [&](const auto& each) { return each->name() == name; });
  return found == relays_.end() ? nullptr : found->get();
}

bool proxy_group::has(const uring::socket_address& address) const {
  return std::ranges::any_of(relays_, [&](const auto& each) { return each->address() == address; });
}

// ---- Whether anything can still come through them ----------------------------------------------

static bool is_own(const scenario_run& run, const uring::socket_address& target) {
  return run.is_own_listener(target) || run.is_own_datagram_socket(target);
}

bool proxy_group::lead_inside() const {
  return std::ranges::all_of(relays_,
                             [&](const auto& each) { return is_own(run_, each->target()); });
}

bool proxy_group::leads_inside(const uring::socket_address& peer) const {
  const auto has_dialled = [&](const scenario_run::dialled& each) {
    return each.relayed && each.local == peer;
  };
  return std::ranges::any_of(run_.connections, has_dialled) ||
         std::ranges::any_of(relays_, [&](const auto& each) {
           return each->address() == peer && is_own(run_, each->target());
         });
}

bool proxy_group::may_act() const {
  const auto by_the_clock = [](const fault_plan& each) {
    return each.wire() != nullptr && !each.removed &&
           (each.when.at || each.when.window || each.when.after);
  };
  return std::ranges::any_of(run_.what.faults, by_the_clock) ||
         std::ranges::any_of(relays_, [](const auto& each) { return each->may_act(); });
}

std::uint64_t proxy_group::progress() const {
  std::uint64_t all = 0;
  for (const auto& each : relays_) {
    const relay_counters now = each->counters();
    all += now.connections + now.to_server + now.to_client;
  }
  return all;
}

void proxy_group::was_refused(const uring::socket_address& address) {
  for (const fault_plan& each : run_.what.faults) {
    const auto number = rules_.number_of(each);
    if (!number || each.wire()->what->type != wire_fault::refuse) continue;
    for (const auto& one : relays_)
      if (one->address() == address &&
          (each.where.proxy.empty() || each.where.proxy == one->name()))
        if (rules_.counters(*number).fired != 0) rules_.observed(*number);
  }
}

// ---- What the director says --------------------------------------------------------------------

void proxy_group::rules_changed(bool at_once) {
  if (relays_.empty() || stop_.stop_requested()) return;
  at_once ? rules_.look() : rules_.look_later();
}

void proxy_group::armed(const fault_plan& rule) {
  if (const auto number = rules_.number_of(rule)) rules_.rearm(*number);
}

void proxy_group::healed(const fault_plan& rule) {
  if (rules_.number_of(rule)) rules_.heal(rule.id);
}

}  // namespace scenarios
