#include "scenarios/wire/rule_decider.hpp"

#include <algorithm>
#include <utility>

#include "engine/draw.hpp"

namespace scenarios {
namespace {

bool overlaps(direction a, direction b) {
  return a == direction::both || b == direction::both || a == b;
}

bool is_condition(const wire_effect& effect) {
  return row_of(effect.type).span == wire_span::condition;
}

bool answers_to(const wire_rule& rule, std::string_view id) {
  return rule.id == id || std::ranges::find(rule.part_of, id) != rule.part_of.end();
}

}  // namespace

// ---- Rules -------------------------------------------------------------------------------------

void rule_decider::add(wire_rule rule) {
  state& made = rules_.emplace_back();
  made.rule = std::move(rule);
  made.number = static_cast<std::uint32_t>(rules_.size() - 1);
  const bool begun = !relays_.empty();
  for (auto& [link, known] : links_) {
    if (!concerns(made, *link)) continue;
    watch_for(made, *link, known.watches);
    known.concerning.push_back(&made);
  }
  // Connections that are there suffer from a condition at once, as those to come will.
  const bool now =
      begun && !made.rule.by_clock() && !made.rule.on.any() &&
      (is_condition(*made.rule.effect) || made.rule.effect->type == wire_fault::heal) &&
      row_of(made.rule.effect->type).stage != wire_stage::connect &&
      (made.rule.effect->type != wire_fault::refuse || made.rule.nth.has_all());
  if (now) strike(made, uring::clock::now());
  changed_.notify();
}

const rule_decider::state* rule_decider::find(std::string_view id) const {
  const auto found =
      std::ranges::find_if(rules_, [&](const state& s) { return !s.removed && s.rule.id == id; });
  return found == rules_.end() ? nullptr : &*found;
}

rule_decider::state* rule_decider::find(std::string_view id) {
  return const_cast<state*>(std::as_const(*this).find(id));
}

bool rule_decider::heal(std::string_view id, bool begun_only) {
  const bool all = id.empty();
  bool any = all;
  for (state& each : rules_) {
    if (each.removed || (!all && !answers_to(each.rule, id))) continue;
    any = true;
    if (each.rule.effect->type != wire_fault::heal &&
        (!begun_only || !all || each.counted.fired != 0))
      each.healed = true;
    if (all) continue;
    for (relay* one : relays_) one->heal(each.number);
  }
  if (all)
    for (relay* one : relays_) one->heal(std::nullopt);
  return any;
}

bool rule_decider::any_holds(std::string_view id) const {
  const auto now = uring::clock::now();
  return std::ranges::any_of(rules_, [&](const state& each) {
    return !each.removed && !each.healed && !each.closed && is_condition(*each.rule.effect) &&
           each.fired_at && !is_over(each, now) && (id.empty() || answers_to(each.rule, id));
  });
}

bool rule_decider::remove(std::string_view id) {
  state* const one = id.empty() ? nullptr : find(id);
  if (one == nullptr) return false;
  heal(id);
  one->removed = true;
  return true;
}

void rule_decider::rearm(std::uint32_t rule) {
  state& of = rules_[rule];
  if (of.struck && !of.healed && !of.closed) return;  // it holds
  if (of.healed) of.rule.gated = true;  // it begins anew, for those that are there, too
  of.healed = of.closed = false;
  of.struck.reset();
  look();
}

bool rule_decider::concerns(const state& s, const wire_link& link) const {
  const wire_rule& rule = s.rule;
  return !s.removed && (rule.proxy.empty() || rule.proxy == link.proxy) &&
         (rule.conn.empty() || link.is_called(rule.conn)) &&
         (rule.actor.empty() || rule.actor == link.actor || rule.actor == link.base);
}

bool rule_decider::has_hits_left(const state& s, const wire_link& link,
                                 std::optional<direction> dir) const {
  // Of all parties together: for every chunk of bytes that is looked at, nobody is looked up.
  if (s.hits < s.rule.times) return true;
  const auto of = s.parties.find(link.actor);
  if (of == s.parties.end() || of->second.hits[slot_of(dir)] < s.rule.times) return true;
  return s.striking && s.rule.one_stroke && of->second.stroke == s.strokes;
}

/// It began, and its `for` is over: who comes now is not hit.
bool rule_decider::is_over(const state& s, time_point now) {
  return s.struck && s.rule.effect->lasts && uring::later(*s.struck, *s.rule.effect->lasts) <= now;
}

bool rule_decider::waits_for_bytes(const state& s, bool datagrams) {
  return s.rule.on.any() || (datagrams && !is_condition(*s.rule.effect));
}

// ---- The clock ---------------------------------------------------------------------------------

std::optional<rule_decider::time_point> rule_decider::opens_at(const wire_rule& rule,
                                                               std::uint32_t /*number*/) const {
  time_point at = began_;
  if (!rule.after_fault.empty()) {
    const state* other = find(rule.after_fault);
    if (other == nullptr || !other->fired_at) return std::nullopt;
    at = uring::later(*other->fired_at, rule.after_delay);
  }
  if (rule.at) at = std::max(at, uring::later(began_, *rule.at));
  if (rule.window) at = std::max(at, uring::later(began_, rule.window->first));
  return at;
}

std::optional<rule_decider::time_point> rule_decider::closes_at(const wire_rule& rule,
                                                                std::uint32_t /*number*/) const {
  if (!rule.window) return std::nullopt;
  return uring::later(began_, rule.window->second);
}

bool rule_decider::is_open(const state& s, time_point now) const {
  if (!s.rule.by_clock()) return true;
  const auto from = opens_at(s.rule, s.number);
  const auto until = closes_at(s.rule, s.number);
  return from && *from <= now && (!until || now < *until);
}

uring::task<void> rule_decider::run(uring::loop& on, uring::stop_source& until) {
  while (!until.stop_requested()) {
    const auto next = act(uring::clock::now());
    co_await changed_.wait(on, until, next);
  }
}

/// Does what is due; when there is something to do again.
std::optional<rule_decider::time_point> rule_decider::act(time_point now) {
  std::optional<time_point> next;
  const auto later_at = [&](time_point at) {
    if (!next || at < *next) next = at;
  };
  for (state& each : rules_) {
    if (each.removed || each.healed || !each.rule.by_clock()) continue;
    const auto at = opens_at(each.rule, each.number);
    if (!each.struck && at && !each.rule.on.any()) {
      if (*at > now) {
        later_at(*at);
        continue;
      }
      each.struck = now;
      strike(each, now);
    }
    const auto end = closes_at(each.rule, each.number);
    if (!end || each.closed) continue;
    if (*end > now) {
      later_at(*end);
    } else {
      each.closed = true;
      for (relay* one : relays_) one->heal(each.number);
    }
  }
  return next;
}

/// Hits every connection that is there. An event waits for a datagram that it can happen to.
void rule_decider::strike(state& s, time_point now) {
  const wire_effect& effect = *s.rule.effect;
  const auto is_hit = [&](const relay* one) {
    return (s.rule.proxy.empty() || s.rule.proxy == one->name()) &&
           (is_condition(effect) || !one->address().is_datagram());
  };
  if (effect.type == wire_fault::heal || effect.type == wire_fault::refuse) {
    ++s.counted.candidates;
    if (s.counted.fired >= s.rule.times || !is_open(s, now)) return;
    ++s.counted.matched;
    fire(s, {});
    if (carry_out(s)) return;
    for (relay* one : relays_)
      if (is_hit(one)) one->strike(hit_of(s, 0, 0, now), {});
    return;
  }
  if (!is_open(s, now)) return;
  // A condition holds from now on, also where nobody is connected yet.
  if (is_condition(effect)) begin(s);
  ++s.strokes;
  s.striking = true;
  for (relay* one : relays_)
    if (is_hit(one)) strike_links(s, *one, now);
  s.striking = false;
}

void rule_decider::strike_links(state& s, relay& of, time_point now) {
  of.strike(hit_of(s, 0, 0, now), [&](const wire_link& link) {
    return concerns(s, link) && has_hits_left(s, link, {}) &&
           row_of(s.rule.effect->type).stage == wire_stage::bytes &&
           decide(s, {link}, s.parties[link.actor].connections[slot_of({})]);
  });
}

void rule_decider::fire(state& s, fault_site site) {
  ++s.counted.fired;
  ++s.hits;
  if (!site.conn.empty() && s.counted.sites.size() < fault_sites_max)
    s.counted.sites.push_back(std::move(site));
  begin(s);
}

/// It is among `times`, as of completions.
void rule_decider::joined(std::uint32_t rule) {
  fault_tally& sums = rules_[rule].counted;
  --sums.fired;
  if (sums.sites.size() > sums.fired) sums.sites.pop_back();
}

void rule_decider::begin(state& s) {
  if (s.fired_at) return;
  s.fired_at = uring::clock::now();
  begun(s.number);
  look_later();
}

/// What happens to the proxies, not to bytes: true when that is all.
bool rule_decider::carry_out(const state& s) {
  if (s.rule.effect->type != wire_fault::heal) return false;
  if (any_holds(s.rule.effect->target)) observed(s.number);
  heal(s.rule.effect->target, true);
  return true;
}

// ---- Decisions ---------------------------------------------------------------------------------

std::uint64_t rule_decider::seed_of(const state& s, std::uint64_t link) const {
  return uring::draw_bits(uring::hash_identity(s.rule.seed.value_or(seed_), s.rule.id), link);
}

/// What the effect draws from.
std::uint64_t rule_decider::seed_of_hit(const state& s, std::uint64_t link,
                                        std::uint64_t seen) const {
  const bool first = !s.first_drawn || *s.first_drawn == std::pair(link, seen);
  if (s.rule.seed && first) return *s.rule.seed;
  return uring::draw_bits(seed_of(s, link), seen) & seeds_written;
}

/// Apart from what the effect itself draws.
bool rule_decider::is_drawn(const state& s, std::uint64_t link, std::uint64_t seen) const {
  return !s.rule.p || uring::draw(uring::hash_identity(seed_of(s, link), "p"), seen) < *s.rule.p;
}

bool rule_decider::decide(state& s, const occurrence& which, std::uint64_t& count) {
  const wire_link& link = which.link;
  fault_tally& sums = s.counted;
  ++sums.candidates;
  if (!is_open(s, uring::clock::now())) {
    ++sums.closed;
    return false;
  }
  if (!is_drawn(s, link.key(), which.seen)) {
    ++sums.unlucky;
    return false;
  }
  ++count;
  if (count > sums.nearest) {
    sums.nearest = count;
    sums.nearest_actor = link.label();
  }
  if (!s.rule.nth.has(count)) return false;
  ++sums.matched;
  if (!has_hits_left(s, link, which.dir)) return false;
  if (which.taken) {
    ++sums.beaten;
    return false;
  }
  party& whose = s.parties[link.actor];
  ++whose.hits[slot_of(which.dir)];
  if (s.striking) whose.stroke = s.strokes;
  const std::string_view dir =
      which.dir ? direction_words[static_cast<std::size_t>(*which.dir)] : std::string_view();
  if (!s.first_drawn) s.first_drawn = std::pair(link.key(), which.seen);
  const bool drawn = draws(*s.rule.effect);
  fire(s, {link.actor, which.nth, link.label(), dir, which.offset,
           drawn ? seed_of_hit(s, link.key(), which.seen) : 0});
  return true;
}

wire_hit rule_decider::hit_of(const state& s, std::uint64_t link, std::uint64_t seen,
                              time_point now) const {
  wire_hit made{s.number, s.rule.effect, seed_of_hit(s, link, seen)};
  // A connection that comes later gets what is left of the time.
  if (s.struck && s.rule.effect->lasts) {
    auto rest = std::make_shared<wire_effect>(*s.rule.effect);
    rest->lasts =
        std::max(std::chrono::nanoseconds{1}, uring::later(*s.struck, *s.rule.effect->lasts) - now);
    made.effect = std::move(rest);
  }
  return made;
}

bool rule_decider::admits(const std::vector<wire_hit>& hits, const state& s) {
  return s.rule.stack || std::ranges::none_of(hits, [&](const wire_hit& hit) {
           return hit.effect->type == s.rule.effect->type &&
                  overlaps(hit.effect->dir, s.rule.effect->dir);
         });
}

void rule_decider::watch_for(state& s, const wire_link& link, std::vector<watch>& into) {
  if (!waits_for_bytes(s, link.datagrams)) return;
  ++s.counted.watched;
  for (const direction dir : {direction::c2s, direction::s2c})
    if (overlaps(s.rule.effect->dir, dir))
      into.push_back(watch{&s, dir, stream_trigger(s.rule.on), 0, 0, 0, 0, false});
    else if (s.rule.tells_misses && s.rule.on.match != nullptr)
      into.push_back(watch{&s, dir, stream_trigger(s.rule.on), 0, 0, 0, 0, true});
}

std::vector<wire_hit> rule_decider::on_start(std::string_view proxy) {
  std::vector<wire_hit> hits;
  const auto now = uring::clock::now();
  for (state& each : rules_) {
    if (each.rule.effect->type != wire_fault::refuse || each.rule.by_clock() || each.removed ||
        each.healed || (!each.rule.proxy.empty() && each.rule.proxy != proxy) || !refuses(each, 1))
      continue;
    hits.push_back(hit_of(each, 0, 0, now));
  }
  return hits;
}

/// Whether this connection, which will never be seen, is refused by it.
bool rule_decider::refuses(state& s, std::uint64_t connection) {
  if (!s.rule.nth.has(connection)) return false;
  ++s.counted.candidates;
  ++s.counted.matched;
  fire(s, {});
  return true;
}

std::vector<wire_hit> rule_decider::on_connect(const wire_link& link) {
  std::vector<wire_hit> hits;
  link_record known;
  const auto now = uring::clock::now();
  for (state& each : rules_) {
    if (!concerns(each, link)) continue;
    const wire_effect& effect = *each.rule.effect;
    watch_for(each, link, known.watches);
    known.concerning.push_back(&each);
    if (each.healed || is_over(each, now) || waits_for_bytes(each, link.datagrams)) continue;
    if (effect.type == wire_fault::refuse) {
      // The next one is refused: it will never be seen here.
      ++each.counted.watched;
      each.counted.nearest = std::max(each.counted.nearest, link.number);
      if (!each.rule.by_clock() && !each.rule.nth.has_all() && refuses(each, link.number + 1))
        hits.push_back(hit_of(each, 0, 0, now));
      continue;
    }
    // The clock strikes who is there. Who comes later is hit by conditions that have begun, and by
    // events that have hits left: they found nobody of who dialled, or `times` says more.
    const bool at_connect = row_of(effect.type).stage == wire_stage::connect;
    if (each.rule.by_clock() && !at_connect) {
      if (!each.struck) ++each.counted.watched;
      if (!each.struck || effect.type == wire_fault::heal) continue;
    }
    const occurrence which{.link = link, .taken = !admits(hits, each)};
    if (!decide(each, which, each.parties[link.actor].connections[slot_of({})])) continue;
    if (!carry_out(each)) hits.push_back(hit_of(each, link.key(), 0, now));
  }
  links_[&link] = std::move(known);
  return hits;
}

bool rule_decider::may_hit(const watch& w, const wire_link& link) const {
  return !w.other_way && !w.of->removed && !w.of->healed && !w.trigger.is_over() &&
         has_hits_left(*w.of, link, w.dir);
}

/// For the nearest miss: how far the direction came that a rule is of, and how far any did.
void rule_decider::note_passed(const link_record& of, direction dir, std::uint64_t bytes) {
  for (state* each : of.concerning) {
    fault_tally& sums = each->counted;
    sums.bytes = std::max(sums.bytes, bytes);
    if (overlaps(each->rule.effect->dir, dir)) sums.farthest = std::max(sums.farthest, bytes);
  }
}

/// For the nearest miss: what is looked for comes the other way. Once that is known, or it has come
/// this way, nobody looks again.
void rule_decider::note_other_way(link_record& of, direction dir, std::uint64_t offset,
                                  std::string_view chunk) {
  for (watch& each : of.watches) {
    fault_tally& sums = each.of->counted;
    if (!each.other_way || each.dir != dir || sums.candidates != 0 || sums.came_other_way) continue;
    sums.came_other_way = each.trigger.next(offset, chunk).has_value();
  }
}

std::optional<wire_place> rule_decider::on_bytes(const wire_link& link, direction dir,
                                                 std::uint64_t offset, std::string_view chunk) {
  const auto found = links_.find(&link);
  if (found == links_.end()) return std::nullopt;
  note_other_way(found->second, dir, offset, chunk);
  auto place = find_place(found->second, link, dir, offset, chunk);
  note_passed(found->second, dir, place ? place->offset : offset + chunk.size());
  return place;
}

std::optional<wire_place> rule_decider::find_place(link_record& of, const wire_link& link,
                                                   direction dir, std::uint64_t offset,
                                                   std::string_view chunk) {
  for (;;) {
    std::optional<std::uint64_t> first;
    for (watch& each : of.watches) {
      if (each.dir != dir || offset + chunk.size() < each.trigger.begins_at() ||
          !may_hit(each, link))
        continue;
      const auto place = each.trigger.next(offset, chunk);
      if (place && (!first || *place < *first)) first = place;
    }
    if (!first) return std::nullopt;
    wire_place made{*first, {}};
    for (watch& each : of.watches) {
      if (each.dir != dir || !may_hit(each, link) || each.trigger.next(offset, chunk) != first)
        continue;
      each.trigger.take();
      state& s = *each.of;
      std::uint64_t& count = s.rule.on.match != nullptr
                                 ? each.counted
                                 : s.parties[link.actor].connections[slot_of(dir)];
      const bool taken = !made.hits.empty() && !s.rule.stack;
      const std::uint64_t seen = each.seen;
      if (!decide(s, {link, each.seen++, dir, first, 0, taken}, count)) continue;
      if (!carry_out(s)) made.hits.push_back(hit_of(s, link.key(), seen, uring::clock::now()));
    }
    if (!made.hits.empty()) return made;
  }
}

std::vector<wire_hit> rule_decider::on_datagram(const wire_link& link, direction dir,
                                                std::string_view datagram) {
  std::vector<wire_hit> hits;
  const auto found = links_.find(&link);
  if (found == links_.end()) return hits;
  std::uint64_t& passed = found->second.datagram_bytes[static_cast<std::size_t>(dir)];
  note_passed(found->second, dir, passed += datagram.size());
  for (watch& each : found->second.watches) {
    if (each.dir != dir || each.of->removed || each.of->healed) continue;
    state& s = *each.of;
    if (each.other_way) {
      if (s.counted.candidates == 0 && s.rule.on.match->is_in(datagram))
        s.counted.came_other_way = true;
      continue;
    }
    const std::uint64_t before = each.bytes;
    each.bytes += datagram.size();
    ++each.datagrams;
    if (s.rule.on.after_bytes && before < *s.rule.on.after_bytes) continue;
    if (s.rule.on.match != nullptr && !s.rule.on.match->is_in(datagram)) continue;
    const bool taken = !hits.empty() && !s.rule.stack;
    const std::uint64_t seen = each.seen++;
    if (!decide(s, {link, seen, dir, {}, each.datagrams, taken}, each.counted)) continue;
    if (!carry_out(s)) hits.push_back(hit_of(s, link.key(), seen, uring::clock::now()));
  }
  return hits;
}

}  // namespace scenarios
