// Telling a scenario that can't go on: who waits for what can no longer come, and what everybody
// was doing when the time was up.
//
// A strand that waits for another strand (a future, a barrier, a signal, a join) is blocked. So is
// one that waits for bytes or a connection from the same scenario: when every strand is blocked,
// nobody is left to send. Waits for other strands are known exactly, so a deadlock among them is
// told at once. Bytes may still be on their way through the kernel, so with I/O among the waits the
// scenario must have been quiet for two moments, with nothing left in any queue or proxy, and with
// nothing that a fault lets go later. Where others than the scenario's own actors may come, a wait
// for a connection or a datagram is not counted as one that nobody can end.

#include <fmt/format.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <tuple>

#include "scenarios/run_state.hpp"
#include "scenarios/thread_link.hpp"
#include "scenarios/units.hpp"
#include "scenarios/wire/proxy_group.hpp"

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

// Who came first is chance, and the same scenario is to get the same words: by place, then by name.
bool comes_before(span a, std::string_view who, span b, std::string_view other) {
  const auto file = [](span at) { return at.in != nullptr ? at.in->name() : std::string_view(); };
  return std::tuple(file(a), a.begin, who) < std::tuple(file(b), b.begin, other);
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
  if (threads != nullptr) {
    // Those on other threads may still be moving.
    if (blocked_ >= strands_) threads->may_be_stuck();
    return;
  }
  if (strands_ == 0 || !is_idle() || stop.stop_requested()) return;
  const uring::duration quiet = quiet_needed();
  if (quiet.count() == 0) {
    give_up(standing().waits);
    return;
  }
  const std::uint64_t now = progress();
  quiet_rounds_ = now == progress_when_quiet_ ? quiet_rounds_ : 0;
  progress_when_quiet_ = now;
  loop.timers().arm(quiet_, uring::clock::now() + scaled(quiet));
}

void scenario_run::quiet_for_long() {
  if (strands_ == 0 || blocked_ < strands_ || stop.stop_requested()) return;
  if (!is_idle() || any_io_pending() || progress_when_quiet_ != progress()) {
    look_for_deadlock();
    return;
  }
  // A polling thread may have taken a connection, and not have told of it yet; and a machine that
  // has no time for us may have none for the packets of a loopback either.
  if (quiet_rounds_++ == 0) {
    look_for_deadlock();
    return;
  }
  give_up(standing().waits);
}

/// Changes with whatever may bring somebody something.
std::uint64_t scenario_run::progress() const {
  return clock.submissions + clock.completions + (proxies != nullptr ? proxies->progress() : 0);
}

uring::duration scenario_run::quiet_needed() const {
  uring::duration quiet{0};
  for (const blocked_wait* wait = first_wait_; wait != nullptr; wait = wait->next_) {
    if (wait->kind == wait_kind::internal) continue;
    quiet = std::max(quiet, wait->kind == wait_kind::writing ? quiet_writing : quiet_reading);
  }
  return quiet;
}

bool scenario_run::is_idle() const {
  return blocked_ >= strands_ && !any_event_pending() && !others_may_come();
}

/// Asked when all wait, not when a wait begins: whoever was dialled since may call back.
bool scenario_run::others_may_come() const {
  for (const blocked_wait* wait = first_wait_; wait != nullptr; wait = wait->next_)
    if (wait->kind == wait_kind::accepting || wait->kind == wait_kind::arriving)
      return has_outsiders();
  return false;
}

run_standing scenario_run::standing() const {
  run_standing made;
  made.idle = is_idle();
  made.io_pending = any_io_pending();
  made.strands = strands_;
  made.progress = progress();
  made.quiet = quiet_needed();
  for (const blocked_wait* wait = first_wait_; wait != nullptr; wait = wait->next_)
    made.waits.push_back({std::string(wait->who), wait->at, wait->what});
  for (const activity& each : activities_)
    if (each.step != nullptr) made.activities.push_back({std::string(each.who), each.step});
  return made;
}

// After a failure it is no news that the others wait for the one that is gone.
void scenario_run::give_up(const std::vector<run_standing::wait>& waits) {
  if (failed_) {
    stop.request_stop();
  } else {
    tell_deadlock(waits);
  }
}

bool scenario_run::any_event_pending() const {
  for (const blocked_wait* wait = first_wait_; wait != nullptr; wait = wait->next_) {
    if (wait->ends != nullptr && wait->ends->is_set()) return true;
  }
  return false;
}

bool scenario_run::any_io_pending() const {
  if (recording_seam::of(loop).will_let_go()) return true;
  if (proxies != nullptr && proxies->may_act()) return true;
  for (const blocked_wait* wait = first_wait_; wait != nullptr; wait = wait->next_) {
    const bool inward = wait->kind != wait_kind::internal && wait->kind != wait_kind::writing;
    if (inward && readable(wait->fd)) return true;
  }
  // Asked last: what is not in a socket any more may be told of already.
  const io_uring* ring = loop.io().raw();
  return io_uring_sq_ready(ring) != 0 || io_uring_cq_ready(ring) != 0;
}

void scenario_run::tell_deadlock(std::vector<run_standing::wait> waits) {
  std::ranges::sort(
      waits, [](const auto& a, const auto& b) { return comes_before(a.at, a.who, b.at, b.who); });
  const run_standing::wait& first = waits.front();
  diagnostic why = make(code::deadlock, first.at, "every actor waits for what can no longer come");
  why.label = fmt::format("{} waits here {}", first.who, first.what);
  for (std::size_t i = 1; i < waits.size(); ++i) {
    const span at = waits[i].at;
    const position place = at.in != nullptr ? at.in->locate(at.begin) : position{};
    why.notes.push_back(
        fmt::format("{} waits at line {} {}", waits[i].who, place.line, waits[i].what));
  }
  why.help =
      "one of them must go on first: look for a send, a barrier or a signal that comes too late";
  fail(std::move(why));
}

void scenario_run::tell_deadline() {
  end_late(make(code::scenario_timed_out, {},
                fmt::format("the scenario did not end within its timeout of {}",
                            format_duration(scaled(what.timeout)))),
           {});
}

void scenario_run::tell_actor_deadline(const actor_plan& actor, uring::duration limit) {
  end_late(make(code::actor_timed_out, {},
                fmt::format("the actor {} did not end within its timeout of {}", actor.name,
                            format_duration(limit))),
           actor.name);
}

void scenario_run::end_late(diagnostic why, std::string who) {
  if (threads != nullptr) return threads->late(std::move(why), std::move(who));
  tell_late(std::move(why), who, standing().activities);
}

void scenario_run::tell_late(diagnostic why, std::string_view who,
                             std::vector<run_standing::activity> activities) {
  const auto is_other = [&](const run_standing::activity& each) {
    const std::string_view name = each.who;
    return name.substr(0, name.find('#')) != who;
  };
  std::ranges::sort(activities, [&](const auto& a, const auto& b) {
    if (is_other(a) != is_other(b)) return is_other(b);
    return comes_before(a.step->op_at, a.who, b.step->op_at, b.who);
  });
  for (const run_standing::activity& each : activities) {
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
