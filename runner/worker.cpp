#include "runner/worker.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>
#include <map>
#include <utility>

#include "engine/op_table.hpp"
#include "reports/failure_block.hpp"
#include "runner/output.hpp"
#include "scenarios/units.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace {

using namespace std::chrono_literals;

// So many are started at once: enough that one system call submits for many, few enough that what
// they use stays in the processor's caches.
constexpr std::size_t started_at_once = 16;
// For as long a ring that always has something to do keeps the next ones waiting.
constexpr auto patience = 5ms;

constexpr std::size_t described_max = 50;

bool went_well(scenarios::verdict v) {
  using enum scenarios::verdict;
  return v == passed || v == skipped || v == xfailed || v == not_run;
}

}  // namespace

void drop_details(scenarios::scenario_result& of) {
  if (!went_well(of.result)) return;
  of.actors = {};
  of.services = {};
  of.processes = {};
  of.faults = {};
  of.resolved_faults = {};
  of.redactions = {};
  of.logs = {};
  of.rerun = {};
  of.earlier_failures = {};
  of.text = nullptr;
}

worker::worker(case_queue& from, result_queue& to, const worker_options& options)
    : from_(from), to_(to), options_(options) {
  options_.scenario.stop = &stop_;
}

worker::~worker() {
  if (thread_.joinable()) thread_.join();
}

void worker::start() {
  thread_ = std::thread([this] { live(); });
}

void worker::interrupt() {
  stop_asked_ = true;
  wake();
}

void worker::describe() {
  describe_asked_ = true;
  wake();
}

void worker::wake() {
  const std::scoped_lock lock(loop_mutex_);
  if (loop_ != nullptr) loop_->wake();
}

void worker::live() {
  prctl(PR_SET_NAME, "scenarios", 0UL, 0UL, 0UL);
  uring::loop_options how;
  how.ring = options_.ring;
  how.kernel = options_.kernel;
  int refused = 0;
  const std::unique_ptr<uring::loop> loop = uring::loop::open(how, refused);
  if (loop == nullptr) {
    to_.push({.kind = run_event::what::refused, .index = 0, .error = -refused, .result = {}});
    return;
  }
  const auto seam = scenarios::make_recording_seam(*loop);
  loop->set_seam(seam.get());
  loop->on_wake([this] { on_wake(); });
  {
    const std::scoped_lock lock(loop_mutex_);
    loop_ = loop.get();
  }
  // What was asked before the loop could be woken.
  if (stop_asked_) stop_event_.set();
  loop->run(drive());
  {
    const std::scoped_lock lock(loop_mutex_);
    loop_ = nullptr;
  }
  loop->set_seam(nullptr);
  to_.push({.kind = run_event::what::worker_ended, .index = 0, .error = 0, .result = {}});
}

// Called while completions are being reaped: it may only make others ready.
void worker::on_wake() {
  if (stop_asked_) stop_event_.set();
  if (describe_asked_.exchange(false)) print_running();
}

uring::task<void> worker::drive() {
  uring::scope watchers;
  watchers.spawn(end_when_asked());
  uring::scope all;
  for (;;) {
    if (running_.size() >= options_.jobs) co_await one_ended();
    case_queue::answer next = from_.take(left());
    if (next.empty) break;
    if (next.taken) {
      all.spawn(run_one(std::move(*next.taken)));
      co_await breathe();
    } else {
      co_await one_ended();
    }
  }
  co_await all.join();
  stop_event_.set();
  co_await watchers.join();
}

uring::task<void> worker::end_when_asked() {
  co_await stop_event_.wait();
  stop_.request_stop();
}

uring::task<void> worker::run_one(ticket given) {
  running self{given.what.get(), uring::clock::now(), 0};
  enter(self, given.needs);
  to_.push({.kind = run_event::what::started, .index = given.index, .error = 0, .result = {}});
  for (std::size_t round = options_.repeat; round != 0; --round) {
    const bool last = round == 1;
    std::size_t attempts_left = std::max<std::size_t>(options_.retries, given.what->retries);
    std::vector<scenarios::diagnostic> earlier;
    scenarios::scenario_result result =
        co_await scenarios::run_scenario(*loop_, given.what, options_.scenario);
    while (failed_for_now(result, attempts_left, earlier)) {
      const std::uint32_t attempts = result.attempts + 1;
      result = co_await scenarios::run_scenario(*loop_, given.what, options_.scenario);
      result.attempts = attempts;
      if (result.result == scenarios::verdict::passed) result.result = scenarios::verdict::flaky;
    }
    result.earlier_failures = std::move(earlier);
    if (told(std::move(result), given.index, last)) break;
  }
  from_.release(*given.what);
  leave(self, given.needs);
}

bool worker::failed_for_now(scenarios::scenario_result& result, std::size_t& attempts_left,
                            std::vector<scenarios::diagnostic>& earlier) const {
  if (attempts_left == 0 || !reports::is_failure(result.result) || stop_.stop_requested())
    return false;
  --attempts_left;
  for (scenarios::diagnostic& each : result.failures) earlier.push_back(std::move(each));
  for (scenarios::actor_result& actor : result.actors) {
    for (scenarios::step_result& step : actor.steps) {
      for (scenarios::diagnostic& each : step.failures) earlier.push_back(std::move(each));
    }
  }
  return true;
}

// A plain function, so that no result takes room in the frame of every scenario that waits.
bool worker::told(scenarios::scenario_result&& result, std::size_t index, bool last) {
  if (!last && result.result == scenarios::verdict::passed) return false;
  if (options_.fail_fast && reports::is_failure(result.result)) from_.close();
  if (!options_.keep_details) drop_details(result);
  to_.push(
      {.kind = run_event::what::ended, .index = index, .error = 0, .result = std::move(result)});
  return true;
}

uring::task<void> worker::one_ended() {
  ended_.emplace();
  co_await ended_->wait();
  ended_.reset();
}

// After a batch, lets what runs go on until it waits for somebody else.
uring::task<void> worker::breathe() {
  if (++started_ < started_at_once) co_return;
  started_ = 0;
  co_await loop_->sleep_for(patience).or_idle();
}

room worker::left() const {
  const std::size_t spare = options_.descriptors - std::min(descriptors_, options_.descriptors);
  return {.descriptors = spare,
          .heavy = heavy_ < options_.heavy_jobs,
          .idle = running_.empty(),
          .locks = options_.locks};
}

void worker::enter(running& one, const footprint& needs) {
  one.position = running_.size();
  running_.push_back(&one);
  heavy_ += needs.heavy ? 1 : 0;
  descriptors_ += needs.descriptors;
}

void worker::leave(const running& one, const footprint& needs) {
  running_.back()->position = one.position;
  running_[one.position] = running_.back();
  running_.pop_back();
  heavy_ -= needs.heavy ? 1 : 0;
  descriptors_ -= needs.descriptors;
  if (ended_) ended_->set();
}

void worker::print_running() const {
  std::vector<const running*> oldest(running_.begin(), running_.end());
  std::ranges::sort(oldest, {}, &running::since);
  std::string text = fmt::format("uring-scenario: {} scenario{} running on this ring\n",
                                 oldest.size(), oldest.size() == 1 ? "" : "s");
  const uring::time_point now = uring::clock::now();
  for (std::size_t i = 0; i < std::min(oldest.size(), described_max); ++i) {
    text += fmt::format("  {:>9}  {}\n", scenarios::format_elapsed(now - oldest[i]->since),
                        scenarios::visible(oldest[i]->what->id));
  }
  if (oldest.size() > described_max) {
    text += fmt::format("  … {} more\n", oldest.size() - described_max);
  }
  std::map<std::string_view, std::size_t> pending;
  loop_->each_pending([&](const uring::operation& op) { ++pending[uring::op_name(op.opcode())]; });
  text += "  in the kernel:";
  for (const auto& [op, count] : pending) text += fmt::format(" {} {}", count, op);
  print_error(reports::disarmed(text + (pending.empty() ? " nothing\n" : "\n")));
}

}  // namespace runner
