// The state that the strands of one running scenario share: futures, barriers, signals, the list of
// who waits for what, and the one place where failures and the end of it all are decided.
//
// Made by run_scenario, lives as long as it, used on the loop's thread only. Where actors have
// threads of their own, each thread has one, and `threads` carries to the others what they must
// know (thread_link.hpp).
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/event.hpp"
#include "engine/loop.hpp"
#include "engine/scope.hpp"
#include "engine/stop.hpp"
#include "scenarios/faults/fault_director.hpp"
#include "scenarios/interpret.hpp"
#include "scenarios/outcome.hpp"
#include "scenarios/plan.hpp"
#include "scenarios/private_ring.hpp"
#include "scenarios/recorder.hpp"

namespace scenarios {

// A value that is assigned once and awaited by whoever reads it.
struct shared_future {
  value held;
  uring::event assigned;
  bool varies = false;  // two runs may see another one
};

// A barrier is met again and again: each round has an event of its own.
struct barrier_state {
  std::uint32_t arrived = 0;  // in the round that is not met yet
  std::deque<uring::event> rounds;
};

// How a strand is held up: by another one, by I/O whose other end is in the same scenario, or by a
// connection (accepting) or a datagram (arriving) that others may bring as well, where there are
// any.
enum class wait_kind : std::uint8_t { internal, reading, writing, accepting, arriving };

class process_table;
class proxy_group;
class scenario_run;
class service_group;
class temp_dir;
class thread_link;

// One strand's wait, on the list for as long as it lives: RAII around a co_await.
class blocked_wait {
 public:
  // `ends` is the event that would end an internal wait; `fd` what an I/O wait is on.
  blocked_wait(scenario_run& run, wait_kind kind, std::string_view who, span at, std::string what,
               const uring::event* ends, int fd = -1);
  blocked_wait(const blocked_wait&) = delete;
  blocked_wait& operator=(const blocked_wait&) = delete;
  ~blocked_wait();

  const wait_kind kind;
  const std::string_view who;
  const span at;
  const std::string what;
  const uring::event* const ends;
  const int fd;

 private:
  friend class scenario_run;
  scenario_run& run_;
  blocked_wait* next_ = nullptr;
  blocked_wait* previous_ = nullptr;
};

// How a run stands, for those who decide whether anything can still come.
struct run_standing {
  struct wait {
    std::string who;
    span at;
    std::string what;
  };
  struct activity {
    std::string who;
    const step_plan* step;
  };
  bool idle = false;        // every strand waits for another one, and nothing has come for any
  bool io_pending = false;  // something may still come through the kernel
  std::size_t strands = 0;
  std::uint64_t progress = 0;
  uring::duration quiet{0};  // how long nothing must happen before it is sure
  std::vector<wait> waits;
  std::vector<activity> activities;
};

// Strands that one other strand starts and joins: async steps, branches, handlers.
struct strand_group {
  uring::scope tasks;
  std::size_t alive = 0;
  bool joined = false;  // the owner waits for them
};

class scenario_run {
 public:
  scenario_run(uring::loop& on, const plan& what, const run_options& options);
  scenario_run(const scenario_run&) = delete;
  scenario_run& operator=(const scenario_run&) = delete;

  uring::loop& loop;
  const plan& what;
  run_options options;  // its time scale is that of the run and the scenario
  run_clock clock;
  scenario_result result;
  uring::stop_source stop;  // set-up and actors: a failure, the deadline, Ctrl-C
  std::vector<barrier_state> barriers;
  std::vector<uring::event> signals;
  std::vector<std::unique_ptr<private_ring>> rings;  // in the order of the plan
  const std::uint64_t seed;
  // Of the scenario's life, which outlives every strand; null where there is none.
  temp_dir* directory = nullptr;
  service_group* services = nullptr;
  process_table* processes = nullptr;
  proxy_group* proxies = nullptr;
  // To the other threads of the scenario; null where it has but one.
  thread_link* threads = nullptr;
  std::uint32_t only_actor = no_index;  // the one that runs here, on a thread of its own
  std::vector<int> ring_descriptors;    // of the plan's rings, wherever they are; -1: not yet
  // Whether this actor runs on this run's thread.
  [[nodiscard]] bool is_here(std::size_t actor) const {
    return only_actor == no_index ? !what.actors[actor].thread : actor == only_actor;
  }
  [[nodiscard]] int descriptor_of_ring(std::uint32_t ring) const { return ring_descriptors[ring]; }

  // What servers with `"accept": "each"` wait for.
  uring::stop_source others_ended;
  void actor_ended();

  void give_signal(std::uint32_t signal);
  void publish(std::uint32_t shared_slot, value v, bool varies = false);
  [[nodiscard]] shared_future& future(std::uint32_t slot) { return futures_[slot]; }
  [[nodiscard]] std::string_view future_name(std::uint32_t slot) const;

  // A diagnostic of this scenario, at a place in its file.
  [[nodiscard]] diagnostic make(code id, span where, std::string message) const;
  // A step of an actor failed: the others are stopped after a grace.
  void step_failed();
  // The scenario as a whole failed: told in the result, everybody is stopped at once.
  void fail(diagnostic why);
  [[nodiscard]] bool has_failed() const { return failed_; }
  // The scenario finds that it can't run here: everybody is stopped, nothing has failed.
  void skip(std::string reason);
  [[nodiscard]] bool was_interrupted() const {
    return options.stop != nullptr && options.stop->stop_requested();
  }

  // Strands that can move: each is counted from its start to its end; a blocked_wait takes its
  // strand out for as long as it waits. With none left nothing can come any more.
  void strand_started() { ++strands_; }
  void strand_ended();
  void strand_started(strand_group& of) {
    ++of.alive;
    strand_started();
  }
  // The last thing that a strand of a group does.
  void strand_ended(strand_group& of) {
    if (--of.alive != 0 || !of.joined) strand_ended();
  }
  // Joins strands that their owner waits for. It can't move by itself meanwhile, and is not counted
  // until the last of them ends, whose place it takes: there is no moment in which nobody can move.
  uring::task<void> join_strands(strand_group& owned) {
    if (owned.alive != 0) {
      owned.joined = true;
      strand_ended();
    }
    co_await owned.tasks.join();
    owned.joined = false;
  }

  // Ends the run when its time is up, naming what everybody does then.
  void arm_deadline();
  void disarm_deadline() { deadline_.disarm(); }
  // The same for one actor.
  void tell_actor_deadline(const actor_plan& actor, uring::duration limit);
  // What a strand is doing now, for the deadline's message.
  struct activity {
    std::string_view who;
    const step_plan* step = nullptr;
  };
  std::deque<activity>& activities() { return activities_; }
  [[nodiscard]] run_standing standing() const;
  // Nobody here can move without something from outside.
  [[nodiscard]] bool is_idle() const;
  void tell_deadlock(std::vector<run_standing::wait> waits);
  // Adds to `why` where everybody was, the strands of the actor `who` first, and fails.
  void tell_late(diagnostic why, std::string_view who,
                 std::vector<run_standing::activity> activities);
  // With the list of all waits; after a failure it only stops.
  void give_up(const std::vector<run_standing::wait>& waits);

  // Own addresses of connections that actors of this scenario made: who dialled.
  struct dialled {
    uring::socket_address local;
    uring::socket_address target;
    std::uint32_t actor;              // index in the plan; no_index for set-up and teardown
    std::uint32_t ordinal;            // of this actor's connections to that target, from 1
    std::uint32_t handle = no_index;  // what the actor calls it
    bool relayed = false;             // a proxy dialled on the actor's behalf
  };
  std::vector<dialled> connections;
  // Connects whose completion has not been seen: the other end may know of them before.
  struct dialling {
    int fd;
    uring::socket_address target;
    std::uint32_t actor;
    std::uint32_t handle;
    bool noted = false;
  };
  std::vector<dialling> dials;
  void note_dial(const uring::socket_address& local);
  // Whether it has been noted already.
  bool end_dial(int fd);
  void note_connection(const uring::socket_address& local, const uring::socket_address& target,
                       std::uint32_t actor, std::uint32_t handle = no_index);
  // `at` is the listener that accepted the connection from `peer`.
  [[nodiscard]] const dialled* find_dialler(const uring::socket_address& peer,
                                            const uring::socket_address& at) const;
  void add_connection(const dialled& who);
  std::vector<std::pair<uring::socket_address, std::uint32_t>> peers;  // datagram sockets, actors
  std::vector<uring::socket_address> listeners;                        // bound by this scenario
  void add_listener(const uring::socket_address& where);
  [[nodiscard]] bool is_own_listener(const uring::socket_address& address) const;
  // Whether the other end of a connected socket belongs to this scenario.
  [[nodiscard]] bool is_own_peer(const uring::socket_address& peer) const;
  [[nodiscard]] bool is_own_datagram_socket(const uring::socket_address& address) const;
  // Somebody binds, dials or sends to this address. If others may know it, they may come, too.
  void meet(const uring::socket_address& address);
  void meet_outsiders();
  // Whether connections and datagrams may come that are not this scenario's own.
  [[nodiscard]] bool has_outsiders() const;

  void redact(std::string text, std::string placeholder);
  [[nodiscard]] uring::duration scaled(uring::duration d) const;

  fault_director faults;  // refers to what stands above

 private:
  friend class blocked_wait;
  struct run_timer : uring::timer {
    run_timer(function on_expiry, scenario_run& self) : timer(on_expiry), owner(self) {}
    scenario_run& owner;
  };
  void look_for_deadlock();
  void quiet_for_long();
  [[nodiscard]] uring::duration quiet_needed() const;
  [[nodiscard]] std::uint64_t progress() const;
  [[nodiscard]] bool any_event_pending() const;
  [[nodiscard]] bool others_may_come() const;
  [[nodiscard]] bool any_io_pending() const;
  void tell_deadline();
  void end_late(diagnostic why, std::string who);

  bool met_outsiders_ = false;
  std::unique_ptr<shared_future[]> futures_;
  std::deque<activity> activities_;
  std::size_t others_ = 0;  // actors that servers with `each` wait for
  blocked_wait* first_wait_ = nullptr;
  blocked_wait* last_wait_ = nullptr;
  std::size_t strands_ = 0;
  std::size_t blocked_ = 0;
  bool failed_ = false;
  std::uint64_t progress_when_quiet_ = 0;
  unsigned quiet_rounds_ = 0;
  run_timer grace_;
  run_timer deadline_;
  run_timer quiet_;
};

}  // namespace scenarios
