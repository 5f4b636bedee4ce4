#include "scenarios/wire/datagram_pipe.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "engine/draw.hpp"

namespace scenarios {

void datagram_pipe::push(std::string_view datagram, time_point now) {
  const std::vector<wire_hit> hits = rules_.on_datagram(link_, dir_, datagram);
  std::string bytes(datagram);
  std::size_t copies = 0;
  std::vector<std::uint32_t> changed;
  for (const wire_hit& hit : hits) {
    if (row_of(hit.effect->type).span == wire_span::condition) {
      conditions_.begin(hit, now);
    } else if (hit.effect->type == wire_fault::drop) {
      rules_.observed(hit.rule);  // whatever else would have become of it
      return;
    } else {
      const std::size_t copies_before = copies;
      const std::string before = bytes;
      alter(bytes, hit, copies, now);
      // What leaves it as it was gives nobody anything; the others tell by themselves.
      if (copies != copies_before || bytes != before) changed.push_back(hit.rule);
    }
  }
  if (conditions_.drops_datagrams()) {
    conditions_.observe([](const wire_effect& e) {
      return e.type == wire_fault::blackhole || e.type == wire_fault::partition;
    });
    return;
  }
  for (std::size_t n = 0; n < copies; ++n)
    enqueue(bytes, now, n == 0 ? changed : std::vector<std::uint32_t>());
  if (copies != 0) changed.clear();  // the first copy has told it
  if (shuffle_) return keep(std::move(bytes), now, std::move(changed));
  enqueue(std::move(bytes), now, std::move(changed));
}

void datagram_pipe::alter(std::string& datagram, const wire_hit& hit, std::size_t& copies,
                          time_point now) {
  const wire_effect& effect = *hit.effect;
  switch (effect.type) {
    case wire_fault::truncate:
      datagram.resize(std::min<std::size_t>(datagram.size(), effect.bytes));
      break;
    case wire_fault::duplicate:
      copies += effect.copies;
      break;
    case wire_fault::insert:
      enqueue(effect.data, now, {hit.rule});
      break;
    case wire_fault::corrupt:
      for (std::uint64_t i = 0; i < effect.bytes && effect.offset + i < datagram.size(); ++i) {
        char& at = datagram[effect.offset + i];
        at = effect.data.empty() ? static_cast<char>(at ^ static_cast<char>(effect.bits))
                                 : effect.data[i];
      }
      break;
    case wire_fault::reorder:
      if (shuffle_) {
        if (shuffle_->by.rule == hit.rule) rules_.joined(hit.rule);
        break;
      }
      shuffle_ = shuffle{hit, {}, uring::later(now, effect.delay)};
      shuffle_->by.seed = uring::draw_bits(hit.seed, static_cast<std::uint64_t>(dir_));
      break;
    default:
      break;  // not of datagrams
  }
}

void datagram_pipe::apply(const wire_hit& hit, time_point now) {
  if (row_of(hit.effect->type).span == wire_span::condition) conditions_.begin(hit, now);
}

bool datagram_pipe::heal(std::optional<std::uint32_t> rule, time_point now) {
  bool healed = conditions_.heal(rule);
  if (healed) go_on(now);
  if (shuffle_ && (!rule || *rule == shuffle_->by.rule)) {
    release(now);
    healed = true;
  }
  return healed;
}

/// Something that held datagrams up has ended: what nothing else holds comes now.
void datagram_pipe::go_on(time_point now) {
  not_before_ = std::min(not_before_, now);
  if (conditions_.makes_wait()) return;
  for (item& each : queue_) each.due = std::min(each.due, now);
}

void datagram_pipe::enqueue(std::string bytes, time_point now, std::vector<std::uint32_t> rules) {
  // As a router whose queue is full.
  if (queue_.size() >= kept_max || kept_bytes_ + bytes.size() > kept_bytes_max) return;
  kept_bytes_ += bytes.size();
  const time_point due = uring::later(now, conditions_.latency());
  const auto place = std::ranges::upper_bound(queue_, due, {}, &item::due);
  queue_.insert(place, item{std::move(bytes), due, std::move(rules), conditions_.begun()});
}

void datagram_pipe::keep(std::string bytes, time_point now, std::vector<std::uint32_t> rules) {
  shuffle_->kept.push_back({std::move(bytes), {}, std::move(rules), 0});
  if (shuffle_->kept.size() >= shuffle_->by.effect->window) release(now);
}

void datagram_pipe::release(time_point now) {
  shuffle ready = *std::exchange(shuffle_, std::nullopt);
  std::vector<std::uint64_t> order = ready.by.effect->order;
  if (order.size() != ready.kept.size()) {
    // Drawn, or as far as those that came in time can change places.
    order.resize(ready.kept.size());
    std::iota(order.begin(), order.end(), 0U);
    for (std::size_t i = order.size(); i > 1; --i) {
      const double u = uring::draw(ready.by.seed, i);
      std::swap(order[i - 1], order[static_cast<std::size_t>(u * static_cast<double>(i - 1))]);
    }
  }
  // One that was alone has not changed places with anybody.
  if (order.size() > 1)
    ready.kept[static_cast<std::size_t>(order[0])].rules.push_back(ready.by.rule);
  for (const std::uint64_t each : order) {
    item& next = ready.kept[static_cast<std::size_t>(each)];
    enqueue(std::move(next.bytes), now, std::move(next.rules));
  }
}

datagram_pipe::order datagram_pipe::next(time_point now) {
  if (conditions_.expire(now)) go_on(now);
  if (shuffle_ && shuffle_->until <= now) release(now);
  order made;
  const auto ask_at = [&](std::optional<time_point> at) {
    if (at && (!made.until || *at < *made.until)) made.until = at;
  };
  ask_at(conditions_.next_end());
  if (shuffle_) ask_at(shuffle_->until);
  if (queue_.empty()) return made;
  if (conditions_.holds()) {
    conditions_.observe([](const wire_effect& e) { return e.type == wire_fault::partition; });
    return made;
  }
  if (gate_ != nullptr && gate_->admits(1) == 0) return made;
  const time_point due = std::max(queue_.front().due, not_before_);
  if (queue_.front().due <= now && not_before_ > now) conditions_.observe_rate();
  ask_at(due);
  if (due > now) return made;
  made.datagram = std::move(queue_.front().bytes);
  kept_bytes_ -= made.datagram->size();
  made.rules = std::move(queue_.front().rules);
  made.begun = queue_.front().begun;
  queue_.pop_front();
  return made;
}

void datagram_pipe::sent(const order& done, time_point now) {
  const std::size_t size = done.datagram->size();
  delivered_ += size;
  if (const std::uint64_t rate = conditions_.rate(); rate != 0)
    not_before_ = uring::later(std::max(not_before_, now), time_of(size, rate));
  conditions_.observe(
      [](const wire_effect& e) { return e.latency.count() != 0 || e.jitter.count() != 0; },
      done.begun);
  for (const std::uint32_t rule : done.rules) rules_.observed(rule);
}

}  // namespace scenarios
