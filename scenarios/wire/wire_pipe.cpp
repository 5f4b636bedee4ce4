#include "scenarios/wire/wire_pipe.hpp"

#include <algorithm>
#include <utility>

namespace scenarios {
namespace {

bool is_condition(wire_fault type) {
  return row_of(type).span == wire_span::condition && row_of(type).stage == wire_stage::bytes;
}

bool keeps(const wire_effect& effect) {
  return effect.latency.count() != 0 || effect.jitter.count() != 0;
}

}  // namespace

bool wire_pipe::is_reading() const {
  if (conditions_.jams()) return false;
  // Many small pieces take more room than their bytes.
  const std::size_t taken = queued_ + queue_.size() * sizeof(item);
  return taken < (conditions_.makes_wait() || is_paused() ? waiting_max : queued_max);
}

bool wire_pipe::is_plain() const {
  return queue_.empty() && !conditions_.any() && !limit_ && changes_.empty() && !discards_ &&
         !cut_off_ && !is_paused();
}

bool wire_pipe::push(std::string_view chunk, time_point now) {
  conditions_.read(chunk.size(), now);
  // Nothing can happen to what is behind the end.
  while (!discards_ && !cut_off_) {
    const std::string_view passes =
        limit_ ? chunk.substr(0, static_cast<std::size_t>(limit_->left)) : chunk;
    const auto place = rules_.on_bytes(link_, dir_, offset_, passes);
    if (!place) break;
    const auto before = static_cast<std::size_t>(place->offset - offset_);
    take(chunk.substr(0, before), now);
    offset_ += before;
    chunk.remove_prefix(before);
    for (const wire_hit& hit : place->hits) apply(hit, now, false);
  }
  const bool plain = is_plain();
  if (!plain) take(chunk, now);
  offset_ += chunk.size();
  return plain;
}

/// Bytes from `offset_` on.
void wire_pipe::take(std::string_view bytes, time_point now) {
  std::uint64_t offset = offset_;
  while (!bytes.empty()) {
    if (discards_) return;
    if (cut_off_) {
      if (cut_by_) rules_.observed(*std::exchange(cut_by_, std::nullopt));
      return;
    }
    if (conditions_.discards()) {
      conditions_.observe([](const wire_effect& e) {
        return e.type == wire_fault::blackhole || e.type == wire_fault::timeout;
      });
      return;
    }
    std::string_view now_taken = bytes;
    if (limit_) now_taken = now_taken.substr(0, limit_->left);
    std::size_t count = now_taken.size();
    if (changes_.empty()) {
      enqueue(now_taken, now, {}, offset);
    } else {
      count = alter(now_taken, offset, now);
    }
    bytes.remove_prefix(count);
    offset += count;
    if (!limit_) continue;
    limit_->left -= count;
    if (limit_->left == 0) begin_ending(limit_->by, limit_->by.effect->then, now);
  }
}

/// Does what the next change does to those of the bytes that it is of, or lets pass what lies
/// before it; how many that were.
std::size_t wire_pipe::alter(std::string_view bytes, std::uint64_t offset, time_point now) {
  // Its bytes were lost, in a blackhole say.
  while (!changes_.empty() && changes_.front().end <= offset) changes_.pop_front();
  if (changes_.empty() || offset < changes_.front().begin) {
    if (!changes_.empty()) bytes = bytes.substr(0, changes_.front().begin - offset);
    enqueue(bytes, now, {}, offset);
    return bytes.size();
  }
  change& first = changes_.front();
  const wire_effect& effect = *first.by.effect;
  const auto count =
      static_cast<std::size_t>(std::min<std::uint64_t>(first.end - offset, bytes.size()));
  const std::string_view part = bytes.substr(0, count);
  // However many chunks it is spread over.
  const auto once = [&first] {
    return std::exchange(first.told, true) ? std::optional<std::uint32_t>() : first.by.rule;
  };
  if (effect.type == wire_fault::corrupt) {
    std::string changed(part);
    for (std::size_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(offset - first.from) + i;
      changed[i] = effect.data.empty()
                       ? static_cast<char>(changed[i] ^ static_cast<char>(effect.bits))
                       : effect.data[at];
    }
    enqueue(changed, now, changed != part ? once() : std::nullopt, offset);
  } else if (effect.type == wire_fault::duplicate) {
    first.kept += part;
    enqueue(part, now, {}, offset);
  } else if (const auto rule = once()) {
    rules_.observed(*rule);
  }
  if (offset + count != first.end) return count;
  if (effect.type == wire_fault::duplicate)
    for (std::uint64_t n = 0; n < effect.copies; ++n) enqueue(first.kept, now, once(), {});
  changes_.pop_front();
  return count;
}

void wire_pipe::enqueue(std::string_view bytes, time_point now, std::optional<std::uint32_t> rule,
                        std::optional<std::uint64_t> offset) {
  if (bytes.empty()) return;
  last_due_ = std::max(last_due_, uring::later(now, conditions_.latency()));
  ++queued_items_;
  queue_.push_back(
      {deed::send, std::string(bytes), 0, last_due_, rule, offset, conditions_.begun()});
  queued_ += bytes.size();
}

void wire_pipe::enqueue_deed(deed what, time_point due, std::optional<std::uint32_t> rule) {
  last_due_ = std::max(last_due_, due);
  ++queued_items_;
  queue_.push_back({what, {}, 0, last_due_, rule, {}, conditions_.begun()});
}

void wire_pipe::push_end(bool by_reset, time_point now) {
  if (discards_ || conditions_.discards()) {
    swallowed_end_ = true;
    swallowed_reset_ = by_reset;
    return;
  }
  const auto wait = by_reset ? std::chrono::nanoseconds{} : conditions_.close_delay();
  enqueue_deed(by_reset ? deed::reset : deed::fin, uring::later(now, conditions_.latency() + wait),
               {});
}

void wire_pipe::apply(const wire_hit& hit, time_point now, bool at_once) {
  if (is_condition(hit.effect->type)) {
    if (hit.effect->type == wire_fault::partition) {
      if (!conditions_.holds()) held_from_ = queued_items_;
      if (at_once) held_from_ = 0;
    }
    conditions_.begin(hit, now);
  } else if (!discards_) {
    apply_event(hit, now);
  }
}

void wire_pipe::apply_event(const wire_hit& hit, time_point now) {
  const wire_effect& effect = *hit.effect;
  switch (effect.type) {
    case wire_fault::reset_peer:
      enqueue_deed(deed::reset, uring::later(now, effect.timeout), hit.rule);
      discards_ = true;
      break;
    case wire_fault::half_close:
      enqueue_deed(deed::fin, now, hit.rule);
      discards_ = true;
      break;
    case wire_fault::limit_data:
      // Both count the same bytes: the larger one is never reached.
      if (!limit_ || effect.bytes < limit_->left) limit_ = limit{effect.bytes, hit};
      if (effect.bytes == 0) begin_ending(hit, effect.then, now);
      break;
    case wire_fault::truncate:
      cut_off_ = true;
      cut_by_ = hit.rule;
      break;
    case wire_fault::insert:
      enqueue(effect.data, now, hit.rule, {});
      break;
    case wire_fault::corrupt:
    case wire_fault::drop:
    case wire_fault::duplicate: {
      const std::uint64_t end = offset_ + std::max<std::uint64_t>(effect.bytes, 1);
      const std::uint64_t begin =
          changes_.empty() ? offset_ : std::max(offset_, changes_.back().end);
      if (begin < end) changes_.push_back({hit, offset_, begin, end, {}, false});
      break;
    }
    default:
      break;  // not of a direction
  }
}

void wire_pipe::begin_ending(const wire_hit& hit, wire_ending how, time_point now) {
  const auto rule = hit.rule;  // the hit may lie in what is reset
  limit_.reset();
  discards_ = true;
  if (how == wire_ending::blackhole) {
    rules_.observed(rule);
  } else {
    enqueue_deed(how == wire_ending::rst ? deed::reset : deed::close, now, rule);
  }
}

bool wire_pipe::heal(std::optional<std::uint32_t> rule, time_point now) {
  const bool healed = conditions_.heal(rule);
  if (healed) tell_swallowed(now);
  return healed;
}

void wire_pipe::tell_swallowed(time_point now) {
  // A jam or a held queue goes on at its own time; what was late because of latency comes now. The
  // ends that rules have queued, and a slow one, keep their times.
  if (!conditions_.makes_wait()) {
    last_due_ = std::min(last_due_, now);
    for (item& each : queue_) {
      const bool is_late =
          each.what == deed::send || (!each.rule && conditions_.close_delay().count() == 0);
      if (is_late) each.due = std::min(each.due, now);
    }
  }
  paced_until_ = std::min(paced_until_, now);
  paused_until_ = std::min(paused_until_, now);
  if (!swallowed_end_ || discards_ || conditions_.discards()) return;
  swallowed_end_ = false;
  push_end(swallowed_reset_, now);
}

wire_pipe::order wire_pipe::next(time_point now) {
  if (conditions_.expire(now)) tell_swallowed(now);
  if (conditions_.closes(now)) return {deed::close, {}, {}, {}};
  const auto end = conditions_.next_end();
  const auto wait = [&](std::optional<time_point> until) {
    if (end && (!until || *end < *until)) until = end;
    return until ? order{deed::wait, *until, {}, {}} : order{};
  };
  if (queue_.empty()) return wait({});
  // What is passed on right now comes first, unless the connection is to break at once.
  const deed first = queue_.front().what;
  if (passing_ && first != deed::reset && first != deed::close) return wait({});
  if (conditions_.holds() && queued_items_ - queue_.size() >= held_from_) {
    conditions_.observe([](const wire_effect& e) { return e.type == wire_fault::partition; });
    return wait({});
  }
  item& front = queue_.front();
  if (is_held()) return wait({});
  if (front.due > now) return wait(front.due);
  if (front.what != deed::send) return {front.what, {}, {}, front.rule};
  if (paced_until_ > now) conditions_.observe_rate();
  if (const time_point at = std::max(paced_until_, paused_until_); at > now) return wait(at);
  const std::string_view rest = std::string_view(front.bytes).substr(front.done);
  std::optional<std::uint64_t> offset = front.offset;
  if (offset) *offset += front.done;
  std::uint64_t piece = std::min<std::uint64_t>(conditions_.piece(delivered_, offset), rest.size());
  cut_ = piece < rest.size();
  if (const std::uint64_t rate = conditions_.rate(); rate != 0)
    piece = std::min(piece, std::max<std::uint64_t>(rate / pieces_a_second, 1));
  if (gate_ != nullptr) piece = gate_->admits(piece);
  return {deed::send, {}, rest.substr(0, static_cast<std::size_t>(piece)), {}};
}

void wire_pipe::sent(std::size_t count, time_point now) {
  item& front = queue_.front();
  front.done += count;
  delivered_ += count;
  queued_ -= count;
  if (gate_ != nullptr) gate_->passed(count);
  if (const std::uint64_t rate = conditions_.rate(); rate != 0)
    paced_until_ = uring::later(std::max(paced_until_, now), time_of(count, rate));
  if (conditions_.pause().count() != 0)
    paused_until_ = std::max(paused_until_, uring::later(now, conditions_.pause()));
  conditions_.observe(keeps, front.begun);
  if (cut_) conditions_.observe([](const wire_effect& e) { return e.type == wire_fault::slicer; });
  if (front.done < front.bytes.size()) return;
  if (front.rule) rules_.observed(*front.rule);
  queue_.pop_front();
}

void wire_pipe::ended() {
  const item& end = queue_.front();
  if (end.rule) {
    rules_.observed(*end.rule);
  } else {
    conditions_.observe(
        [](const wire_effect& e) { return e.type == wire_fault::slow_close || keeps(e); },
        end.begun);
  }
  queue_.pop_front();
  ended_ = true;
}

}  // namespace scenarios
