// Arming, the records, and what is done between two turns of the loop.

#include "engine/fault_injector.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine/fault_data.hpp"
#include "engine/give_back.hpp"
#include "engine/inject.hpp"
#include "engine/op_table.hpp"

namespace uring {
namespace {

bool shortens(cqe_fault type) {
  return type == cqe_fault::short_read || type == cqe_fault::short_write;
}

// It keeps the operation from being issued at once.
bool puts_off(const cqe_effect& effect) {
  if (effect.type == cqe_fault::delay || effect.type == cqe_fault::timeout) return effect.before;
  return effect.type == cqe_fault::hang;
}

// Why the effect can't be done to this submission, or null.
const char* refusal(const io_uring_sqe& sqe, const cqe_effect& effect) {
  const op_row* row = find_op(sqe.opcode);
  if (row == nullptr || !can_suffer(*row, effect.type)) return "this operation can't suffer it";
  if ((sqe.flags & IOSQE_CQE_SKIP_SUCCESS) != 0) return "its completion is skipped";
  if (puts_off(effect)) {
    if ((sqe.flags & IOSQE_IO_DRAIN) != 0) {
      return "a drained operation can't be put off: the kernel would start those behind it";
    }
    if (sqe.opcode == IORING_OP_LINK_TIMEOUT) return "a link timeout stands behind its operation";
  }
  if (shortens(effect.type) && is_multishot(sqe)) return "a multishot can't be shortened";
  return nullptr;
}

}  // namespace

std::optional<int> instead_of(const cqe_effect& effect) {
  switch (effect.type) {
    case cqe_fault::unsupported:
      return -EINVAL;
    case cqe_fault::errno_:
      return -effect.error;
    case cqe_fault::eof:
      return 0;
    case cqe_fault::cancelled:
      return -ECANCELED;
    case cqe_fault::nobufs:
      return -ENOBUFS;
    default:
      return {};
  }
}

bool is_multishot(const io_uring_sqe& sqe) {
  if (sqe.opcode == compat::op_read_multishot) return true;
  const op_row* row = find_op(sqe.opcode);
  const field_row* flag = row != nullptr ? find_field(*row, "multishot") : nullptr;
  return flag != nullptr && (load(sqe, flag->at) & flag->bit) != 0;
}

bool acts_at_submission(const cqe_effect& effect, const io_uring_sqe& sqe) {
  if (effect.type == cqe_fault::corrupt) return !receives_data(sqe);
  if (instead_of(effect)) return effect.before || effect.type == cqe_fault::unsupported;
  return shortens(effect.type) || puts_off(effect) || effect.type == cqe_fault::cancel_race ||
         effect.type == cqe_fault::timeout || effect.type == cqe_fault::notif_drop;
}

fault_injector::fault_injector(loop& on, fault_observer* observer)
    : loop_(on),
      observer_(observer),
      timer_(std::make_unique<work_timer>(*this)),
      ring_(on, observer) {}

fault_injector::~fault_injector() {
  while (!masked_.empty()) pretend_missing(masked_.back(), false);
}

// ---- Records -----------------------------------------------------------------------------------

faulted* fault_injector::find(std::uint64_t user_data) noexcept {
  const auto found = records_.find(user_data);
  return found == records_.end() ? nullptr : found->second.get();
}

faulted* fault_injector::find(const operation& op) noexcept {
  return records_.empty() ? nullptr : find(op.submission().user_data);
}

faulted& fault_injector::keep(operation& op, const cqe_effect& effect) {
  auto& place = records_[op.submission().user_data];
  if (place != nullptr) {
    // It has one effect behind it (it was shortened, say); what the kernel reads stays.
    place->effect = effect;
    place->fired = false;
    place->at = faulted::stage::running;
  } else {
    place = std::make_unique<faulted>(*this, op, effect);
  }
  return *place;
}

// Its memory stays until the next call: somebody up the stack may still look at it.
void fault_injector::forget(faulted& record) noexcept {
  record.timer.disarm();
  record.at = faulted::stage::over;
  orphan_agents(record);
  leave_window(record);
  const auto found = records_.find(record.user_data);
  if (found == records_.end() || found->second.get() != &record) return;
  if (record.has_tail) {
    record.at = faulted::stage::expired;
    record.op = nullptr;
    record.end_now = false;
    // Its members may all be in already; nobody else would tell it then.
    if (record.followers_in.size() == record.expected_behind()) soon(record);
    tails_.push_back(std::move(found->second));
  } else {
    for (operation* each : record.followers) behind_.erase(each);
    ended_.push_back(std::move(found->second));
  }
  records_.erase(found);
  work_soon();
}

void fault_injector::fire(faulted& record) noexcept {
  if (record.fired) return;
  record.fired = true;
  if (observer_ != nullptr) observer_->fired(record.effect, *record.op);
}

void fault_injector::soon(faulted& record) noexcept {
  loop_.timers_.arm(record.timer, loop_.now());
}

void fault_injector::work_soon() noexcept {
  time_point next = time_point::max();
  for (const owed_stray& each : owed_) next = std::min(next, each.at);
  const bool orphans =
      std::ranges::any_of(agents_, [](const agent& each) { return each.target == nullptr; });
  if (orphans || !to_cancel_.empty() || !freed_.empty()) next = loop_.now();
  if (next != time_point::max()) loop_.timers_.arm(*timer_, next);
}

// ---- At submission -----------------------------------------------------------------------------

void fault_injector::submitted(operation& op, request_kind kind, io_uring_sqe& sqe) noexcept {
  if (passing_ == nullptr) ended_.clear();
  if (kind == request_kind::main) ++account_.submitted;
  if (records_.empty()) return;
  if (kind == request_kind::main) {
    translate_cancel(op, sqe);
  } else if (faulted* record = find(op)) {
    if (kind == request_kind::cancel) {
      record->cancelled = true;
      if (record->is_out_of_sight() || record->races()) aim(op, kind, sqe, *record);
    } else if (record->effect.type == cqe_fault::timeout && record->effect.before) {
      // It expires at once.
      record->time_left = {};
      sqe.addr = reinterpret_cast<std::uint64_t>(&record->time_left);
      sqe.timeout_flags = 0;
    }
  }
}

const char* fault_injector::arm(operation& op, io_uring_sqe& sqe,
                                const cqe_effect& effect) noexcept {
  if (const char* why = refusal(sqe, effect)) return why;
  faulted& record = keep(op, effect);
  const char* why = nullptr;
  bool done = true;
  const std::optional<int> instead = instead_of(effect);
  if (puts_off(effect)) {
    why = place(record, sqe);
  } else if (instead && (effect.before || effect.type == cqe_fault::unsupported)) {
    complete_instead(op, sqe, *instead, loop_.kernel());
  } else if (shortens(effect.type)) {
    why = shorten_request(record, sqe);
  } else if (effect.type == cqe_fault::corrupt && !receives_data(sqe)) {
    why = corrupt_request(record, sqe);
  } else {
    done = false;
  }
  record.submitted_as = sqe;
  if (why != nullptr) {
    forget(record);
  } else if (done) {
    fire(record);
  }
  return why;
}

// A TIMEOUT with the operation's own user_data and links: its linked timeout and its cancels find
// it as they would find the operation. Where the operation stands before others in a chain, its end
// must not let them start, so a hard link becomes a soft one, and the TIMEOUT's end is a failure.
const char* fault_injector::place(faulted& record, io_uring_sqe& sqe) {
  for (operation* each = record.op->next_in_group_; each != nullptr; each = each->next_in_group_) {
    if (!loop_.supports(each->opcode())) {
      return "a system call stands in for a later member of its chain";
    }
  }
  constexpr duration never = std::chrono::hours(24 * 365 * 100);
  const bool delayed = record.effect.type == cqe_fault::delay;
  record.placeholder_time = to_timespec(delayed ? record.effect.by : never);
  const std::uint64_t user_data = sqe.user_data;
  __u8 flags = sqe.flags & any_link;
  if ((flags & IOSQE_IO_HARDLINK) != 0) flags = IOSQE_IO_LINK;
  sqe = blank(IORING_OP_TIMEOUT, -1);
  sqe.addr = reinterpret_cast<std::uint64_t>(&record.placeholder_time);
  sqe.len = 1;
  sqe.user_data = user_data;
  sqe.flags = flags;
  record.at = faulted::stage::placed;
  for (operation* each = record.op; (each->sqe_.flags & any_link) != 0;) {
    each = each->next_in_group_;
    if (each == nullptr) break;
    record.followers.push_back(each);
    behind_.try_emplace(each, &record);
  }
  const bool by_kernel = record.op->mechanism_ == timeout_mechanism::linked;
  if (!delayed && record.effect.type == cqe_fault::timeout && !by_kernel) soon(record);
  return nullptr;
}

// ---- Between two turns -------------------------------------------------------------------------

void fault_injector::due(faulted& record) noexcept {
  using stage = faulted::stage;
  const time_point now = loop_.now();
  switch (record.at) {
    case stage::placed:
      if (record.awaits_timeout()) {
        end_placeholder(record);
        release(record);
      } else {  // the timeout that it is to have had
        loop_.expire_operation(*record.op);
      }
      return;
    case stage::running:
      if (record.races() && is_asked(record)) give_up_race(record);
      return;
    case stage::over:
      return;
    default:
      break;
  }
  if (is_asked(record) || record.end_now) {
    if (is_answerable(record)) answer_agents(record);
  } else if (record.at == stage::expired) {
    resubmit(record);
  } else if (record.in != nullptr && (record.in->full || now >= record.in->closes_at)) {
    close_window(*record.in);
  } else if (now >= record.deadline_at && record.op->awaits(request_kind::link_timeout)) {
    if (record.timeout_in) expire(record);
  } else if (now >= record.deadline_at) {
    record.deadline_at = time_point::max();
    loop_.expire_operation(*record.op);
  } else if (now >= record.release_at) {
    release(record);
  } else {
    loop_.timers_.arm(record.timer, std::min(record.release_at, record.deadline_at));
  }
}

void fault_injector::work() noexcept {
  while (!to_cancel_.empty() && loop_.ring_.reserve(1)) {
    io_uring_sqe* sqe = loop_.ring_.next_sqe();
    *sqe = blank(IORING_OP_ASYNC_CANCEL, -1);
    sqe->addr = to_cancel_.back();
    sqe->user_data = ring_faults::own_user_data();
    to_cancel_.pop_back();
  }
  answer_orphans();
  for (const freed& each : std::exchange(freed_, {})) {
    if (each.op->awaits(each.kind)) loop_.deliver_held(*each.op, each.kind, each.res, 0);
  }
  const time_point now = loop_.now();
  std::vector<owed_stray> ripe;
  for (const owed_stray& each : owed_) {
    if (each.at <= now) ripe.push_back(each);
  }
  std::erase_if(owed_, [&](const owed_stray& each) { return each.at <= now; });
  for (const owed_stray& each : ripe) tell_stray(each);
  work_soon();
}

void fault_injector::tell_stray(const owed_stray& owed) noexcept {
  ++account_.strays;
  // A copy brought nothing of its own.
  if ((owed.what.marks & mark_synthetic) == 0) {
    give_back(loop_, owed.sqe, owed.what.res, owed.what.flags);
  }
  if (observer_ != nullptr) observer_->stray(owed.what);
}

bool fault_injector::takes(const io_uring_cqe& cqe) noexcept {
  if (cqe.user_data == ring_faults::own_user_data()) return true;
  const auto found = silenced_.find(cqe.user_data);
  if (found == silenced_.end()) return false;
  give_back(loop_, found->second, cqe.res, cqe.flags);
  if ((cqe.flags & IORING_CQE_F_MORE) == 0) silenced_.erase(found);
  return true;
}

std::size_t fault_injector::holds() const noexcept {
  return records_.size() + tails_.size() + owed_.size() + silenced_.size() + to_cancel_.size() +
         agents_.size() + freed_.size();
}

void fault_injector::settle() noexcept {
  while (!windows_.empty()) close_window(*windows_.back());
  std::vector<faulted*> held;
  for (const auto& [user_data, record] : records_) {
    if (record->at == faulted::stage::held && !record->results.empty())
      held.push_back(record.get());
  }
  for (faulted* record : held) release(*record);
  for (owed_stray& each : owed_) each.at = time_point::min();
  work();
  ended_.clear();
}

bool fault_injector::will_let_go() const noexcept {
  using enum faulted::stage;
  return std::ranges::any_of(records_, [](const auto& each) {
    const faulted& record = *each.second;
    if (record.at == held) return record.release_at != time_point::max();
    return record.at == expired || (record.at == placed && record.effect.type == cqe_fault::delay);
  });
}

void fault_injector::pretend_missing(uint8_t opcode, bool missing) noexcept {
  const auto known = std::ranges::find(masked_, opcode);
  if (missing && known == masked_.end() && loop_.kernel_.has(opcode)) {
    masked_.push_back(opcode);
    loop_.kernel_.opcodes.reset(opcode);
    loop_.kernel_.hidden.set(opcode);
  } else if (!missing && known != masked_.end()) {
    masked_.erase(known);
    loop_.kernel_.opcodes.set(opcode);
    loop_.kernel_.hidden.reset(opcode);
  }
}

}  // namespace uring
