// The actors of a scenario that have threads of their own: `"thread": true`.
//
// The scenario itself is at home on one loop, which belongs to it alone. Each such actor (a server:
// its handlers, too) has a thread with a loop, a ring and a scenario_run of its own. Nothing is
// shared while they run but the plan, which is constant: what happens on one thread goes as a
// letter to home, and from there to the others (mailbox.hpp), values as copies. What only home can
// know is decided there: who is at a barrier, who has ended, the deadline, and whether anybody can
// still move. For that, home asks all how they stand. Two answers in a row that are the same, with
// as many letters read as were sent, mean that nothing can come any more.
//
// Made by interpret.cpp, used on home's thread. Order: start, go, gather, end; end must be awaited
// after start, whatever came between.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/scope.hpp"
#include "scenarios/mailbox.hpp"
#include "scenarios/thread_link.hpp"

namespace scenarios {

class actor_thread;

/// A few turns of a loop, in which its strands hear of what the kernel has done.
uring::task<void> let_connections_come(uring::loop& on);

class scenario_threads final : public thread_link {
 public:
  /// `options` are those that the run was given. `home` is open on the run's loop.
  scenario_threads(scenario_run& run, const run_options& options, mailbox& home);
  ~scenario_threads() override;

  /// Makes the threads with their rings and listeners. False: told in the result.
  uring::task<bool> start();
  /// Lets the actors begin; to be called when all others may begin, too.
  void go();
  /// Waits until the actors' results are there.
  uring::task<void> gather();
  /// Ends the threads, and adds what they found to the result.
  uring::task<void> end();

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
  void actor_ended() override {}
  void may_be_stuck() override;
  uring::task<void> all_ended() override;
  uring::task<void> catch_up() override { return catch_up_with(nullptr); }
  void results_of(std::uint32_t actor, std::vector<actor_result>& into) override;

 private:
  friend class actor_thread;
  using letter = mailbox::letter;
  using told = std::function<void(scenario_run&)>;
  struct stop_link : uring::stop_callback {
    explicit stop_link(std::function<void()> what);
    std::function<void()> then;
  };
  struct quiet_timer : uring::timer {
    explicit quiet_timer(scenario_threads& self);
    scenario_threads& owner;
  };
  struct fingerprint {
    std::uint64_t letters = 0;
    std::uint64_t progress = 0;
    bool operator==(const fingerprint&) const = default;
  };

  void tell(const told& what);
  void arrive(std::uint32_t barrier, letter when_met);
  void thread_ended();
  void look();
  void ask();
  void answer(std::size_t from, run_standing standing, std::uint64_t sent, std::uint64_t read);
  void conclude();
  uring::task<void> catch_up_with(const actor_thread* except);

  scenario_run& run_;
  const run_options options_;
  mailbox& home_;
  std::vector<std::unique_ptr<actor_thread>> threads_;
  actor_thread* speaking_ = nullptr;  // whose letter is being read
  stop_link on_stop_;
  stop_link on_others_ended_;
  std::vector<std::vector<letter>> at_barrier_;
  std::size_t to_start_ = 0;
  std::size_t to_end_ = 0;
  std::size_t to_gather_ = 0;
  std::size_t to_finish_ = 0;
  bool all_started_ = true;
  bool gone_ = false;
  uring::event started_, ended_, gathered_, finished_;
  uring::scope errands_;

  // Whether anything can still come.
  std::uint64_t sent_ = 0;
  std::uint64_t read_ = 0;
  std::size_t unanswered_ = 0;
  bool look_again_ = false;
  std::vector<run_standing> standings_;  // home's first
  std::uint64_t sent_in_round_ = 0;
  std::uint64_t read_in_round_ = 0;
  std::optional<fingerprint> before_;
  unsigned same_rounds_ = 0;
  std::optional<std::pair<diagnostic, std::string>> late_;
  quiet_timer quiet_;
};

}  // namespace scenarios
