#include "engine/waker.hpp"

#include <cerrno>

namespace uring {

waker::~waker() {
  if (open_) io_uring_queue_exit(&ring_);
}

int waker::open(int target, std::uint64_t user_data) noexcept {
  target_ = target;
  user_data_ = user_data;
  const int result = io_uring_queue_init(1, &ring_, 0);
  open_ = result == 0;
  return result;
}

void waker::wake() noexcept {
  if (asked_.exchange(true)) return;
  const std::scoped_lock one_at_a_time(sending_);
  // A message that could not be sent must not stand in the way of the next.
  if (!send()) asked_.store(false);
}

bool waker::send() noexcept {
  // There is no entry to be had when the one before could not be submitted: it goes out now.
  if (io_uring_sqe* sqe = io_uring_get_sqe(&ring_)) {
    io_uring_prep_msg_ring(sqe, target_, 0, user_data_, 0);
  }
  int submitted = 0;
  do {
    submitted = io_uring_submit_and_wait(&ring_, 1);
  } while (submitted == -EINTR);
  io_uring_cqe* cqe = nullptr;
  if (submitted < 0 || io_uring_peek_cqe(&ring_, &cqe) != 0) return false;
  const bool sent = cqe->res == 0;
  io_uring_cqe_seen(&ring_, cqe);
  return sent;
}

}  // namespace uring
