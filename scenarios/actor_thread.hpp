// One actor on a thread of its own: the thread, its loop and ring, and the run that the actor sees.
//
// Made and ended by scenario_threads, to which it is the other end of the link. What is public is
// called on home's thread; the rest of it lives on its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/scope.hpp"
#include "scenarios/mailbox.hpp"
#include "scenarios/scenario_threads.hpp"
#include "scenarios/thread_link.hpp"

namespace scenarios {

// What a run has when its thread begins.
struct thread_start {
  const plan& what;
  run_options options;
  uring::ring_mode mode;
  const uring::capabilities& kernel;  // of home's loop
  uring::time_point clock;
  temp_dir* directory;
  std::vector<std::pair<std::uint32_t, value>> published;
};

class actor_thread final : public thread_link {
 public:
  actor_thread(scenario_threads& home, std::size_t index, std::uint32_t actor, thread_start with);
  ~actor_thread() override;

  using told = std::function<void(scenario_run&)>;
  /// Something that its strands may go on by.
  void tell(told what);
  /// Anything else.
  void post(mailbox::letter what) { mail_.post(std::move(what)); }
  void go(std::vector<int> ring_descriptors);
  void leave();
  void ask();
  void end();
  void join() {
    if (thread_.joinable()) thread_.join();
  }

  [[nodiscard]] std::uint32_t actor() const { return actor_; }
  /// When it has told that they are there.
  std::vector<actor_result>& actors() { return actors_; }
  /// When it has ended: logs, remarks, redactions, strays.
  scenario_result& rest() { return rest_; }
  mailbox::letter setter_of(uring::event& met);

 private:
  friend class scenario_threads;
  void live();
  uring::task<void> run_all(uring::loop& loop);
  uring::task<void> act();
  void tell_home(std::function<void(scenario_threads&)> what);
  void report_started(bool well);
  uring::task<void> answer_when_caught_up(mailbox::letter done);

  void published(std::uint32_t slot, const value& v, bool varies) override;
  void signalled(std::uint32_t signal) override;
  void arrived(std::uint32_t barrier, uring::event& met) override;
  void connected(const scenario_run::dialled& who) override;
  void listening(const uring::socket_address& where) override;
  void met_outsiders() override;
  void step_failed() override;
  void failed(const diagnostic& why) override;
  void skipped(const std::string& reason) override;
  void late(diagnostic why, std::string who) override;
  void actor_ended() override;
  void may_be_stuck() override;
  uring::task<void> all_ended() override;
  uring::task<void> catch_up() override;
  void results_of(std::uint32_t /*actor*/, std::vector<actor_result>& /*into*/) override {}

  scenario_threads& home_;
  const std::size_t index_;  // among the threads
  const std::uint32_t actor_;
  thread_start with_;
  mailbox mail_;

  // Of its own thread.
  scenario_run* run_ = nullptr;
  bool hearing_ = false;  // what happens now, home knows
  bool leaving_ = false;
  std::uint64_t sent_ = 0;
  std::uint64_t read_ = 0;
  uring::event go_, may_close_, end_;
  uring::scope errands_;

  std::vector<actor_result> actors_;
  scenario_result rest_;
  std::thread thread_;
};

}  // namespace scenarios
