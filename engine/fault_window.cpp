// Streams that a fault ends, and completions that are held to be let go in another order.

#include <algorithm>
#include <numeric>
#include <utility>

#include "engine/draw.hpp"
#include "engine/faulted.hpp"

namespace uring {
namespace {

using stage = faulted::stage;

// The order in which `count` completions are let go: never the one in which they came.
std::vector<std::uint32_t> order_of(const cqe_effect& effect, std::size_t count) {
  std::vector<std::uint32_t> order;
  for (const std::uint32_t each : effect.order) {
    if (each < count) order.push_back(each);
  }
  if (order.size() == count) return order;
  order.resize(count);
  std::iota(order.begin(), order.end(), 0U);
  if (count < 2) return order;
  for (std::size_t i = count - 1; i > 0; --i) {
    std::swap(order[i], order[draw_bits(effect.seed, i) % (i + 1)]);
  }
  if (std::ranges::is_sorted(order)) std::ranges::rotate(order, order.begin() + 1);
  return order;
}

}  // namespace

// The completion at hand becomes the last. What the kernel still posts is nobody's: it is given
// back. Cancelled past the queue, so that nothing that is submitted later finds it still there.
void fault_injector::end_multishot(operation& op, std::uint32_t& flags) {
  if (is_last(flags)) return;
  flags &= ~static_cast<std::uint32_t>(IORING_CQE_F_MORE);
  const std::uint64_t user_data = op.submission().user_data;
  silenced_.emplace(user_data, op.submission());
  io_uring_sync_cancel_reg request{};
  request.addr = user_data;
  request.fd = -1;
  if (io_uring_register_sync_cancel(loop_.ring_.raw(), &request) != 0) {
    to_cancel_.push_back(user_data);
    work_soon();
  }
}

// The one that holds a completion of this operation, or null.
fault_injector::window* fault_injector::window_for(const operation& op) noexcept {
  for (const std::unique_ptr<window>& each : windows_) {
    if (observer_ == nullptr || observer_->joins(op, each->effect)) return each.get();
  }
  return nullptr;
}

fault_injector::window& fault_injector::open_window(faulted& record) {
  window& made = *windows_.emplace_back(std::make_unique<window>());
  made.effect = record.effect;
  const std::size_t wanted =
      record.effect.order.empty() ? record.effect.window : record.effect.order.size();
  made.size = std::max<std::size_t>(wanted, 2);
  made.closes_at = later(loop_.now(), record.patience());
  return made;
}

// One that is open already takes it, whatever its own fault says: what is held can't be held again.
// What comes between the last that it holds and its closing, a turn later, must not overtake those:
// it goes behind them.
fault_delivery fault_injector::join_window(faulted& record, std::int32_t res, std::uint32_t flags) {
  window* const open = window_for(*record.op);
  window& into = open != nullptr ? *open : open_window(record);
  record.effect = into.effect;
  record.in = &into;
  into.members.push_back(&record);
  record.results.push_back({res, flags});
  record.final_in |= is_last(flags);
  record.at = stage::held;
  // When nothing else is on its way the window can't fill.
  const std::size_t flying = loop_.in_flight();
  const std::size_t may_come =
      observer_ == nullptr ? flying : observer_->may_join(into.effect, flying);
  const bool all = into.members.size() == into.size || into.members.size() >= may_come;
  record.release_at = into.closes_at;
  watch_deadline(record);
  if (all) {
    into.full = true;
    soon(record);
  }
  return withheld;
}

// One that nobody is left in is closed: nobody would do it.
void fault_injector::leave_window(faulted& record) noexcept {
  if (record.in == nullptr) return;
  window& from = *std::exchange(record.in, nullptr);
  std::ranges::replace(from.members, &record, static_cast<faulted*>(nullptr));
  const auto is_there = [](const faulted* each) { return each != nullptr; };
  const bool open =
      std::ranges::find(windows_, &from, &std::unique_ptr<window>::get) != windows_.end();
  if (open && std::ranges::none_of(from.members, is_there)) close_window(from);
}

void fault_injector::close_window(window& which) {
  const auto found = std::ranges::find(windows_, &which, &std::unique_ptr<window>::get);
  const std::unique_ptr<window> closing = std::move(*found);
  windows_.erase(found);
  std::vector<faulted*>& all = closing->members;
  const std::size_t held = std::min(all.size(), closing->size);
  // One window is one fault, of the one who opened it if that is still there.
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(held);
  const auto opener =
      std::find_if(all.begin(), end, [](const faulted* each) { return each != nullptr; });
  if (opener != end && held > 1) {
    fire(**opener);
    for (std::size_t i = 0; i < held; ++i) {
      if (all[i] != nullptr) all[i]->fired = true;
    }
  } else if (opener != end && !closing->full) {
    // It came later than it would have, and in its own order.
    (*opener)->in_vain = true;
    fire(**opener);
  }
  std::vector<std::uint32_t> order = order_of(closing->effect, held);
  for (std::size_t i = held; i < all.size(); ++i) order.push_back(static_cast<std::uint32_t>(i));
  for (const std::uint32_t each : order) {
    if (faulted* member = all[each]) {
      leave_window(*member);
      release(*member);
    }
  }
  if (observer_ != nullptr) observer_->window_closed(closing->effect);
}

}  // namespace uring
