// An operation of one's own: several submissions that go out together and come to one result.
//
//   // Sends a question and, behind its success, receives the answer.
//   struct exchange {
//     static constexpr unsigned entries = 2;
//     int fd;
//     std::span<const std::byte> question;
//     std::span<std::byte> answer;
//
//     void prepare(std::span<io_uring_sqe, 2> sqes) {
//       io_uring_prep_send(&sqes[0], fd, question.data(), question.size(), MSG_WAITALL);
//       io_uring_prep_recv(&sqes[1], fd, answer.data(), answer.size(), 0);
//       sqes[0].flags |= IOSQE_IO_LINK;
//     }
//     completion complete(std::span<const completion, 2> got) {
//       return got[0].succeeded() ? got[1] : got[0];
//     }
//   };
//
//   const completion got =
//       co_await custom(*on, exchange{fd, question, answer}).timeout(50ms);
//
// Each submission is an operation: the seam sees it, faults hit it, its cause is judged. A timeout
// is the loop's timer and cancels every member; so does a stop. prepare() gets zeroed entries, may
// point into itself (a custom is not moved), and leaves user_data alone. complete() gets all
// completions, in the order of the entries, when the last one is in. More entries than the queue
// holds: each completes with -E2BIG.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <utility>

#include "engine/loop.hpp"

namespace uring {

template <class Spec>
concept custom_operation =
    requires(Spec& spec, std::span<io_uring_sqe, std::size_t{Spec::entries}> sqes,
             std::span<const completion, std::size_t{Spec::entries}> got) {
      requires Spec::entries >= 1;
      spec.prepare(sqes);
      spec.complete(got);
    };

template <custom_operation Spec>
class custom {
 public:
  static constexpr std::size_t entries = Spec::entries;
  using result = decltype(std::declval<Spec&>().complete(
      std::declval<std::span<const completion, entries>>()));

  custom(loop& on, Spec spec) noexcept
      : spec_(std::move(spec)), members_(prepare(on, spec_, std::make_index_sequence<entries>())) {}
  custom(const custom&) = delete;
  custom& operator=(const custom&) = delete;

  // As of an operation, for all members.
  custom& timeout(duration after) noexcept {
    return for_each([&](operation& each) { each.timeout(after).by_loop_timer(); });
  }
  custom& deadline(time_point at) noexcept {
    return for_each([&](operation& each) { each.deadline(at).by_loop_timer(); });
  }
  custom& cancel_on(stop_source& source) noexcept {
    return for_each([&](operation& each) { each.cancel_on(source); });
  }
  custom& tag(void* owner) noexcept {
    return for_each([&](operation& each) { each.tag(owner); });
  }
  [[nodiscard]] operation& member(std::size_t number) { return members_[number]; }
  [[nodiscard]] const Spec& spec() const { return spec_; }

  // Awaited once.
  task<result> operator co_await() noexcept { return run(*this); }

 private:
  template <std::size_t... I>
  static std::array<operation, entries> prepare(loop& on, Spec& spec,
                                                std::index_sequence<I...> /*all*/) {
    std::array<io_uring_sqe, entries> sqes{};
    spec.prepare(std::span<io_uring_sqe, entries>(sqes));
    return {operation(on, sqes[I])...};
  }
  template <class Change>
  custom& for_each(Change&& change) noexcept {
    for (operation& each : members_) change(each);
    return *this;
  }
  static task<result> run(custom& self) {
    std::array<operation*, entries> group;
    for (std::size_t i = 0; i < entries; ++i) group[i] = &self.members_[i];
    self.members_[0].on().start_together(group);
    std::array<completion, entries> got;
    for (std::size_t i = 0; i < entries; ++i) got[i] = co_await self.members_[i];
    co_return self.spec_.complete(std::span<const completion, entries>(got));
  }

  Spec spec_;
  std::array<operation, entries> members_;
};

}  // namespace uring
