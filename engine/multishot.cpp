#include "engine/multishot.hpp"

#include <cerrno>

#include "engine/give_back.hpp"
#include "engine/loop.hpp"

namespace uring {

const operation::watcher multishot::events{&multishot::on_arrival, &multishot::on_end};

void multishot::on_arrival(operation& self, std::int32_t res, std::uint32_t flags) noexcept {
  // The last one waits for on_end: its cause is known when the cancel and the timeout are in, too.
  if ((flags & IORING_CQE_F_MORE) == 0) return;
  const bool expired = self.opcode() == IORING_OP_TIMEOUT && res == -ETIME;
  static_cast<multishot&>(self).push(
      {res, flags, res >= 0 || expired ? outcome::ok : outcome::error});
}

void multishot::on_end(operation& self) noexcept {
  auto& stream = static_cast<multishot&>(self);
  stream.hand_over();
  stream.push(stream.result());
}

void multishot::push(const completion& what) noexcept {
  arrival& node = on().arrivals().take();
  node.what = what;
  (last_ != nullptr ? last_->next : first_) = &node;
  last_ = &node;
  if (!awaited_by_taker_) return;
  awaited_by_taker_ = false;
  make_ready(taker_);
}

void multishot::drop_queued() noexcept {
  while (first_ != nullptr) {
    arrival& node = *first_;
    first_ = node.next;
    give_back(*this, node.what.res, node.what.flags);
    on().arrivals().give(node);
  }
  last_ = nullptr;
}

bool multishot::arriving::await_ready() noexcept {
  if (from_.is_idle()) from_.on().start(from_);
  return from_.first_ != nullptr || from_.is_done();
}

std::optional<completion> multishot::arriving::await_resume() noexcept {
  if (from_.first_ == nullptr) return std::nullopt;
  arrival& node = *from_.first_;
  from_.first_ = node.next;
  if (from_.first_ == nullptr) from_.last_ = nullptr;
  const completion taken = node.what;
  from_.on().arrivals().give(node);
  return taken;
}

void multishot::rearm() noexcept {
  if (!is_done()) return;
  drop_queued();
  reset();
}

task<completion> multishot::close() {
  if (!is_idle() && !is_done()) {
    on().request_cancel(*this);
    co_await static_cast<operation&>(*this);
  }
  drop_queued();
  co_return result();
}

}  // namespace uring
