// One connection through a relay: two sockets, a pipe each way, and how it ends.
//
// run() dials the server, carries bytes, ends of streams and resets from each socket to the other
// as the pipes say, and closes both. Its coroutines are joined before it returns; then the link may
// be destroyed. Owned by the relay; used on the loop's thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/loop.hpp"
#include "engine/scope.hpp"
#include "engine/socket_address.hpp"
#include "engine/stop.hpp"
#include "scenarios/wire/wake_up.hpp"
#include "scenarios/wire/wire_pipe.hpp"

namespace scenarios {

struct link_counters {
  std::uint64_t to_server = 0;  // bytes
  std::uint64_t to_client = 0;
};

class relay_link {
 public:
  /// Takes the accepted descriptor. `stop` ends it; `rules`, `to` and `gates` outlive it.
  relay_link(uring::loop& on, wire_decider& rules, const uring::socket_address& to,
             wire_link identity, int client, uring::stop_source& stop,
             std::array<wire_gate, 2>& gates);
  relay_link(const relay_link&) = delete;
  relay_link& operator=(const relay_link&) = delete;
  ~relay_link();

  /// `hits` are those of the connection as a whole.
  uring::task<void> run(std::vector<wire_hit> hits);
  /// Now, behind everything that has been read.
  void apply(const wire_hit& hit);
  /// Ends conditions of this rule, or all; false when there was none.
  bool heal(std::optional<std::uint32_t> rule);

  /// A gate has been opened or shut.
  void look();

  /// See relay::may_act().
  [[nodiscard]] bool may_act() const {
    return server_ < 0 || held_by_ || stop_.stop_requested() || flows_[0].pipe.may_act() ||
           flows_[1].pipe.may_act();
  }

  [[nodiscard]] const wire_link& identity() const { return identity_; }
  [[nodiscard]] link_counters counters() const {
    return {flows_[0].pipe.delivered(), flows_[1].pipe.delivered()};
  }

 private:
  enum class ending : std::uint8_t { stopped, closed, reset };
  struct flow {
    flow(wire_decider& rules, const wire_link& link, direction dir, wire_gate& gate)
        : pipe(rules, link, dir, &gate) {}
    wire_pipe pipe;
    wake_up reader, writer;
    uring::operation* reading = nullptr;
    std::unique_ptr<std::byte[]> buffer;
    bool read_to_end = false;
    bool receiver_gone = false;
  };

  uring::task<bool> begin(const std::vector<wire_hit>& hits);
  uring::task<bool> dial();
  uring::task<void> suffer(const wire_hit& hit);
  uring::task<void> wait_to_read(flow& of, int from);
  uring::task<void> read(flow& of, int from, int to);
  uring::task<bool> send_on(flow& of, int to, std::string_view bytes);
  uring::task<void> write(flow& of, int to);
  uring::task<void> wait_until_taken(int fd);
  uring::task<void> let_go(int fd);
  void receiver_is_gone(flow& of);
  /// By this rule, or by nobody's.
  void finish(ending how, std::optional<std::uint32_t> rule = {});
  void finish_if_over();
  [[nodiscard]] flow& against(const flow& of) { return flows_[&of == &flows_[0] ? 1 : 0]; }

  uring::loop& loop_;
  wire_decider& rules_;
  const uring::socket_address& to_;
  wire_link identity_;
  uring::stop_source& relay_stop_;
  uring::stop_source stop_;
  std::array<flow, 2> flows_;  // c2s, s2c
  int client_ = -1;
  int server_ = -1;
  ending how_ = ending::stopped;
  wake_up before_;                        // while it is not let begin
  std::optional<std::uint32_t> held_by_;  // the rule: accept_hang, accept_delay
  std::optional<std::uint32_t> ended_by_;
};

}  // namespace scenarios
