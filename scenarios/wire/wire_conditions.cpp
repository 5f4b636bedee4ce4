#include "scenarios/wire/wire_conditions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "engine/draw.hpp"

namespace scenarios {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t read_size = 64U << 10U;
/// From -1 to 1 for the uniform distribution, around 0 for the normal one, from 0 up for pareto.
double spread(jitter_distribution how, std::uint64_t seed, std::uint64_t draw) {
  const double u = uring::draw(seed, draw * 2);
  if (how == jitter_distribution::uniform) return 2 * u - 1;
  if (how == jitter_distribution::pareto) {
    // Shape 3 and mean 1, moved to begin at 0; nothing beyond a hundred times the mean.
    constexpr double shape = 3;
    const double x = std::pow(1 - u, -1 / shape) - 1;
    return std::min(x * (shape - 1), 100.0);
  }
  const double v = uring::draw(seed, draw * 2 + 1);
  return std::sqrt(-2 * std::log(1 - u)) * std::cos(2 * std::numbers::pi * v);
}

}  // namespace

nanoseconds time_of(std::uint64_t bytes, std::uint64_t rate) {
  return nanoseconds(
      static_cast<std::int64_t>(static_cast<double>(bytes) * 1e9 / static_cast<double>(rate)));
}

void wire_conditions::begin(const wire_hit& hit, time_point now) {
  condition made{};
  made.hit = hit;
  made.hit.seed = uring::draw_bits(hit.seed, static_cast<std::uint64_t>(dir_));
  if (hit.effect->lasts) made.until = uring::later(now, *hit.effect->lasts);
  if (hit.effect->type == wire_fault::timeout && hit.effect->timeout.count() > 0)
    made.closes_at = uring::later(now, hit.effect->timeout);
  made.reads_at = now;
  made.number = begun_++;
  all_.push_back(std::move(made));
}

bool wire_conditions::heal(std::optional<std::uint32_t> rule) {
  return std::erase_if(all_, [&](const condition& c) { return !rule || c.hit.rule == *rule; }) != 0;
}

bool wire_conditions::expire(time_point now) {
  return std::erase_if(all_, [&](const condition& c) { return c.until && *c.until <= now; }) != 0;
}

std::optional<wire_conditions::time_point> wire_conditions::next_end() const {
  std::optional<time_point> next;
  for (const condition& each : all_) {
    if (each.until && (!next || *each.until < *next)) next = each.until;
    if (each.closes_at && (!next || *each.closes_at < *next)) next = each.closes_at;
  }
  return next;
}

const wire_conditions::condition* wire_conditions::find(wire_fault type) const {
  const auto found =
      std::ranges::find_if(all_, [&](const condition& c) { return c.hit.effect->type == type; });
  return found == all_.end() ? nullptr : &*found;
}

const wire_conditions::condition* wire_conditions::find_partition(bool jammed) const {
  const auto found = std::ranges::find_if(all_, [&](const condition& c) {
    const wire_effect& effect = *c.hit.effect;
    return effect.type == wire_fault::partition && effect.kind != partition_kind::slowed &&
           (!jammed || effect.kind == partition_kind::jammed);
  });
  return found == all_.end() ? nullptr : &*found;
}

bool wire_conditions::jams() const {
  return find_partition(true) != nullptr || std::ranges::any_of(all_, [](const condition& c) {
           return c.hit.effect->type == wire_fault::backpressure && c.hit.effect->rate == 0;
         });
}

bool wire_conditions::jams_at(const condition& of, time_point now) {
  const wire_effect& effect = *of.hit.effect;
  if (effect.type == wire_fault::partition) return effect.kind == partition_kind::jammed;
  return effect.type == wire_fault::backpressure && (effect.rate == 0 || of.reads_at > now);
}

bool wire_conditions::jams_unseen(time_point now) const {
  return std::ranges::any_of(all_,
                             [&](const condition& c) { return !c.observed && jams_at(c, now); });
}

bool wire_conditions::makes_wait() const {
  return std::ranges::any_of(all_, [](const condition& c) {
    return c.hit.effect->latency.count() != 0 || c.hit.effect->type == wire_fault::partition;
  });
}

std::optional<std::uint32_t> wire_conditions::discards() const {
  for (const wire_fault type : {wire_fault::blackhole, wire_fault::timeout})
    if (const condition* found = find(type)) return found->hit.rule;
  return std::nullopt;
}

bool wire_conditions::drops_datagrams() const {
  if (find(wire_fault::blackhole) != nullptr) return true;
  return std::ranges::any_of(all_, [](const condition& c) {
    return c.hit.effect->type == wire_fault::partition &&
           c.hit.effect->kind == partition_kind::stopped;
  });
}

bool wire_conditions::closes(time_point now) {
  for (condition& each : all_) {
    if (!each.closes_at || *each.closes_at > now) continue;
    each.closes_at.reset();
    tell(each);
    return true;
  }
  return false;
}

nanoseconds wire_conditions::latency() {
  double sum = 0;
  for (condition& each : all_) {
    const wire_effect& effect = *each.hit.effect;
    double time = static_cast<double>(effect.latency.count());
    if (effect.jitter.count() != 0)
      time += static_cast<double>(effect.jitter.count()) *
              spread(effect.distribution, each.hit.seed, each.draws++);
    sum += std::max(time, 0.0);
  }
  return nanoseconds(static_cast<std::int64_t>(sum));
}

nanoseconds wire_conditions::close_delay() const {
  nanoseconds longest{};
  for (const condition& each : all_)
    if (each.hit.effect->type == wire_fault::slow_close)
      longest = std::max(longest, each.hit.effect->delay);
  return longest;
}

std::uint64_t wire_conditions::rate() const {
  std::uint64_t least = 0;
  for (const condition& each : all_) {
    const wire_effect& effect = *each.hit.effect;
    if (effect.rate == 0 || effect.type == wire_fault::backpressure) continue;
    if (least == 0 || effect.rate < least) least = effect.rate;
  }
  return least;
}

std::uint64_t wire_conditions::piece(std::uint64_t delivered, std::optional<std::uint64_t> offset) {
  std::uint64_t size = std::numeric_limits<std::uint64_t>::max();
  for (condition& each : all_) {
    const wire_effect& effect = *each.hit.effect;
    if (effect.type != wire_fault::slicer) continue;
    const auto cut = offset ? std::ranges::upper_bound(effect.cuts, *offset) : effect.cuts.end();
    if (cut != effect.cuts.end()) size = std::min(size, *cut - *offset);
    if (effect.average_size == 0) continue;
    while (each.cut <= delivered) {
      // From average - variation to average + variation, both included.
      const double u = uring::draw(each.hit.seed, each.draws++);
      const auto more =
          static_cast<std::uint64_t>(u * static_cast<double>(2 * effect.size_variation + 1));
      each.cut = std::max(each.cut, delivered) + effect.average_size - effect.size_variation + more;
    }
    size = std::min(size, each.cut - delivered);
  }
  return size;
}

nanoseconds wire_conditions::pause() const {
  nanoseconds longest{};
  for (const condition& each : all_)
    if (each.hit.effect->type == wire_fault::slicer)
      longest = std::max(longest, each.hit.effect->delay);
  return longest;
}

void wire_conditions::read(std::size_t count, time_point now) {
  for (condition& each : all_) {
    if (each.hit.effect->type != wire_fault::backpressure || each.hit.effect->rate == 0) continue;
    each.reads_at =
        uring::later(std::max(each.reads_at, now), time_of(count, each.hit.effect->rate));
  }
}

std::optional<wire_conditions::time_point> wire_conditions::reads_at() const {
  std::optional<time_point> last;
  for (const condition& each : all_)
    if (each.hit.effect->type == wire_fault::backpressure && each.hit.effect->rate != 0)
      last = std::max(last.value_or(each.reads_at), each.reads_at);
  return last;
}

std::size_t wire_conditions::read_max() const {
  std::uint64_t least = read_size;
  for (const condition& each : all_)
    if (each.hit.effect->type == wire_fault::backpressure && each.hit.effect->rate != 0)
      least = std::min(least, each.hit.effect->rate / pieces_a_second);
  return static_cast<std::size_t>(std::max<std::uint64_t>(least, 1));
}

void wire_conditions::tell(condition& of) {
  if (!std::exchange(of.observed, true)) rules_.observed(of.hit.rule);
}

void wire_conditions::observe(bool (*which)(const wire_effect& effect), std::uint64_t begun) {
  for (condition& each : all_)
    if (each.number < begun && which(*each.hit.effect)) tell(each);
}

void wire_conditions::observe_jam(time_point now) {
  for (condition& each : all_)
    if (jams_at(each, now)) tell(each);
}

void wire_conditions::observe_rate() {
  const std::uint64_t least = rate();
  for (condition& each : all_)
    if (least != 0 && each.hit.effect->rate == least &&
        each.hit.effect->type != wire_fault::backpressure)
      tell(each);
}

}  // namespace scenarios
