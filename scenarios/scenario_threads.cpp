#include "scenarios/scenario_threads.hpp"

#include <utility>

#include "scenarios/actor_thread.hpp"

namespace scenarios {
namespace {

using namespace std::chrono_literals;

// Between two looks at threads that wait for each other only: letters travel faster.
constexpr uring::duration quiet_letters = 2ms;

}  // namespace

uring::task<void> let_connections_come(uring::loop& on) {
  // The kernel has posted the completion of a connect before that of the accept: it is at most a
  // turn away, and its strand another one.
  for (int turns = 0; turns < 4; ++turns) co_await on.sleep_for(0ns);
}

scenario_threads::stop_link::stop_link(std::function<void()> what)
    : stop_callback([](stop_callback& c) noexcept { static_cast<stop_link&>(c).then(); }),
      then(std::move(what)) {}

scenario_threads::quiet_timer::quiet_timer(scenario_threads& self)
    : timer([](uring::timer& t) noexcept { static_cast<quiet_timer&>(t).owner.look(); }),
      owner(self) {}

scenario_threads::scenario_threads(scenario_run& run, const run_options& options, mailbox& home)
    : run_(run),
      options_(options),
      home_(home),
      on_stop_([this] { tell([](scenario_run& there) { there.stop.request_stop(); }); }),
      on_others_ended_(
          [this] { tell([](scenario_run& there) { there.others_ended.request_stop(); }); }),
      at_barrier_(run.what.barriers.size()),
      quiet_(*this) {
  run_.threads = this;
}

scenario_threads::~scenario_threads() = default;

// ---- The lives of the threads ------------------------------------------------------------------

uring::task<bool> scenario_threads::start() {
  thread_start with{
      run_.what,      options_, run_.loop.io().mode(), run_.loop.kernel(), run_.clock.started,
      run_.directory, {}};
  with.options.stop = nullptr;  // Ctrl-C comes by way of home
  for (std::uint32_t slot = 0; slot < run_.what.shared_slots; ++slot) {
    const shared_future& known = run_.future(slot);
    if (known.assigned.is_set()) with.published.emplace_back(slot, known.held);
  }
  for (std::uint32_t i = 0; i < run_.what.actors.size(); ++i) {
    if (run_.is_here(i)) continue;
    threads_.push_back(std::make_unique<actor_thread>(*this, threads_.size(), i, with));
  }
  to_start_ = to_end_ = to_gather_ = to_finish_ = threads_.size();
  for (const uring::socket_address& each : run_.listeners) listening(each);
  on_stop_.link(run_.stop);
  on_others_ended_.link(run_.others_ended);
  co_await started_.wait();
  co_return all_started_;
}

void scenario_threads::go() {
  gone_ = true;
  for (const auto& each : threads_) each->go(run_.ring_descriptors);
}

uring::task<void> scenario_threads::gather() {
  if (!gone_) {
    for (const auto& each : threads_) each->leave();
  }
  gone_ = true;
  co_await gathered_.wait();
}

uring::task<void> scenario_threads::end() {
  if (threads_.empty()) co_return;
  quiet_.disarm();
  if (!gone_) co_await gather();
  co_await errands_.join();
  for (const auto& each : threads_) each->end();
  co_await finished_.wait();
  for (const auto& each : threads_) {
    each->join();
    scenario_result& rest = each->rest();
    for (std::string& line : rest.logs) run_.result.logs.push_back(std::move(line));
    for (scenario_remark& remark : rest.remarks) run_.result.remarks.push_back(std::move(remark));
    for (redaction& hidden : rest.redactions)
      run_.redact(std::move(hidden.text), std::move(hidden.placeholder));
    run_.result.strays += rest.strays;
  }
}

void scenario_threads::thread_ended() {
  if (--to_end_ == 0) ended_.set();
}

// What actors have open is closed when nobody runs any more.
uring::task<void> scenario_threads::all_ended() {
  co_await ended_.wait();
  for (const auto& each : threads_)
    each->tell([&to = each->may_close_](scenario_run&) { to.set(); });
}

void scenario_threads::results_of(std::uint32_t actor, std::vector<actor_result>& into) {
  for (const auto& each : threads_) {
    if (each->actor() != actor) continue;
    for (actor_result& result : each->actors()) into.push_back(std::move(result));
  }
}

// ---- Letters -----------------------------------------------------------------------------------

// To all but the one from whom home has it.
void scenario_threads::tell(const told& what) {
  for (const auto& each : threads_)
    if (each.get() != speaking_) each->tell(what);
}

void scenario_threads::published(std::uint32_t slot, const value& v, bool varies) {
  tell([slot, v, varies](scenario_run& there) { there.publish(slot, v, varies); });
}

void scenario_threads::signalled(std::uint32_t signal) {
  tell([signal](scenario_run& there) { there.give_signal(signal); });
}

void scenario_threads::connected(const scenario_run::dialled& who) {
  tell([who](scenario_run& there) { there.add_connection(who); });
}

void scenario_threads::listening(const uring::socket_address& where) {
  tell([where](scenario_run& there) { there.add_listener(where); });
}

void scenario_threads::met_outsiders() {
  tell([](scenario_run& there) { there.meet_outsiders(); });
}

void scenario_threads::step_failed() {
  tell([](scenario_run& there) { there.step_failed(); });
}

// Why is told once, here; there it is enough that something has.
void scenario_threads::failed(const diagnostic& /*why*/) {
  step_failed();
}

// The stop tells them.
void scenario_threads::skipped(const std::string& /*reason*/) {}

void scenario_threads::arrived(std::uint32_t barrier, uring::event& met) {
  arrive(barrier, [&met] { met.set(); });
}

void scenario_threads::arrive(std::uint32_t barrier, letter when_met) {
  std::vector<letter>& there = at_barrier_[barrier];
  there.push_back(std::move(when_met));
  if (there.size() < run_.what.barriers[barrier].parties) return;
  const std::vector<letter> all = std::exchange(there, {});
  for (const letter& each : all) each();
}

uring::task<void> scenario_threads::catch_up_with(const actor_thread* except) {
  struct waiting {
    std::size_t left = 0;
    uring::event all;
  };
  waiting answers;
  for (const auto& each : threads_) {
    if (each.get() == except) continue;
    ++answers.left;
    each->post([&self = *each, &answers] {
      self.errands_.spawn(self.answer_when_caught_up([&answers] {
        if (--answers.left == 0) answers.all.set();
      }));
    });
  }
  co_await let_connections_come(run_.loop);
  if (answers.left != 0) co_await answers.all.wait();
}

// ---- Whether anything can still come -----------------------------------------------------------

void scenario_threads::may_be_stuck() {
  look();
}

void scenario_threads::late(diagnostic why, std::string who) {
  if (!late_) late_.emplace(std::move(why), std::move(who));
  ask();
}

void scenario_threads::look() {
  if (threads_.empty() || run_.stop.stop_requested() || !run_.is_idle()) return;
  ask();
}

void scenario_threads::ask() {
  if (unanswered_ != 0) {
    look_again_ = true;
    return;
  }
  standings_.assign(threads_.size() + 1, {});
  sent_in_round_ = read_in_round_ = 0;
  unanswered_ = threads_.size();
  for (const auto& each : threads_) each->ask();
}

void scenario_threads::answer(std::size_t from, run_standing standing, std::uint64_t sent,
                              std::uint64_t read) {
  standings_[from + 1] = std::move(standing);
  sent_in_round_ += sent;
  read_in_round_ += read;
  if (--unanswered_ != 0) return;
  standings_[0] = run_.standing();
  sent_in_round_ += sent_;
  read_in_round_ += read_;
  conclude();
  if (std::exchange(look_again_, false)) look();
}

void scenario_threads::conclude() {
  if (late_) {
    std::vector<run_standing::activity> all;
    for (const run_standing& each : standings_)
      all.insert(all.end(), each.activities.begin(), each.activities.end());
    auto [why, who] = *std::exchange(late_, std::nullopt);
    run_.tell_late(std::move(why), who, std::move(all));
    return;
  }
  bool idle = true;
  bool pending = false;
  uring::duration quiet = quiet_letters;
  std::size_t strands = 0;
  fingerprint now{sent_in_round_, 0};
  std::vector<run_standing::wait> waits;
  for (const run_standing& each : standings_) {
    idle = idle && each.idle;
    pending = pending || each.io_pending;
    quiet = std::max(quiet, each.quiet);
    strands += each.strands;
    now.progress += each.progress;
    waits.insert(waits.end(), each.waits.begin(), each.waits.end());
  }
  // Whoever moves looks again when he no longer can.
  if (!idle || strands == 0 || waits.empty() || run_.stop.stop_requested()) {
    before_.reset();
    return;
  }
  const bool same = before_ == now && sent_in_round_ == read_in_round_ && !pending;
  same_rounds_ = same ? same_rounds_ + 1 : 0;
  before_ = now;
  if (same_rounds_ > 1) {
    run_.give_up(waits);
  } else {
    run_.loop.timers().arm(quiet_, uring::clock::now() + run_.scaled(quiet));
  }
}

}  // namespace scenarios
