// A stream of completions from one submission: accept, recv, poll, read or timeout, multishot.
//
//   multishot connections = loop.accept_multishot(listener);
//   while (std::optional<completion> c = co_await connections.next()) { … }
//   co_await connections.close();
//
// It is an operation: bounded, cancelled and tagged like any other, for its whole life. The first
// next() submits it; every completion is delivered, in order, the last one (without
// IORING_CQE_F_MORE) too, with the cause of the end; after it comes nothing. The kernel ends a
// multishot for reasons of its own: a full completion queue, no buffers, no descriptors. Nothing
// arms it again but the caller, with rearm(): only who takes the completions knows whether buffers
// and descriptors are free again, and a stream that armed itself would spin where they are not.
// One coroutine waits in next() at a time.
// It must be closed while it is in flight: destroyed so, it aborts the program, naming itself.
// Descriptors and buffers that nobody took go back (give_back.hpp).
#pragma once

#include <optional>

#include "engine/arrivals.hpp"
#include "engine/operation.hpp"
#include "engine/task.hpp"

namespace uring {

class multishot : public operation {
 public:
  multishot(loop& on, const io_uring_sqe& prepared) noexcept : operation(on, prepared) {
    watch(events);
  }
  ~multishot() { drop_queued(); }

  class arriving;
  // The next completion, or nothing after the last.
  arriving next() noexcept;
  // True when the last completion has come, taken or not.
  [[nodiscard]] bool ended() const { return is_done(); }
  // Lets next() submit it again after its end; what has not been taken is given back.
  void rearm() noexcept;
  // Cancels it, waits for its end, and gives back what nobody took; returns the last completion.
  task<completion> close();

 protected:
  // Gives back what nobody took. A derived class that holds what a completion is read by does it in
  // its own destructor.
  void drop_queued() noexcept;

 private:
  static const watcher events;
  static void on_arrival(operation& self, std::int32_t res, std::uint32_t flags) noexcept;
  static void on_end(operation& self) noexcept;
  void push(const completion& what) noexcept;

  arrival* first_ = nullptr;
  arrival* last_ = nullptr;
  ready_node taker_;
  bool awaited_by_taker_ = false;
};

class multishot::arriving {
 public:
  explicit arriving(multishot& from) noexcept : from_(from) {}
  bool await_ready() noexcept;
  void await_suspend(std::coroutine_handle<> waiting) noexcept {
    from_.taker_.waiter = waiting;
    from_.awaited_by_taker_ = true;
  }
  std::optional<completion> await_resume() noexcept;

 private:
  multishot& from_;
};

inline multishot::arriving multishot::next() noexcept {
  return arriving(*this);
}

// A multishot of an opcode that fills buffers of a group.
inline io_uring_sqe selecting(io_uring_sqe sqe, std::uint16_t group) noexcept {
  sqe.flags |= IOSQE_BUFFER_SELECT;
  sqe.buf_group = group;
  return sqe;
}

}  // namespace uring
