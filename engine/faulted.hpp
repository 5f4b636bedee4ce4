// What a fault_injector keeps of one operation that it has touched. Private to the injector.
//
// A record lives from the effect to the end of its operation, and holds what the kernel may still
// read: a placeholder's time, a shortened list of buffers, altered data.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/fault_injector.hpp"

namespace uring {

inline constexpr unsigned any_link = IOSQE_IO_LINK | IOSQE_IO_HARDLINK;
inline constexpr fault_delivery withheld{verdict::withhold, nullptr};

inline bool is_last(std::uint32_t flags) {
  return (flags & IORING_CQE_F_MORE) == 0;
}

struct faulted {
  enum class stage : std::uint8_t {
    running,  // the kernel has the operation; the effect may be still to come
    placed,   // the kernel has a placeholder in its place
    expired,  // the placeholder's time is over; the operation goes out next
    held,     // its completion came and was withheld
    over,     // nothing more is done to it
  };
  struct arrival {
    std::int32_t res;
    std::uint32_t flags;
  };
  // A completion of another member of its chain that was withheld, too.
  struct follower_arrival {
    operation* op;
    request_kind kind;
    std::int32_t res;
  };
  struct due_timer : timer {
    explicit due_timer(faulted& self)
        : timer([](timer& expired) noexcept {
            faulted& owner = static_cast<due_timer&>(expired).owner;
            owner.by.due(owner);
          }),
          owner(self) {}
    faulted& owner;
  };

  faulted(fault_injector& injector, operation& victim, const cqe_effect& what)
      : by(injector),
        op(&victim),
        user_data(victim.submission().user_data),
        effect(what),
        timer(*this) {}

  // Its completion is settled as far as the kernel is concerned: a cancel would not find it.
  [[nodiscard]] bool is_out_of_sight() const {
    return at == stage::expired || (at == stage::held && final_in);
  }
  // How many completions the members behind it will bring.
  [[nodiscard]] std::size_t expected_behind() const {
    std::size_t count = followers.size();
    for (const operation* each : followers) {
      count += each->bounded_by() == timeout_mechanism::linked ? 1U : 0U;
    }
    return count;
  }
  // How long it waits for others: for a cancel, for more completions.
  [[nodiscard]] duration patience() const {
    return effect.by.count() > 0 ? effect.by : duration(std::chrono::seconds(1));
  }
  [[nodiscard]] bool races() const {
    return at == stage::running && effect.type == cqe_fault::cancel_race;
  }
  // When it is ended after its completion has come: its own result stands.
  [[nodiscard]] bool keeps_result() const {
    return effect.type == cqe_fault::notif_drop ||
           (effect.type == cqe_fault::cancel_race && effect.race != cancel_race::cancel_wins);
  }
  // What a cancel or a timeout that found it so is told, where the race says so.
  [[nodiscard]] std::optional<int> lost_race() const {
    if (effect.type != cqe_fault::cancel_race) return {};
    if (effect.race == cancel_race::too_late) return -EALREADY;
    if (effect.race == cancel_race::not_found) return -ENOENT;
    return {};
  }
  // It was a placeholder, and its end is here; its linked timeout's is not.
  [[nodiscard]] bool awaits_timeout() const { return at == stage::placed && !results.empty(); }

  fault_injector& by;
  operation* op;
  std::uint64_t user_data;
  cqe_effect effect;
  stage at = stage::running;
  bool fired = false;
  bool in_vain = false;     // fired: it kept the completion, for others that did not come
  bool lost = false;        // its result will not come to its operation
  bool final_in = false;    // its last completion has come
  bool timeout_in = false;  // its linked timeout's completion has come and is withheld
  bool too_late = false;    // its linked timeout fired while nothing could be cancelled
  bool cancelled = false;   // somebody has asked for its end
  bool doomed = false;      // it is cancelled as soon as it can be
  bool end_now = false;     // it was cancelled past the queue
  bool has_tail = false;    // what is behind it in its chain goes on without it
  time_point release_at = time_point::max();
  time_point deadline_at = time_point::max();
  std::vector<arrival> results;
  std::vector<operation*> followers;
  std::vector<follower_arrival> followers_in;
  io_uring_sqe submitted_as{};  // what the kernel was given
  __kernel_timespec placeholder_time{};
  __kernel_timespec time_left{};
  std::vector<std::byte> data;
  std::vector<iovec> pieces;
  msghdr message{};
  msghdr* original_message = nullptr;
  fault_injector::window* in = nullptr;  // the window that holds it
  due_timer timer;
};

// The result that takes the place of the operation's own, or nothing.
std::optional<int> instead_of(const cqe_effect& effect);

// A cancel that is answered here: its request is a NOP whose completion is withheld until its
// target's end is decided.
struct fault_injector::agent {
  operation* op;  // the cancel itself, or with request_kind::cancel its target
  request_kind kind;
  faulted* target;
  bool counts;  // it answers with the number of those that it found
  bool in = false;
};

struct fault_injector::freed {
  operation* op;
  request_kind kind;
  std::int32_t res;
};

struct fault_injector::owed_stray {
  time_point at;
  fault_stray what;
  io_uring_sqe sqe;
};

// Completions that are held to be let go in another order.
struct fault_injector::window {
  cqe_effect effect;
  std::vector<faulted*> members;  // null: ended meanwhile
  std::size_t size = 2;
  time_point closes_at{};
  bool full = false;
};

struct fault_injector::work_timer : timer {
  explicit work_timer(fault_injector& self)
      : timer([](timer& expired) noexcept { static_cast<work_timer&>(expired).owner.work(); }),
        owner(self) {}
  fault_injector& owner;
};

}  // namespace uring
