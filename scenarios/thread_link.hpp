// What one part of a scenario tells the others, where its actors are spread over threads.
//
// Every part is a scenario_run of its own, with its loop, its strands and its copies of what all
// share: futures, signals, connections. A run that has a link tells it what happened; the link
// carries it to the others. Each call is made on the thread of the run that makes it.
// scenario_threads.hpp has both ends.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scenarios/run_state.hpp"

namespace scenarios {

class thread_link {
 public:
  thread_link() = default;
  thread_link(const thread_link&) = delete;
  thread_link& operator=(const thread_link&) = delete;
  virtual ~thread_link() = default;

  virtual void published(std::uint32_t slot, const value& v, bool varies) = 0;
  virtual void signalled(std::uint32_t signal) = 0;
  /// `met` is set when all parties are there. It lives until the scenario has ended.
  virtual void arrived(std::uint32_t barrier, uring::event& met) = 0;
  virtual void connected(const scenario_run::dialled& who) = 0;
  virtual void listening(const uring::socket_address& where) = 0;
  virtual void met_outsiders() = 0;
  virtual void step_failed() = 0;
  virtual void failed(const diagnostic& why) = 0;
  virtual void skipped(const std::string& reason) = 0;
  /// A deadline has passed: `why` lacks who was where. `who`: the actor whose it was, or nobody.
  virtual void late(diagnostic why, std::string who) = 0;
  /// One that servers with `"accept": "each"` wait for.
  virtual void actor_ended() = 0;
  /// Here nobody can move by himself.
  virtual void may_be_stuck() = 0;
  /// When all actors of all parts have ended.
  virtual uring::task<void> all_ended() = 0;
  /// When all parts have told of the connections that the kernel had made before the call.
  virtual uring::task<void> catch_up() = 0;
  /// The results of an actor that is not here.
  virtual void results_of(std::uint32_t actor, std::vector<actor_result>& into) = 0;
};

}  // namespace scenarios
