// The echo load on liburing, by hand: a state for each end, user_data points to it. The ring is set
// up as the engine sets up its own.
#include <liburing.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "rivals.hpp"

namespace {

void open_ring(io_uring& ring) {
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                 IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;
  params.cq_entries = 4096;
  int result = io_uring_queue_init_params(1024, &ring, &params);
  if (result == -EINVAL) {
    params.flags = IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL |
                   IORING_SETUP_CQSIZE;
    result = io_uring_queue_init_params(1024, &ring, &params);
  }
  if (result != 0) {
    std::fprintf(stderr, "io_uring_queue_init: %s\n", std::strerror(-result));
    std::exit(1);
  }
  io_uring_register_ring_fd(&ring);
}

void submit_next(io_uring& ring, echo_end& end) {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring);
  while (sqe == nullptr) {
    io_uring_submit(&ring);
    sqe = io_uring_get_sqe(&ring);
  }
  if (end.sending) {
    io_uring_prep_send(sqe, end.fd, end.data(), end.missing(), 0);
  } else {
    io_uring_prep_recv(sqe, end.fd, end.data(), end.missing(), 0);
  }
  io_uring_sqe_set_data(sqe, &end);
}

}  // namespace

echo_tally run_on_liburing(std::span<const int> clients, std::span<const int> servers,
                           const echo_load& load) {
  io_uring ring{};
  open_ring(ring);
  std::vector<echo_end> ends = echo_ends(clients, servers, load);
  for (echo_end& end : ends) submit_next(ring, end);
  std::size_t open = ends.size();
  while (open > 0) {
    io_uring_submit_and_wait(&ring, 1);
    unsigned head = 0;
    unsigned count = 0;
    io_uring_cqe* cqe = nullptr;
    io_uring_for_each_cqe(&ring, head, cqe) {
      ++count;
      auto& end = *static_cast<echo_end*>(io_uring_cqe_get_data(cqe));
      if (end.advance(cqe->res)) {
        submit_next(ring, end);
      } else {
        close(end.fd);
        --open;
      }
    }
    io_uring_cq_advance(&ring, count);
  }
  io_uring_queue_exit(&ring);
  return tally_of(ends, load);
}
