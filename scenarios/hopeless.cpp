// Telling a scenario that can't go on: who waits for what can no longer come, and what everybody
// was doing when the time was up.
//
// A strand that waits for another strand (a future, a barrier, a signal, a join) is blocked. So is
// one that waits for bytes or a connection from the same scenario: when every strand is blocked,
// nobody is left to send. Waits for other strands are known exactly, so a deadlock among them is
// told at once. Bytes may still be on their way through the kernel, so with I/O among the waits the
// scenario must have been quiet for a moment, with nothing left in any queue.

#include <fmt/format.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "scenarios/run_state.hpp"
#include "scenarios/units.hpp"

namespace scenarios {
namespace {

using namespace std::chrono_literals;

constexpr uring::duration quiet_reading = 50ms;
// A full socket drains by window updates, which the kernel may delay.
constexpr uring::duration quiet_writing = 1s;

bool readable(int fd) {
  pollfd asked{fd, POLLIN, 0};
  return fd >= 0 && ::poll(&asked, 1, 0) > 0;
}

}  // namespace

blocked_wait::blocked_wait(scenario_run& run, wait_kind how, std::string_view strand, span place,
                           std::string text, const uring::event* event, int descriptor)
    : kind(how),
      who(strand),
      at(place),
      what(std::move(text)),
      ends(event),
      fd(descriptor),
      run_(run),
      previous_(run.last_wait_) {
  (previous_ != nullptr ? previous_->next_ : run.first_wait_) = this;
  run.last_wait_ = this;
  ++run.blocked_;
  run.look_for_deadlock();
}

blocked_wait::~blocked_wait() {
  (previous_ != nullptr ? previous_->next_ : run_.first_wait_) = next_;
  (next_ != nullptr ? next_->previous_ : run_.last_wait_) = previous_;
  --run_.blocked_;
  run_.quiet_.disarm();
}

void scenario_run::strand_ended() {
  --strands_;
  look_for_deadlock();
}

void scenario_run::look_for_deadlock() {
  if (strands_ == 0 || blocked_ < strands_ || stop.stop_requested()) return;
  if (any_event_pending()) return;
  uring::duration quiet{0};
  for (const blocked_wait* wait = first_wait_; wait != nullptr; wait = wait->next_) {
    if (wait->kind == wait_kind::internal) continue;
    quiet = std::max(quiet, wait->kind == wait_kind::writing ? quiet_writing : quiet_reading);
  }
  if (quiet.count() == 0) {
    give_up();
    return;
  }
  const std::uint64_t progress = clock.submissions + clock.completions;
  quiet_rounds_ = progress == progress_when_quiet_ ? quiet_rounds_ : 0;
  progress_when_quiet_ = progress;
  loop.timers().arm(quiet_, uring::clock::now() + scaled(quiet));
}

void scenario_run::quiet_for_long() {
  if (strands_ == 0 || blocked_ < strands_ || stop.stop_requested()) return;
  if (any_event_pending() || any_io_pending() ||
      progress_when_quiet_ != clock.submissions + clock.completions) {
    look_for_deadlock();
    return;
  }
  // A polling thread may have taken a connection, and not have told of it yet.
  const bool by_poller = (loop.io().raw()->flags & IORING_SETUP_SQPOLL) != 0;
  if (by_poller && quiet_rounds_++ == 0) {
    look_for_deadlock();
    return;
  }
  give_up();
}

// After a failure it is no news that the others wait for the one that is gone.
void scenario_run::give_up() {
  if (failed_) {
    stop.request_stop();
  } else {
    tell_deadlock();
  }
}

bool scenario_run::any_event_pending() const {
  for (const blocked_wait* wait = first_wait_; wait != nullptr; wait = wait->next_) {
    if (wait->ends != nullptr && wait->ends->is_set()) return true;
  }
  return false;
}

bool scenario_run::any_io_pending() const {
  for (const blocked_wait* wait = first_wait_; wait != nullptr; wait = wait->next_) {
    const bool inward = wait->kind == wait_kind::reading || wait->kind == wait_kind::accepting;
    if (inward && readable(wait->fd)) return true;
  }
  // Asked last: what is not in a socket any more may be told of already.
  const io_uring* ring = loop.io().raw();
  return io_uring_sq_ready(ring) != 0 || io_uring_cq_ready(ring) != 0;
}

void scenario_run::tell_deadlock() {
  diagnostic why =
      make(code::deadlock, first_wait_->at, "every actor waits for what can no longer come");
  why.label = fmt::format("{} waits here {}", first_wait_->who, first_wait_->what);
  for (const blocked_wait* wait = first_wait_->next_; wait != nullptr; wait = wait->next_) {
    const position place =
        wait->at.in != nullptr ? wait->at.in->locate(wait->at.begin) : position{};
    why.notes.push_back(fmt::format("{} waits at line {} {}", wait->who, place.line, wait->what));
  }
  why.help =
      "one of them must go on first: look for a send, a barrier or a signal that comes too late";
  fail(std::move(why));
}

void scenario_run::tell_deadline() {
  end_late(make(code::scenario_timed_out, {},
                fmt::format("the scenario did not end within its timeout of {}",
                            format_duration(scaled(what.timeout)))));
}

void scenario_run::tell_actor_deadline(const actor_plan& actor, uring::duration limit) {
  end_late(make(code::actor_timed_out, {},
                fmt::format("the actor {} did not end within its timeout of {}", actor.name,
                            format_duration(limit))));
}

// Says where everybody is.
void scenario_run::end_late(diagnostic why) {
  for (const activity& each : activities_) {
    if (each.step == nullptr) continue;
    const span at = each.step->at;
    if (why.where.in == nullptr) {
      why.where = each.step->op_at;
      why.label = fmt::format("{} was here", each.who);
      continue;
    }
    why.notes.push_back(fmt::format("{} was at line {}: {}", each.who, at.in->locate(at.begin).line,
                                    each.step->op));
  }
  why.help = "give the step that may hang a `timeout`, or raise this one";
  fail(std::move(why));
}

}  // namespace scenarios
