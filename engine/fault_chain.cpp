// Placeholders that have had their time, and the chains that they held.

#include <algorithm>
#include <cerrno>

#include "engine/fault_data.hpp"
#include "engine/op_table.hpp"

namespace uring {
namespace {

using stage = faulted::stage;

duration to_duration(const __kernel_timespec& spec) {
  return std::chrono::seconds(spec.tv_sec) + duration(spec.tv_nsec);
}

}  // namespace

// A placeholder that was cancelled by its linked timeout, before a hard link: what is behind goes
// on. Up to Linux 6.1 its completion comes before the timeout's, which says that it was that.
bool fault_injector::hangs_on_timeout(const faulted& record, std::int32_t res) noexcept {
  const operation& op = *record.op;
  const bool asked = record.cancelled || record.doomed;
  return res == -ECANCELED && !record.followers.empty() && !asked &&
         (op.submission().flags & IOSQE_IO_HARDLINK) != 0 && op.awaits(request_kind::link_timeout);
}

// It ended otherwise than by its time: cancelled, or by its timeout. A hard link had been made a
// soft one, so the kernel has ended what is behind it, too, and that is put right here.
void fault_injector::end_placeholder(faulted& record) {
  operation& op = *record.op;
  const bool hard = (op.submission().flags & IOSQE_IO_HARDLINK) != 0;
  const bool alone = record.cancelled || record.doomed || op.marks_.cancel_asked ||
                     op.timeout_result_.value_or(-ECANCELED) != -ECANCELED;
  if (hard && alone && !record.followers.empty()) {
    record.has_tail = true;
    return;
  }
  for (operation* each : record.followers) behind_.erase(each);
  for (const faulted::follower_arrival& each : record.followers_in) {
    freed_.push_back({each.op, each.kind, each.res});
  }
  record.followers.clear();
  record.followers_in.clear();
  work_soon();
}

// The placeholder behind which the kernel has ended it: it has not had its turn. Null: it has.
const faulted* fault_injector::waits_behind(const operation& op, std::int32_t res) const noexcept {
  const auto found = behind_.find(&op);
  if (found == behind_.end() || res != -ECANCELED) return nullptr;
  const faulted& head = *found->second;
  const bool waits = head.at == stage::placed || head.at == stage::expired || head.has_tail;
  return waits ? &head : nullptr;
}

bool fault_injector::is_still_to_run(const operation& op, request_kind kind,
                                     std::int32_t res) const noexcept {
  if (passing_ != nullptr || kind != request_kind::main) return false;
  if (waits_behind(op, res) != nullptr) return true;
  const auto found = records_.find(op.submission().user_data);
  if (found == records_.end() || found->second->at != stage::placed) return false;
  const faulted& record = *found->second;
  const bool expires = record.effect.type == cqe_fault::delay && res == -ETIME;
  return expires && !record.too_late && !record.doomed;
}

// A member behind a placeholder. The kernel ends it together with that: it has not had its turn.
fault_delivery fault_injector::follower_arrived(operation& op, request_kind kind,
                                                std::int32_t res) {
  const auto found = behind_.find(&op);
  if (found == behind_.end() || kind == request_kind::cancel) return {};
  faulted& head = *found->second;
  if (waits_behind(op, res) == nullptr) {
    if (kind == request_kind::main) behind_.erase(found);
    return {};
  }
  head.followers_in.push_back({&op, kind, res});
  const bool ready = head.has_tail || (head.at == stage::expired && head.timeout_in);
  if (ready && head.followers_in.size() == head.expected_behind()) soon(head);
  return {verdict::withhold, nullptr};
}

// Publishes a request as it was meant, with its linked timeout.
void fault_injector::publish_again(operation& op, const io_uring_sqe& sqe,
                                   const __kernel_timespec& limit) {
  const auto links = static_cast<__u8>(op.sqe_.flags & any_link);
  const bool bounded = op.mechanism_ == timeout_mechanism::linked;
  io_uring_sqe* entry = loop_.ring_.next_sqe();
  *entry = sqe;
  entry->user_data = op.sqe_.user_data;
  if (bounded && links == 0) entry->flags |= IOSQE_IO_LINK;
  if (!loop_.supports(entry->opcode)) loop_.stand_in(op, *entry);
  if (bounded) loop_.put_link_timeout(op, links, limit);
}

void fault_injector::resubmit(faulted& record) {
  if (record.op != nullptr && record.too_late) {
    record.at = stage::over;
    end_placeholder(record);
    deliver(record, request_kind::main, -ECANCELED, 0);
    return;
  }
  const auto entries_of = [](const operation& op) {
    return op.bounded_by() == timeout_mechanism::linked ? 2U : 1U;
  };
  unsigned entries = record.op != nullptr ? entries_of(*record.op) : 0;
  for (const operation* each : record.followers) entries += entries_of(*each);
  if (!loop_.ring_.reserve(entries)) {
    soon(record);
    return;
  }
  const duration waited = record.effect.by;
  if (record.op != nullptr) {
    operation& op = *record.op;
    if (op.marks_.bounded) {
      const duration all = to_duration(op.bounds_.limit);
      record.time_left = op.bounds_.absolute ? op.bounds_.limit : to_timespec(all - waited);
    }
    record.at = stage::running;
    record.timeout_in = false;
    publish_again(op, op.sqe_, record.time_left);
  }
  for (operation* each : record.followers) {
    const faulted* own = find(*each);
    io_uring_sqe sqe = own != nullptr ? own->submitted_as : each->sqe_;
    // A link timeout that was asked for by itself bounds the delayed operation, too.
    if (record.op != nullptr && each == record.followers.front() &&
        sqe.opcode == IORING_OP_LINK_TIMEOUT && (sqe.timeout_flags & IORING_TIMEOUT_ABS) == 0) {
      const auto* asked = reinterpret_cast<const __kernel_timespec*>(sqe.addr);
      record.time_left = to_timespec(to_duration(*asked) - waited);
      sqe.addr = reinterpret_cast<std::uint64_t>(&record.time_left);
    }
    publish_again(*each, sqe, each->bounds_.limit);
    behind_.erase(each);
  }
  // What is put off itself has its own members behind it again.
  for (operation* each : record.followers) {
    faulted* own = find(*each);
    if (own == nullptr || own->at != stage::placed) continue;
    for (operation* next : own->followers) behind_.try_emplace(next, own);
  }
  record.followers.clear();
  record.followers_in.clear();
  if (record.op != nullptr) return;
  const auto tail = std::ranges::find(tails_, &record, &std::unique_ptr<faulted>::get);
  ended_.push_back(std::move(*tail));
  tails_.erase(tail);
}

}  // namespace uring
