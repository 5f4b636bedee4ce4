#include "scenarios/run_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "scenarios/services/temp_dir.hpp"
#include "scenarios/thread_link.hpp"
#include "scenarios/wire/proxy_group.hpp"

namespace scenarios {
namespace {

using namespace std::chrono_literals;

// After a step failed the others may still come to their own ends: what they find is worth having.
constexpr uring::duration failure_grace = 100ms;

}  // namespace

scenario_run::scenario_run(uring::loop& on, const plan& plan_to_run, const run_options& how)
    : loop(on),
      what(plan_to_run),
      options(how),
      barriers(plan_to_run.barriers.size()),
      signals(plan_to_run.signals.size()),
      seed(plan_to_run.seed.value_or(how.seed)),
      faults(*this),
      futures_(std::make_unique<shared_future[]>(plan_to_run.shared_slots)),
      grace_([](uring::timer& t) noexcept { static_cast<run_timer&>(t).owner.stop.request_stop(); },
             *this),
      deadline_([](uring::timer& t) noexcept { static_cast<run_timer&>(t).owner.tell_deadline(); },
                *this),
      quiet_([](uring::timer& t) noexcept { static_cast<run_timer&>(t).owner.quiet_for_long(); },
             *this) {
  if (options.stop != nullptr) stop.follow(*options.stop);
  options.time_scale *= what.tolerance;
  for (const actor_plan& each : what.actors)
    if (!each.server || !each.server->accept_each) ++others_;
  if (others_ == 0) others_ended.request_stop();
}

void scenario_run::publish(std::uint32_t shared_slot, value v, bool varies) {
  if (shared_slot == no_index) return;
  shared_future& slot = futures_[shared_slot];
  // Assigned once: others see the first.
  if (slot.assigned.is_set()) return;
  slot.held = std::move(v);
  slot.varies = varies;
  slot.assigned.set();
  if (threads != nullptr) threads->published(shared_slot, slot.held, varies);
}

void scenario_run::give_signal(std::uint32_t signal) {
  if (signals[signal].is_set()) return;
  signals[signal].set();
  if (threads != nullptr) threads->signalled(signal);
}

// Counted at home, where all are known.
void scenario_run::actor_ended() {
  if (only_actor != no_index) return threads->actor_ended();
  if (--others_ == 0) others_ended.request_stop();
}

std::string_view scenario_run::future_name(std::uint32_t slot) const {
  for (const auto& [index, name] : what.shared_names) {
    if (index == slot) return name;
  }
  return "a value";
}

diagnostic scenario_run::make(code id, span where, std::string message) const {
  diagnostic made;
  made.id = id;
  made.where = where;
  made.keeps = where.in != nullptr ? where.in->weak_from_this().lock() : what.text;
  made.message = std::move(message);
  return made;
}

void scenario_run::step_failed() {
  if (failed_) return;
  failed_ = true;
  loop.timers().arm(grace_, uring::clock::now() + scaled(failure_grace));
  if (threads != nullptr) threads->step_failed();
}

void scenario_run::fail(diagnostic why) {
  failed_ = true;
  if (threads != nullptr) threads->failed(why);
  // Told once, at home.
  if (only_actor == no_index) result.failures.push_back(std::move(why));
  stop.request_stop();
}

void scenario_run::skip(std::string reason) {
  if (threads != nullptr) threads->skipped(reason);
  result.skip_reason = std::move(reason);
  stop.request_stop();
}

void scenario_run::arm_deadline() {
  loop.timers().arm(deadline_, uring::clock::now() + scaled(what.timeout));
}

bool scenario_run::is_own_listener(const uring::socket_address& address) const {
  return std::find(listeners.begin(), listeners.end(), address) != listeners.end();
}

bool scenario_run::is_own_peer(const uring::socket_address& peer) const {
  return is_own_listener(peer) || (proxies != nullptr && proxies->leads_inside(peer)) ||
         std::any_of(connections.begin(), connections.end(),
                     [&](const dialled& each) { return each.local == peer && !each.relayed; });
}

bool scenario_run::is_own_datagram_socket(const uring::socket_address& address) const {
  return std::ranges::find(peers, address, [](const auto& each) { return each.first; }) !=
         peers.end();
}

void scenario_run::meet(const uring::socket_address& address) {
  if (met_outsiders_ || what.private_net || address.is_any_port() || address.is_nameless()) return;
  if (is_own_listener(address) || is_own_datagram_socket(address)) return;
  if (proxies != nullptr && proxies->has(address)) return;
  if (directory != nullptr && address.path().starts_with(std::string(directory->path()) + "/"))
    return;
  meet_outsiders();
}

void scenario_run::meet_outsiders() {
  if (std::exchange(met_outsiders_, true)) return;
  if (threads != nullptr) threads->met_outsiders();
}

bool scenario_run::has_outsiders() const {
  if (met_outsiders_ || !what.services.empty() || what.starts_programs) return true;
  return !what.proxies.empty() && (proxies == nullptr || !proxies->lead_inside());
}

void scenario_run::note_connection(const uring::socket_address& local,
                                   const uring::socket_address& target, std::uint32_t actor,
                                   std::uint32_t handle) {
  const auto same = std::count_if(connections.begin(), connections.end(), [&](const dialled& each) {
    return each.actor == actor && each.target == target;
  });
  add_connection({local, target, actor, static_cast<std::uint32_t>(same) + 1, handle});
}

void scenario_run::note_dial(const uring::socket_address& local) {
  for (dialling& each : dials) {
    if (each.noted || uring::socket_address::local_of(each.fd) != local) continue;
    each.noted = true;
    note_connection(local, each.target, each.actor, each.handle);
  }
}

bool scenario_run::end_dial(int fd) {
  const auto found = std::ranges::find(dials, fd, &dialling::fd);
  const bool noted = found->noted;
  dials.erase(found);
  return noted;
}

void scenario_run::add_connection(const dialled& who) {
  connections.push_back(who);
  if (threads != nullptr) threads->connected(who);
}

void scenario_run::add_listener(const uring::socket_address& where) {
  listeners.push_back(where);
  if (threads != nullptr) threads->listening(where);
}

const scenario_run::dialled* scenario_run::find_dialler(const uring::socket_address& peer,
                                                        const uring::socket_address& at) const {
  // The youngest: a port may have been used before in a long scenario, and it may be used towards
  // several listeners at once.
  for (auto each = connections.rbegin(); each != connections.rend(); ++each) {
    if (each->local == peer && each->target.port() == at.port()) return &*each;
  }
  return nullptr;
}

void scenario_run::redact(std::string text, std::string placeholder) {
  if (text.empty()) return;
  auto& list = result.redactions;
  const auto same = [&](const redaction& each) { return each.text == text; };
  if (std::any_of(list.begin(), list.end(), same)) return;
  const auto place = std::find_if(list.begin(), list.end(), [&](const redaction& each) {
    return each.text.size() < text.size();
  });
  list.insert(place, {std::move(text), std::move(placeholder)});
}

uring::duration scenario_run::scaled(uring::duration d) const {
  return uring::duration(
      static_cast<std::int64_t>(static_cast<double>(d.count()) * options.time_scale));
}

}  // namespace scenarios
