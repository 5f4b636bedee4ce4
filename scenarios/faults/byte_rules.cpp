#include "scenarios/faults/byte_rules.hpp"

#include <algorithm>

#include "engine/fault_injector.hpp"
#include "engine/request_data.hpp"
#include "scenarios/faults/fault_director.hpp"

namespace scenarios {
namespace {

using uring::data_way;

/// What is about a match and acts on a request needs to know before it runs what it will move.
bool is_decided_when_sent(const fault_plan& rule, const io_uring_sqe& sqe) {
  return rule.when.bytes.match != nullptr && rule.completion() != nullptr &&
         uring::acts_at_submission(*rule.completion(), sqe);
}

}  // namespace

byte_rules::byte_rules(fault_counter& of) : counter_(of) {
  const std::vector<fault_plan>& all = of.director_.rules();
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].when.bytes.any() && all[i].wire() == nullptr && !all[i].removed) rules_.push_back(i);
}

const fault_plan& byte_rules::rule(std::size_t i) const {
  return counter_.director_.rules()[rules_[i]];
}

bool byte_rules::concerns(const fault_plan& rule, const question& of) const {
  if (rule.where.submissions) return counter_.concerns(rule, of.of);
  return std::ranges::find(of.watching, &rule) != of.watching.end();
}

byte_rules::stream& byte_rules::stream_of(const io_uring_sqe& sqe, bool out) {
  const auto [found, made] =
      streams_.try_emplace({sqe.fd, (sqe.flags & IOSQE_FIXED_FILE) != 0, out});
  if (made) {
    found->second.datagrams = uring::moves_messages(sqe);
    found->second.looked_at.resize(rules_.size());
    for (std::size_t i = 0; i < rules_.size(); ++i)
      found->second.triggers.emplace_back(rule(i).when.bytes);
  }
  return found->second;
}

/// Slots of a file table are given anew by low-level steps: their streams go on.
void byte_rules::new_descriptor(int fd) {
  for (const bool out : {false, true}) {
    const auto found = streams_.find({fd, false, out});
    if (found == streams_.end()) continue;
    std::erase_if(in_flight_, [&](const transfer& each) { return each.on == &found->second; });
    streams_.erase(found);
  }
}

void byte_rules::at_submission(const uring::operation& op, const fault_victim& of,
                               const std::vector<const fault_plan*>& watching,
                               fault_decision& into) {
  std::erase_if(in_flight_, [&](const transfer& each) { return each.op == &op; });
  const io_uring_sqe& sqe = op.submission();
  const data_way way = uring::way_of(sqe);
  if (way == data_way::none) return;
  const bool out = way == data_way::out;
  stream& on = stream_of(sqe, out);
  const std::uint64_t asked = uring::bytes_asked(sqe).value_or(0);
  transfer now{&op, &on, asked, out, uring::is_peek(sqe), false, {}};
  question here{op, of, watching, on, on.offset + on.in_flight, {}, into};
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const fault_plan& each = rule(i);
    if (each.is_deed()) continue;
    if (each.when.bytes.match == nullptr) {
      begins(i, here, now);
    } else if (out && is_decided_when_sent(each, sqe)) {
      if (!here.bytes) here.bytes = uring::outgoing_bytes(sqe, asked);
      now.before.emplace_back(i, on.triggers[i]);
      search(i, here);
    }
  }
  if (out) on.in_flight += asked;
  in_flight_.push_back(std::move(now));
}

void byte_rules::at_completion(const uring::operation& op, const fault_victim& of,
                               const std::vector<const fault_plan*>& watching, std::int32_t res,
                               std::uint32_t flags, fault_decision& into) {
  const auto found = std::ranges::find(in_flight_, &op, &transfer::op);
  if (found == in_flight_.end()) return;
  // A notification tells that the bytes are free, not that any moved: the result had said so.
  const bool notification = (flags & IORING_CQE_F_NOTIF) != 0;
  const bool more = (flags & IORING_CQE_F_MORE) != 0;
  transfer now{*found};  // which is erased below
  stream& on = *now.on;
  found->told = true;
  if (!more) in_flight_.erase(found);
  if (notification) return;
  if (res <= 0) return put_back(now);
  if (now.out && !now.told) on.in_flight -= std::min(on.in_flight, now.asked);
  if (now.peek) return;
  const auto moved = static_cast<std::uint64_t>(res);
  question here{op, of, watching, on, on.offset, {}, into};
  here.bytes = now.out ? uring::outgoing_bytes(op.submission(), moved)
                       : uring::arrived_bytes(op, res, flags);
  on.offset += moved;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const auto is_it = [&](const auto& each) { return each.first == i; };
    if (rule(i).when.bytes.match == nullptr) {
      passes(i, here, here.begin, on.offset);
    } else if (std::ranges::none_of(now.before, is_it)) {
      search(i, here);
    }
    fault_tally& sums = counter_.director_.tally(rule(i));
    if (concerns(rule(i), here)) sums.bytes = std::max(sums.bytes, on.offset);
  }
}

void byte_rules::ended(const uring::operation& op) {
  const auto found = std::ranges::find(in_flight_, &op, &transfer::op);
  if (found == in_flight_.end()) return;
  put_back(*found);
  in_flight_.erase(found);
}

// What was to go out, and did not, may be sent again: it is found again then.
void byte_rules::put_back(const transfer& now) {
  if (now.told) return;
  if (now.out) now.on->in_flight -= std::min(now.on->in_flight, now.asked);
  for (const auto& [i, trigger] : now.before) now.on->triggers[i] = trigger;
}

// The operation begins behind the bytes that are to have passed, or is cut so that the next one
// does.
void byte_rules::begins(std::size_t i, const question& of, const transfer& now) {
  const std::uint64_t place_at = *rule(i).when.bytes.after_bytes;
  if (!concerns(rule(i), of)) return;
  if (of.begin >= place_at) {
    const bool before = uring::acts_at_submission(*rule(i).completion(), of.op.submission());
    if (now.peek && !before) return;
    if (std::exchange(of.on.looked_at[i], std::nullopt) == of.begin && !now.peek) return;
    if (!place(i, of) && now.peek) of.on.looked_at[i] = of.begin;
    return;
  }
  const bool crosses = of.begin + now.asked > place_at;
  if (!crosses || now.peek || of.on.datagrams || !may_hit(i)) return;
  const std::uint64_t most = place_at - of.begin;
  of.into.most_bytes = std::min(of.into.most_bytes.value_or(most), most);
}

// Deeds on a service follow when so many bytes have passed.
void byte_rules::passes(std::size_t i, const question& of, std::uint64_t before,
                        std::uint64_t after) {
  const std::uint64_t place_at = std::max<std::uint64_t>(*rule(i).when.bytes.after_bytes, 1);
  const bool is_due = before < place_at && after >= place_at;
  if (rule(i).is_deed() && is_due && concerns(rule(i), of)) place(i, of);
}

void byte_rules::search(std::size_t i, const question& of) {
  if (!of.bytes) return;
  const stream_condition& wanted = rule(i).when.bytes;
  const bool concerned = concerns(rule(i), of);
  if (of.on.datagrams) {
    const bool behind = of.begin >= wanted.after_bytes.value_or(0);
    if (concerned && behind && wanted.match->is_in(*of.bytes)) place(i, of);
    return;
  }
  stream_trigger& trigger = of.on.triggers[i];
  while (trigger.next(of.begin, *of.bytes)) {
    trigger.take();
    if (concerned) place(i, of);
  }
}

// Whether it would hit what comes next: what can't fire leaves no trace.
bool byte_rules::may_hit(std::size_t i) const {
  const fault_plan& each = rule(i);
  const fault_counter::own_count& own = counter_.own_[rules_[i]];
  return own.hits < each.times && counter_.director_.is_open(each);
}

// All but `nth`, `p` and the like have passed: they count these places.
bool byte_rules::place(std::size_t i, const question& of) {
  fault_counter::own_count& own = counter_.own_[rules_[i]];
  return counter_.hits(rules_[i], of.of, ++own.places, of.into);
}

}  // namespace scenarios
