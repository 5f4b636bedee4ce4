// Streams that a fault ends, and completions that are held to be let go in another order.

#include <algorithm>
#include <numeric>

#include "engine/draw.hpp"
#include "engine/faulted.hpp"

namespace uring {
namespace {

using stage = faulted::stage;

constexpr fault_delivery withheld{verdict::withhold, nullptr};

bool is_last(std::uint32_t flags) {
  return (flags & IORING_CQE_F_MORE) == 0;
}

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

fault_delivery fault_injector::join_window(faulted& record, std::int32_t res, std::uint32_t flags) {
  if (window_ == nullptr) {
    window_ = std::make_unique<window>();
    window_->effect = record.effect;
    window_->size = std::max<std::size_t>(
        record.effect.order.empty() ? record.effect.window : record.effect.order.size(), 2);
    window_->closes_at = later(loop_.now(), record.patience());
  }
  window_->members.push_back(&record);
  record.results.push_back({res, flags});
  record.final_in |= is_last(flags);
  record.at = stage::held;
  // When nothing else is on its way the window can't fill.
  const bool all =
      window_->members.size() == window_->size || window_->members.size() >= loop_.in_flight();
  record.release_at = window_->closes_at;
  watch_deadline(record);
  if (all) {
    window_->full = true;
    soon(record);
  }
  return withheld;
}

void fault_injector::close_window() {
  if (window_ == nullptr) return;
  const std::unique_ptr<window> closing = std::move(window_);
  // One window is one fault, of the one who opened it if that is still there.
  const auto opener =
      std::ranges::find_if(closing->members, [](const faulted* each) { return each != nullptr; });
  if (opener != closing->members.end() && closing->members.size() > 1) fire(**opener);
  for (const std::uint32_t each : order_of(closing->effect, closing->members.size())) {
    if (faulted* member = closing->members[each]) release(*member);
  }
}

}  // namespace uring
