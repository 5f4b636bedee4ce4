#include "scenarios/actor_thread.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>

#include "engine/errno_name.hpp"
#include "engine/seam.hpp"
#include "scenarios/actors.hpp"
#include "scenarios/scenario_rings.hpp"

namespace scenarios {

actor_thread::actor_thread(scenario_threads& home, std::size_t index, std::uint32_t actor,
                           thread_start with)
    : home_(home), index_(index), actor_(actor), with_(std::move(with)) {
  thread_ = std::thread([this] { live(); });
}

actor_thread::~actor_thread() {
  join();
}

// ---- What home says ----------------------------------------------------------------------------

void actor_thread::tell(told what) {
  ++home_.sent_;
  post([this, what = std::move(what)] {
    ++read_;
    hearing_ = true;
    what(*run_);
    hearing_ = false;
  });
}

void actor_thread::go(std::vector<int> ring_descriptors) {
  tell([this, all = std::move(ring_descriptors)](scenario_run& run) {
    run.ring_descriptors = all;
    go_.set();
  });
}

void actor_thread::leave() {
  post([this] {
    leaving_ = true;
    go_.set();
  });
}

void actor_thread::end() {
  post([this] { end_.set(); });
}

void actor_thread::ask() {
  post([this] {
    home_.home_.post([&home = home_, at = index_, standing = run_->standing(), sent = sent_,
                      read = read_] { home.answer(at, standing, sent, read); });
  });
}

// The event is of this thread, so it is set there.
mailbox::letter actor_thread::setter_of(uring::event& met) {
  return [this, &met] { tell([&met](scenario_run&) { met.set(); }); };
}

// ---- Its life ----------------------------------------------------------------------------------

void actor_thread::live() {
  prctl(PR_SET_NAME, "scenario-actor", 0UL, 0UL, 0UL);
  uring::loop_options how;
  how.ring.entries = 256;
  how.ring.mode = with_.mode;
  how.kernel = &with_.kernel;
  int error = 0;
  const std::unique_ptr<uring::loop> loop = uring::loop::open(how, error);
  if (loop == nullptr) {
    const char* name = uring::errno_name(-error);
    const std::string why =
        fmt::format("the ring of the thread of {} was refused: {}", with_.what.actors[actor_].name,
                    name != nullptr ? name : "unknown error");
    tell_home([why](scenario_threads& home) {
      home.run_.fail(home.run_.make(code::setup_failed, {}, why));
    });
    report_started(false);
    home_.home_.post([&home = home_] {
      if (--home.to_gather_ == 0) home.gathered_.set();
      if (--home.to_finish_ == 0) home.finished_.set();
    });
    return;
  }
  const auto seam = make_recording_seam(*loop);
  loop->set_seam(seam.get());
  loop->run(run_all(*loop));
  loop->set_seam(nullptr);
}

uring::task<void> actor_thread::run_all(uring::loop& loop) {
  scenario_run run(loop, with_.what, with_.options);
  run.only_actor = actor_;
  run.clock.started = with_.clock;
  run.directory = with_.directory;
  hearing_ = true;
  run.threads = this;
  for (auto& [slot, known] : with_.published) run.publish(slot, std::move(known));
  hearing_ = false;
  run_ = &run;
  mail_.open(loop);
  co_await act();
  co_await errands_.join();
  co_await close_rings(run);
  mail_.close();
  run_ = nullptr;
  rest_ = std::move(run.result);
  home_.home_.post([&home = home_] {
    if (--home.to_finish_ == 0) home.finished_.set();
  });
}

uring::task<void> actor_thread::act() {
  actor_group actors(*run_);
  const bool well = open_rings(*run_) && actors.bind_all();
  for (std::uint32_t i = 0; i < run_->rings.size(); ++i) {
    if (run_->rings[i] == nullptr) continue;
    tell_home([i, fd = run_->rings[i]->descriptor()](scenario_threads& home) {
      home.run_.ring_descriptors[i] = fd;
    });
  }
  report_started(well);
  co_await go_.wait();
  if (!leaving_) co_await actors.run_all();
  actors.collect(actors_);
  home_.home_.post([&home = home_] {
    if (--home.to_gather_ == 0) home.gathered_.set();
  });
  co_await end_.wait();
}

void actor_thread::report_started(bool well) {
  home_.home_.post([&home = home_, well] {
    home.all_started_ = home.all_started_ && well;
    if (--home.to_start_ == 0) home.started_.set();
  });
}

// ---- What it says to home ----------------------------------------------------------------------

void actor_thread::tell_home(std::function<void(scenario_threads&)> what) {
  if (hearing_) return;
  ++sent_;
  home_.home_.post([this, what = std::move(what)] {
    ++home_.read_;
    home_.speaking_ = this;
    what(home_);
    home_.speaking_ = nullptr;
  });
}

void actor_thread::published(std::uint32_t slot, const value& v, bool varies) {
  tell_home([slot, v, varies](scenario_threads& home) { home.run_.publish(slot, v, varies); });
}

void actor_thread::signalled(std::uint32_t signal) {
  tell_home([signal](scenario_threads& home) { home.run_.give_signal(signal); });
}

void actor_thread::arrived(std::uint32_t barrier, uring::event& met) {
  tell_home(
      [this, barrier, &met](scenario_threads& home) { home.arrive(barrier, setter_of(met)); });
}

void actor_thread::connected(const scenario_run::dialled& who) {
  tell_home([who](scenario_threads& home) { home.run_.add_connection(who); });
}

void actor_thread::listening(const uring::socket_address& where) {
  tell_home([where](scenario_threads& home) { home.run_.add_listener(where); });
}

void actor_thread::met_outsiders() {
  tell_home([](scenario_threads& home) { home.run_.meet_outsiders(); });
}

void actor_thread::step_failed() {
  tell_home([](scenario_threads& home) { home.run_.step_failed(); });
}

void actor_thread::failed(const diagnostic& why) {
  tell_home([why](scenario_threads& home) { home.run_.fail(why); });
}

void actor_thread::skipped(const std::string& reason) {
  tell_home([reason](scenario_threads& home) { home.run_.skip(reason); });
}

void actor_thread::late(diagnostic why, std::string who) {
  tell_home([why = std::move(why), who = std::move(who)](scenario_threads& home) {
    home.late(why, who);
  });
}

void actor_thread::actor_ended() {
  tell_home([](scenario_threads& home) { home.run_.actor_ended(); });
}

void actor_thread::may_be_stuck() {
  home_.home_.post([&home = home_] { home.look(); });
}

uring::task<void> actor_thread::all_ended() {
  tell_home([](scenario_threads& home) { home.thread_ended(); });
  co_await may_close_.wait();
}

uring::task<void> actor_thread::catch_up() {
  uring::event done;
  home_.home_.post([this, &done] {
    home_.errands_.spawn([](actor_thread& self, uring::event& met) -> uring::task<void> {
      co_await self.home_.catch_up_with(&self);
      self.post([&met] { met.set(); });
    }(*this, done));
  });
  co_await done.wait();
}

uring::task<void> actor_thread::answer_when_caught_up(mailbox::letter done) {
  co_await let_connections_come(run_->loop);
  home_.home_.post(std::move(done));
}

}  // namespace scenarios
