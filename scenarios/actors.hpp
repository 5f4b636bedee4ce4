// The actors of one scenario: starts them together, waits for all, gathers what they leave.
//
// A server actor accepts on the listener that was bound before anything ran and gives every
// connection a handler, a strand of its own named after who dialled. Used by run_scenario only.
#pragma once

#include <memory>
#include <vector>

#include "scenarios/endpoint.hpp"
#include "scenarios/strand.hpp"

namespace scenarios {

class actor_group {
 public:
  explicit actor_group(scenario_run& run);
  actor_group(const actor_group&) = delete;
  actor_group& operator=(const actor_group&) = delete;
  ~actor_group();

  // Binds the socket of every server and peer, listens, and publishes its address. False: told in
  // the result.
  bool bind_all();
  // Runs every actor to its end and closes what they had open.
  uring::task<void> run_all();
  // The results in declaration order, each server followed by its handlers by who dialled.
  void collect(std::vector<actor_result>& into);

 private:
  struct handler {
    std::unique_ptr<strand> control;
    std::uint32_t dialler = no_index;
    std::uint32_t ordinal = 0;
  };
  struct server_state {
    int listener = -1;
    uring::socket_address bound;
    bool speaks_tls = false;
    actor_result result;
    std::vector<handler> handlers;
    std::uint32_t accepted = 0;
    std::optional<fault_counter> faults;  // of what accepts
  };
  void publish_lists(std::size_t index);
  uring::task<void> run_actor(std::size_t index);
  std::optional<endpoint> address_of(const actor_plan& actor, const expression& from);
  bool refuse(const actor_plan& actor, const expression& from, const uring::socket_address& address,
              int error);
  bool set_options(const actor_plan& actor, int fd);
  bool bind_server(std::size_t index);
  bool bind_peer(std::size_t index);
  void publish(const actor_plan& actor, const endpoint& at, const name_target& addr,
               const name_target& port);
  uring::task<void> run_connected(std::size_t index, const step_plan& first);
  uring::task<void> run_server(std::size_t index);
  uring::task<void> run_handler(std::size_t index, strand& control, strand_group& in);
  uring::task<void> accept_all(std::size_t index, strand_group& handlers,
                               uring::stop_source& accepting, uring::stop_source& handling);
  uring::task<bool> accept_one(std::size_t index, uring::stop_source& accepting, int& fd,
                               uring::socket_address& peer);
  uring::task<handler*> admit(std::size_t index, int fd, const uring::socket_address& peer,
                              uring::stop_source& handling);
  void actor_ended(std::size_t index);
  [[nodiscard]] bool waits_for_others(std::size_t index) const;

  scenario_run& run_;
  std::vector<std::unique_ptr<strand>> strands_;  // one an actor; null for servers
  std::vector<server_state> servers_;             // one an actor; unused for others
  std::vector<uring::socket_address> peers_;      // bound
};

}  // namespace scenarios
