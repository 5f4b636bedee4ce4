// One operation on the ring: the awaitable that is also the operation's whole state.
//
//   completion c = co_await loop.recv(fd, buffer).timeout(50ms).cancel_on(stop);
//
// It lives in the frame of the coroutine that awaits it (no heap, no virtual, not movable) and
// holds everything that the kernel may read later: the submission, the timespec, an address. Each
// of its requests (the operation itself, its linked timeout, its cancel) carries a user_data of its
// own, made of a slot's generation, the slot and the kind of request, never an address: a late or
// foreign completion finds no live slot and is a stray. The operation ends when the last of its
// requests has completed, so neither the cause nor a buffer can get lost. One that dies in flight
// aborts the program, naming itself.
#pragma once

#include <liburing.h>

#include <bit>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "engine/ready.hpp"
#include "engine/records.hpp"
#include "engine/stop.hpp"
#include "engine/timer_heap.hpp"

namespace uring {

class loop;

// Why an operation ended as it did. The last two: the operation won although its timer had fired or
// its cancel had been sent (a MSG_WAITALL recv keeps the 3 bytes that it had).
enum class outcome : std::uint8_t {
  ok,
  error,
  timed_out,
  cancelled,
  interrupted,
  ok_after_timeout,
  ok_after_cancel
};
const char* outcome_name(outcome why) noexcept;

const char* request_kind_name(request_kind kind) noexcept;

// What bounds the operation in time: a linked timeout in the kernel, or (for operations that block
// in a kernel worker, where a linked timeout never fires) a timer of the loop and a cancel.
enum class timeout_mechanism : std::uint8_t { none, linked, timer };

// `res` and `flags` as the CQE had them: errno is data, negative, an unknown one too.
struct completion {
  int res = 0;
  std::uint32_t flags = 0;
  outcome why = outcome::ok;
  [[nodiscard]] bool succeeded() const {
    return why == outcome::ok || why == outcome::ok_after_timeout ||
           why == outcome::ok_after_cancel;
  }
};

// user_data = generation (32 bits) · slot (24) · kind (8). Generations start at 1: never 0.
struct request_id {
  std::uint32_t generation = 0;
  std::uint32_t slot = 0;
  request_kind kind = request_kind::main;
  static constexpr std::uint32_t slot_limit = 1U << 24;

  [[nodiscard]] std::uint64_t user_data() const {
    return (std::uint64_t{generation} << 32) | (std::uint64_t{slot} << 8) |
           static_cast<std::uint64_t>(kind);
  }
  static request_id from(std::uint64_t user_data) {
    return {static_cast<std::uint32_t>(user_data >> 32),
            static_cast<std::uint32_t>(user_data >> 8) & (slot_limit - 1),
            static_cast<request_kind>(user_data & 0xff)};
  }
};

class operation : public ready_node {
 public:
  // Takes a prepared submission (its user_data and link flag are set by the loop).
  operation(loop& on, const io_uring_sqe& prepared) noexcept
      : sqe_(prepared), opcode_(prepared.opcode), loop_(on) {}
  operation(const operation&) = delete;
  operation& operator=(const operation&) = delete;
  ~operation() {
    if (state_ == state::in_flight || state_ == state::parked) abort_in_flight();
    magic_ = 0;
    if (marks_.bounded) bounds_.~bounds();
  }

  // Bounds it in time, counted from submission; or by an absolute time, for loops of submissions.
  operation& timeout(duration after) noexcept;
  operation& deadline(time_point at) noexcept;
  // Cancels it when `source` is stopped. The operation is still awaited to its end.
  operation& cancel_on(stop_source& source) noexcept;
  // IOSQE_* flags to add; IOSQE_IO_LINK chains it to the next of a group (loop::start_together). On
  // the last of a group a link leads nowhere. IOSQE_CQE_SKIP_SUCCESS: it would never end.
  operation& flags(unsigned sqe_flags) noexcept;
  // An opaque pointer for the seam's user: which step of which scenario this belongs to.
  operation& tag(void* owner) noexcept;

  bool await_ready() const noexcept { return state_ == state::done; }
  bool await_suspend(std::coroutine_handle<> waiting) noexcept;
  completion await_resume() const noexcept { return result_; }

  // Readable at any time; the results are complete once it has been awaited.
  [[nodiscard]] std::uint8_t opcode() const { return opcode_; }
  [[nodiscard]] const io_uring_sqe& submission() const { return sqe_; }
  [[nodiscard]] void* tag() const { return tag_; }
  [[nodiscard]] bool in_flight() const { return state_ == state::in_flight; }
  [[nodiscard]] timeout_mechanism bounded_by() const { return mechanism_; }
  [[nodiscard]] bool by_system_call() const { return marks_.by_system_call; }
  [[nodiscard]] std::optional<int> timeout_result() const { return timeout_result_; }
  [[nodiscard]] std::optional<int> cancel_result() const { return cancel_result_; }
  // The loop's time (loop::now) when it was published to a seam; without one nobody asks the clock.
  [[nodiscard]] time_point submitted_at() const { return submitted_at_; }
  // For the seam: this result stands for whatever the main completion will say.
  void substitute_result(int res) noexcept {
    marks_.substituted = true;
    substitute_ = res;
  }
  // The id to cancel it by (loop::cancel); generation 0 when not in flight.
  [[nodiscard]] request_id id() const {
    return in_flight() ? request_id::from(sqe_.user_data) : request_id{};
  }

 protected:
  io_uring_sqe sqe_;

 private:
  friend class loop;
  enum class state : std::uint8_t { idle, parked, in_flight, done };
  struct stop_link : stop_callback {
    stop_link(function on_stop, operation& self) : stop_callback(on_stop), owner(self) {}
    operation& owner;
  };
  struct expiry_timer : timer {
    expiry_timer(function on_expiry, operation& self) : timer(on_expiry), owner(self) {}
    operation& owner;
  };
  // What may end it early. Made when it is asked for: most operations have none.
  struct bounds {
    explicit bounds(operation& self) : stop(&on_stop, self), expiry(&on_expiry, self) {}
    stop_link stop;
    expiry_timer expiry;
    stop_source* source = nullptr;
    __kernel_timespec limit{};
    time_point limit_at{};
    bool absolute = false;
  };
  // What seldom happens to an operation; asked for all at once.
  struct marks {
    bool bounded = false;      // `bounds_` is alive
    bool timer_fired = false;  // the loop's timer, and it was the first to ask for a cancel
    bool stop_asked = false;
    bool cancel_asked = false;  // by whomever: a stop, a timer, request_cancel()
    bool cancel_sent = false;
    bool cancel_parked = false;
    bool by_system_call = false;
    bool substituted = false;  // `substitute_` stands for the result
  };
  static void on_stop(stop_callback& callback) noexcept;
  static void on_expiry(timer& expired) noexcept;
  [[noreturn]] void abort_in_flight() const noexcept;
  bounds& bounded() noexcept {
    if (!marks_.bounded) std::construct_at(&bounds_, *this);
    marks_.bounded = true;
    return bounds_;
  }
  [[nodiscard]] stop_source* source() const { return marks_.bounded ? bounds_.source : nullptr; }
  [[nodiscard]] outcome judge() const noexcept;
  [[nodiscard]] request_id id_of(request_kind kind) const {
    request_id own = request_id::from(sqe_.user_data);
    own.kind = kind;
    return own;
  }
  static constexpr std::uint8_t bit(request_kind kind) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(kind));
  }
  // Neither bounded nor meddled with: all that can happen to it is one completion.
  [[nodiscard]] bool is_simple() const noexcept {
    return std::bit_cast<std::uint64_t>(marks_) == 0;
  }
  [[nodiscard]] bool awaits(request_kind kind) const {
    return kind <= request_kind::cancel && (awaited_ & bit(kind)) != 0;
  }

  // Told apart from freed memory when a completion arrives: ASan can't see the kernel's writes.
  static constexpr std::uint32_t live_magic = 0x55726e67;
  std::uint32_t magic_ = live_magic;
  std::uint8_t opcode_;  // as asked for: a fault may have replaced it in what was submitted
  state state_ = state::idle;
  timeout_mechanism mechanism_ = timeout_mechanism::none;
  std::uint8_t awaited_ = 0;         // completions still to come: a bit for each request_kind
  std::uint8_t cancels_missed_ = 0;  // cancels that came before the operation had started
  bool grouped_ = false;             // one of several that are submitted together
  marks marks_;
  loop& loop_;
  completion result_{};
  int substitute_ = 0;
  std::optional<int> timeout_result_;
  std::optional<int> cancel_result_;
  time_point submitted_at_{};
  void* tag_ = nullptr;
  operation* next_parked_ = nullptr;
  operation* next_in_group_ = nullptr;
  union {
    bounds bounds_;
  };
};

// What the kernel may read until completion, in the frame beside the submission.
// CONNECT and BIND, which have one layout.
class address_operation : public operation {
 public:
  address_operation(loop& on, std::uint8_t opcode, int fd, const sockaddr* address,
                    socklen_t length) noexcept;

 private:
  sockaddr_storage address_{};
};

class accept_operation : public operation {
 public:
  accept_operation(loop& on, int listener, int flags) noexcept;
  // The peer's address, valid once the operation has been awaited with a descriptor.
  [[nodiscard]] const sockaddr* peer() const {
    return reinterpret_cast<const sockaddr*>(&address_);
  }
  [[nodiscard]] socklen_t peer_length() const { return length_; }

 private:
  sockaddr_storage address_{};
  socklen_t length_ = sizeof(sockaddr_storage);
};

class timeout_operation : public operation {
 public:
  timeout_operation(loop& on, duration after, unsigned count, unsigned flags) noexcept;

 private:
  __kernel_timespec after_{};
};

// A zeroed submission with these two fields set.
inline io_uring_sqe blank(std::uint8_t opcode, int fd) noexcept {
  io_uring_sqe sqe{};
  sqe.opcode = opcode;
  sqe.fd = fd;
  return sqe;
}
__kernel_timespec to_timespec(std::chrono::nanoseconds value) noexcept;

}  // namespace uring
