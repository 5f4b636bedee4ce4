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

#include "engine/fd.hpp"
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
    if (abandoned()) [[unlikely]]
      give_up();
    magic_ = 0;
    if (marks_.bounded) bounds_.~bounds();
  }

  // Bounds it in time, counted from submission; or by an absolute time, for loops of submissions.
  operation& timeout(duration after) noexcept;
  operation& deadline(time_point at) noexcept;
  // Bounds it by the loop's timer and a cancel, also where a linked timeout could: no second SQE.
  operation& by_loop_timer() noexcept;
  // Cancels it when `source` is stopped. The operation is still awaited to its end.
  operation& cancel_on(stop_source& source) noexcept;
  // IOSQE_* flags to add; IOSQE_IO_LINK chains it to the next of a group (loop::start_together). On
  // the last of a group a link leads nowhere. IOSQE_CQE_SKIP_SUCCESS: it would never end.
  operation& flags(unsigned sqe_flags) noexcept;
  // Bits to add to the SQE's ioprio, which sockets' requests use for flags: IORING_RECVSEND_*.
  operation& ioprio(unsigned bits) noexcept {
    sqe_.ioprio = static_cast<__u16>(sqe_.ioprio | bits);
    return *this;
  }
  // Behind its success comes the next of its group; behind its end, however it ends.
  operation& link() noexcept { return flags(IOSQE_IO_LINK); }
  operation& hard_link() noexcept { return flags(IOSQE_IO_HARDLINK); }
  // Starts when everything that was submitted before has ended. Until then all that is submitted
  // later waits, too, also a cancel: only loop::sync_cancel reaches past it.
  operation& drain() noexcept { return flags(IOSQE_IO_DRAIN); }
  // Starts it in a kernel worker.
  operation& async() noexcept { return flags(IOSQE_ASYNC); }
  // Stores its id as soon as it is submitted, for whoever wants to cancel or update it. `out` must
  // live until then.
  operation& id(request_id& out) noexcept;
  // An opaque pointer for the seam's user: which step of which scenario this belongs to.
  operation& tag(void* owner) noexcept;

  bool await_ready() const noexcept { return state_ == state::done; }
  bool await_suspend(std::coroutine_handle<> waiting) noexcept;
  completion await_resume() noexcept {
    taken_ = true;
    return result_;
  }

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
  // For the seam: something else is submitted in its place, and its result is a mere number.
  void mark_replaced() noexcept { marks_.replaced = true; }
  [[nodiscard]] bool replaced() const { return marks_.replaced; }
  // The id to cancel it by (loop::cancel); generation 0 when not in flight.
  [[nodiscard]] request_id id() const {
    return in_flight() ? request_id::from(sqe_.user_data) : request_id{};
  }
  // The id of its linked timeout (loop::link_timeout_update); generation 0 when it has none.
  [[nodiscard]] request_id timeout_id() const {
    return in_flight() && awaits(request_kind::link_timeout) ? id_of(request_kind::link_timeout)
                                                             : request_id{};
  }
  // The loop that it runs on.
  [[nodiscard]] loop& on() const { return loop_; }

 protected:
  // What an operation with several completions wants to know (multishot, zero-copy): each of its
  // own completions, and the end, when the result and its cause stand.
  struct watcher {
    void (*arrived)(operation&, std::int32_t res, std::uint32_t flags) noexcept;
    void (*ended)(operation&) noexcept;
  };
  void watch(const watcher& by) noexcept {
    watcher_ = &by;
    marks_.watched = true;
  }
  // The result stands although completions are still to come: nothing is left to cancel.
  void settle() noexcept { marks_.settled = true; }
  [[nodiscard]] bool is_settled() const { return marks_.settled; }
  // What it has brought and nobody has taken goes back (give_back.hpp). Its own destructor does it;
  // a derived class that holds what the result is read from does it in its own.
  void give_up() noexcept;
  // Somebody else answers for the result.
  void hand_over() noexcept { taken_ = true; }
  [[nodiscard]] const completion& result() const { return result_; }
  [[nodiscard]] bool is_idle() const { return state_ == state::idle; }
  [[nodiscard]] bool is_done() const { return state_ == state::done; }
  // Makes an operation that has ended ready to be submitted again, bounded as before.
  void reset() noexcept;

  io_uring_sqe sqe_;

 private:
  friend class loop;
  friend class fault_injector;
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
    request_id* id_out = nullptr;
    __kernel_timespec limit{};
    time_point limit_at{};
    bool absolute = false;
  };
  // What seldom happens to an operation; asked for all at once.
  struct marks {
    std::uint16_t bounded : 1 = 0;      // `bounds_` is alive
    std::uint16_t timer_fired : 1 = 0;  // the loop's timer, first to ask for a cancel
    std::uint16_t stop_asked : 1 = 0;
    std::uint16_t cancel_asked : 1 = 0;  // by whomever: a stop, a timer, request_cancel()
    std::uint16_t cancel_sent : 1 = 0;
    std::uint16_t cancel_parked : 1 = 0;
    std::uint16_t by_system_call : 1 = 0;
    std::uint16_t substituted : 1 = 0;  // `substitute_` stands for the result
    std::uint16_t watched : 1 = 0;      // `watcher_` is there
    std::uint16_t replaced : 1 = 0;     // something else was submitted in its place
    std::uint16_t settled : 1 = 0;      // the result is in, only a notification is to come
    std::uint16_t unused : 5 = 0;       // no padding: all are read as one number
  };
  static void on_stop(stop_callback& callback) noexcept;
  static void on_expiry(timer& expired) noexcept;
  [[noreturn]] void abort_in_flight() const noexcept;
  bounds& bounded() noexcept {
    if (!marks_.bounded) std::construct_at(&bounds_, *this);
    marks_.bounded = true;
    return bounds_;
  }
  // It has ended with a result that nobody has taken: a descriptor in it belongs to nobody.
  [[nodiscard]] bool abandoned() const { return state_ == state::done && !taken_; }
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
    return std::bit_cast<std::uint16_t>(marks_) == 0;
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
  bool taken_ = false;               // somebody has the result
  marks marks_;
  loop& loop_;
  completion result_{};
  int substitute_ = 0;
  std::optional<int> timeout_result_;
  std::optional<int> cancel_result_;
  time_point submitted_at_{};
  void* tag_ = nullptr;
  const watcher* watcher_ = nullptr;
  operation* next_parked_ = nullptr;
  operation* next_in_group_ = nullptr;
  union {
    bounds bounds_;
  };
};

// A zeroed submission with these two fields set, and IOSQE_FIXED_FILE for a slot.
inline io_uring_sqe blank(std::uint8_t opcode, any_fd fd) noexcept {
  io_uring_sqe sqe{};
  sqe.opcode = opcode;
  sqe.flags = fd.fixed() ? IOSQE_FIXED_FILE : 0;
  sqe.fd = fd.number();
  return sqe;
}
__kernel_timespec to_timespec(std::chrono::nanoseconds value) noexcept;

}  // namespace uring
