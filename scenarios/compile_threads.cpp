// Actors with `"thread": true`: what belongs to one thread can't be used from two.

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "scenarios/checked_object.hpp"
#include "scenarios/compile_case.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

/// Each costs a thread, a ring and its memory.
constexpr std::size_t threads_max = 64;

/// Steps that change what home alone has.
constexpr std::string_view steps_of_home[] = {"fault_on", "heal", "pause", "pass", "resume"};
/// The same of the whole scenario: their rules count over all actors, or act on relays at home.
constexpr std::string_view keys_of_home[] = {"faults", "proxies"};

class thread_check {
 public:
  thread_check(case_context& in, const checked_object& top) : in_(in), top_(top) {}

  void run() {
    count();
    check_keys();
    for (const step_seen& each : in_.steps) {
      if (find_threaded(each.actor) != nullptr) check_step(each);
      if (each.ring < in_.into.rings.size()) note_ring(each);
    }
  }

 private:
  void count() {
    const auto found = std::ranges::count_if(in_.into.actors, &actor_plan::thread);
    if (static_cast<std::size_t>(found) <= threads_max) return;
    in_.out.error(
        code::value_out_of_range, first().at,
        fmt::format("a scenario has at most {} threads, and here are {}", threads_max, found));
  }

  void check_keys() {
    if (!in_.into.faults.empty() && !top_.has("faults")) {
      // They come from a file of their own, which a run was given.
      in_.out.error(
          code::thread_forbids, first().at,
          fmt::format("a scenario with threads has no faults, and {} is on one", first().base));
    }
    for (const std::string_view key : keys_of_home) {
      const member* m = top_.find_member(key);
      if (m == nullptr) continue;
      in_.out
          .error(code::thread_forbids, m->key_at,
                 fmt::format("a scenario with threads has no {}, and {} is on one", in_quotes(key),
                             first().base))
          .help = "leave out the actor's `thread`, or test that in a scenario of its own";
    }
  }

  void check_step(const step_seen& step) {
    const bool of_home =
        std::ranges::find(steps_of_home, step.row->name) != std::end(steps_of_home);
    const bool of_file = step.row->name == "write_file" || step.row->name == "read_file";
    const bool of_program = step.row->layer == step_layer::process && !of_file;
    if (!of_home && !of_program) return;
    in_.out
        .error(code::thread_forbids, step.at,
               fmt::format("{} has a thread of its own, where `{}` is not possible", step.actor,
                           step.row->name))
        .help = of_program ? "programs belong to the scenario's own thread: let another actor, or "
                             "`setup`, do it, and wait for it with `await` or a `barrier`"
                           : "let an actor without `thread` do it";
  }

  /// A ring lives on the thread of whoever submits on it.
  void note_ring(const step_seen& step) {
    users_.resize(in_.into.rings.size());
    const actor_plan* threaded = find_threaded(step.actor);
    ring_plan& ring = in_.into.rings[step.ring];
    std::string& user = users_[step.ring];
    const bool unused = user.empty();
    if (unused) user = step.actor;
    if (!unused && user == step.actor) return;
    const bool shared = !unused && (threaded != nullptr || find_threaded(user) != nullptr);
    const bool copies = threaded != nullptr && threaded->name != threaded->base && unused &&
                        count_of(step.actor) > 1;
    if (shared || copies) {
      in_.out
          .error(code::thread_forbids, step.at,
                 copies ? fmt::format("every copy of {} has a thread of its own, and the ring {} "
                                      "belongs to one thread",
                                      step.actor, ring.name)
                        : fmt::format("the ring {} belongs to the thread of one actor, and {} "
                                      "and {} submit on it",
                                      ring.name, user, step.actor))
          .help = "give each of them a ring; `msg_ring` goes from one to the other";
      return;
    }
    if (threaded != nullptr)
      ring.actor = static_cast<std::uint32_t>(threaded - in_.into.actors.data());
  }

  std::ptrdiff_t count_of(std::string_view actor) const {
    return std::ranges::count(in_.into.actors, actor, &actor_plan::base);
  }
  const actor_plan* find_threaded(std::string_view actor) const {
    const auto found = std::ranges::find(in_.into.actors, actor, &actor_plan::base);
    return found != in_.into.actors.end() && found->thread ? &*found : nullptr;
  }
  const actor_plan& first() const {
    return *std::ranges::find(in_.into.actors, true, &actor_plan::thread);
  }

  case_context& in_;
  const checked_object& top_;
  std::vector<std::string> users_;  // of rings
};

}  // namespace

void check_threads(case_context& in, const checked_object& top) {
  thread_check(in, top).run();
}

}  // namespace scenarios
