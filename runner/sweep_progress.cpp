#include "runner/sweep_progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "reports/result_text.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace {

using reports::progress;
using reports::tone;
using scenarios::trial_end;
using scenarios::visible;

constexpr std::int64_t redraw_ns = 100'000'000;
constexpr std::string_view erase_line = "\r\x1b[K";
constexpr std::size_t tenths = 10;

tone tone_of(trial_end end) {
  constexpr std::array<tone, scenarios::trial_ends> tones{tone::good, tone::bad, tone::bad,
                                                          tone::bad, tone::faint};
  return tones[static_cast<std::size_t>(end)];
}

}  // namespace

sweep_progress::sweep_progress(reports::console_options options, write_function write,
                               clock_function now_ns)
    : options_(options), write_(std::move(write)), now_ns_(std::move(now_ns)) {}

void sweep_progress::begin(std::size_t total, std::size_t known) {
  total_ = total;
  done_ = known;
  told_tenths_ = total == 0 ? 0 : known * tenths / total;
}

void sweep_progress::phase(std::string what) {
  phase_ = std::move(what);
  running_.clear();
  numbers_.clear();
  tick();
}

void sweep_progress::started(const std::string& name) {
  if (options_.show != progress::bar) return;
  running_.emplace(++started_, running{name, now_ns_()});
  numbers_[name] = started_;
  tick();
}

void sweep_progress::gone(const std::string& name) {
  const auto found = numbers_.find(name);
  if (found == numbers_.end()) return;
  running_.erase(found->second);
  numbers_.erase(found);
}

void sweep_progress::ended(trial_end end, const std::string& line) {
  ++done_;
  ++ends_[static_cast<std::size_t>(end)];
  const bool whole = end == trial_end::clean || end == trial_end::not_fired;
  const bool wanted = options_.verbosity > 0 || (!whole && options_.verbosity == 0);
  if (wanted && (options_.show == progress::lines || options_.verbosity > 0)) {
    const std::string_view word = trial_end_name(end);
    print(reports::disarmed(fmt::format(
        "{} {}\n", reports::painted(reports::padded(word, 9), tone_of(end), options_.style),
        visible(line))));
  }
  const std::size_t now = total_ == 0 ? 0 : done_ * tenths / total_;
  if (options_.show == progress::lines && options_.verbosity == 0 && now > told_tenths_) {
    told_tenths_ = now;
    print(counts() + '\n');
  }
  tick();
}

std::string sweep_progress::counts() const {
  const auto of = [&](trial_end end) { return ends_[static_cast<std::size_t>(end)]; };
  return fmt::format("[{}/{}] {} clean, {} failed, {} hung, {} leaked", done_, total_,
                     of(trial_end::clean), of(trial_end::failed), of(trial_end::hung),
                     of(trial_end::leaked));
}

std::string sweep_progress::line() const {
  std::string text = counts();
  if (!phase_.empty()) text += "; " + phase_;
  if (!running_.empty()) {
    const running& oldest = running_.begin()->second;
    text += fmt::format("; {} running, longest {} {}", running_.size(),
                        reports::duration_text(now_ns_() - oldest.since_ns),
                        reports::disarmed(visible(oldest.name)));
  }
  // A line as wide as the terminal would wrap, and could not be erased any more.
  return reports::fitted(text, std::max<std::size_t>(options_.style.width, 2) - 1);
}

void sweep_progress::print(const std::string& text) {
  erase();
  write_(text);
}

void sweep_progress::erase() {
  if (std::exchange(drawn_, false)) write_(erase_line);
}

void sweep_progress::tick() {
  if (options_.show != progress::bar || options_.verbosity < 0) return;
  const std::int64_t now = now_ns_();
  if (ever_drawn_ && now - drawn_ns_ < redraw_ns) return;
  write_((drawn_ ? std::string(erase_line) : std::string()) + line());
  drawn_ = ever_drawn_ = true;
  drawn_ns_ = now;
}

void sweep_progress::finish() {
  erase();
  running_.clear();
  numbers_.clear();
}

}  // namespace runner
