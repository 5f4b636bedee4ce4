// A ring of a scenario's own: who gets a completion, what is a stray, what memory outlives its
// request, and how pending requests end with the ring.
#include "scenarios/private_ring.hpp"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/scenarios/service_fixture.hpp"

namespace {

using namespace scenarios;
using namespace std::chrono_literals;
using service_tests::open_loop;
using uring::task;

// A loop, a private ring on it, and a pair of sockets.
struct place {
  explicit place(ring_plan what = {}) : plan(std::move(what)) {
    plan.name = "r";
    std::string refused;
    CAPTURE(refused);
    REQUIRE(ring.open(refused) == 0);
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  }
  ~place() {
    loop->run(ring.close());
    for (const int fd : ends) ::close(fd);
  }
  place(const place&) = delete;
  place& operator=(const place&) = delete;

  /// A recv on the first socket, into memory of the request's own.
  char* recv(ring_request& request, std::uint64_t user_data, unsigned char flags = 0) {
    io_uring_sqe sqe{};
    auto* room = reinterpret_cast<char*>(request.memory->take(8));
    io_uring_prep_recv(&sqe, ends[0], room, 8, 0);
    sqe.user_data = user_data;
    sqe.flags = flags;
    REQUIRE(ring.add(request, sqe));
    return room;
  }
  void nop(ring_request& request, std::uint64_t user_data, unsigned char flags = 0) {
    io_uring_sqe sqe{};
    io_uring_prep_nop(&sqe);
    sqe.user_data = user_data;
    sqe.flags = flags;
    REQUIRE(ring.add(request, sqe));
  }
  void send(std::string_view octets) {
    REQUIRE(::send(ends[1], octets.data(), octets.size(), 0) ==
            static_cast<ssize_t>(octets.size()));
  }
  void wait_for(ring_request& request) { loop->run(ring.wait_for(request, stop)); }

  ring_plan plan;
  std::unique_ptr<uring::loop> loop = open_loop();
  private_ring ring{*loop, plan};
  uring::stop_source stop;
  std::array<int, 2> ends{};
};

ring_plan with_flags(std::uint32_t flags) {
  ring_plan made;
  made.flags = flags;
  return made;
}

task<void> moment(uring::loop& on) {
  co_await on.sleep_for(20ms);
}

}  // namespace

TEST_CASE("a completion on a private ring belongs to the request of its user_data") {
  place in;
  ring_request first;
  ring_request second;
  in.nop(first, 1);
  in.recv(second, 2);
  CHECK(in.ring.submit() == 2);
  in.wait_for(first);
  CHECK(first.res == 0);
  CHECK(first.answered);
  CHECK(second.live);
  in.send("abc");
  in.wait_for(second);
  CHECK(second.res == 3);
  CHECK(in.ring.strays().empty());
}

TEST_CASE("a completion of no request is a stray, and is taken by its user_data") {
  place in;
  {
    ring_request gone;
    in.nop(gone, 7);
    in.ring.submit();
    in.ring.forget(gone);
  }
  in.ring.reap();
  REQUIRE(in.ring.strays().size() == 1);
  const auto taken = in.loop->run(in.ring.next_stray(7, in.stop));
  REQUIRE(taken);
  CHECK(taken->user_data == 7);
  CHECK(taken->res == 0);
  CHECK(in.ring.strays().empty());
}

TEST_CASE("waiting for a stray ends when it is told to stop") {
  place in;
  in.stop.request_stop();
  CHECK_FALSE(in.loop->run(in.ring.next_stray({}, in.stop)));
}

TEST_CASE("memory of a request stays as long as another of its user_data is pending") {
  place in;
  char* room = nullptr;
  ring_request second;
  {
    ring_request first;
    room = in.recv(first, 5);
    std::memset(room, 0, 8);
    in.nop(second, 5);
    in.ring.submit();
    // The nop's completion: it is taken for the first one's, whose recv still waits.
    in.wait_for(first);
    CHECK(first.res == 0);
  }
  CHECK(second.live);
  CHECK(in.ring.kept() == 1);
  in.send("late");
  in.wait_for(second);
  CHECK(second.res == 4);
  CHECK(in.ring.kept() == 0);
}

TEST_CASE("memory of a silent request that says nothing stays") {
  place in;
  char* room = nullptr;
  {
    ring_request silent;
    room = in.recv(silent, 6, IOSQE_CQE_SKIP_SUCCESS);
    std::memset(room, 0, 8);
    in.ring.submit();
    in.ring.reap();
    CHECK(silent.silent);
    in.ring.forget(silent);
  }
  CHECK(in.ring.kept() == 1);
  in.send("late");
  ring_request next;
  in.nop(next, 8);
  in.ring.submit();
  in.wait_for(next);
  // The kernel has written where it was asked to.
  CHECK(std::string_view(room, 4) == "late");
}

TEST_CASE("a submission that is refused ends the call, and the rest goes out with the next") {
  place in(with_flags(0));
  ring_request bad;
  ring_request good;
  io_uring_sqe sqe{};
  io_uring_prep_nop(&sqe);
  sqe.rw_flags = 1 << 30;
  sqe.user_data = 1;
  REQUIRE(in.ring.add(bad, sqe));
  in.nop(good, 2);
  CHECK(in.ring.submit() == 1);
  in.wait_for(bad);
  in.wait_for(good);
  CHECK(bad.res == -EINVAL);
  CHECK(good.res == 0);
}

TEST_CASE("a queue takes as many requests as it has entries") {
  ring_plan small;
  small.sq_entries = 2;
  place in(small);
  CHECK(in.ring.room() == 2);
  ring_request requests[3];
  in.nop(requests[0], 1);
  in.nop(requests[1], 2);
  io_uring_sqe sqe{};
  io_uring_prep_nop(&sqe);
  CHECK_FALSE(in.ring.add(requests[2], sqe));
  CHECK(in.ring.submit() == 2);
  in.wait_for(requests[1]);
  CHECK(in.ring.room() == 2);
}

TEST_CASE("a disabled ring refuses what is submitted, and nothing is left pending") {
  place in(with_flags(IORING_SETUP_R_DISABLED));
  ring_request request;
  in.nop(request, 1);
  CHECK(in.ring.submit() == -EBADFD);
  CHECK_FALSE(request.live);
  CHECK(request.res == -EBADFD);
  CHECK(in.ring.room() == 64);
}

TEST_CASE("a wait that is stopped cancels its request") {
  place in;
  ring_request request;
  in.recv(request, 1);
  in.ring.submit();
  in.stop.request_stop();
  in.wait_for(request);
  CHECK_FALSE(request.live);
  CHECK(request.res == -ECANCELED);
}

TEST_CASE("closing a ring ends what is pending in each mode, in a worker too") {
  for (const std::uint32_t mode :
       {0U, IORING_SETUP_COOP_TASKRUN, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
        IORING_SETUP_SQPOLL}) {
    CAPTURE(mode);
    place in(with_flags(mode));
    std::array<int, 2> from{};
    std::array<int, 2> to{};
    REQUIRE(::pipe(from.data()) == 0);
    REQUIRE(::pipe(to.data()) == 0);
    {
      ring_request request;
      ring_request worker;
      in.recv(request, 1);
      io_uring_sqe sqe{};
      io_uring_prep_splice(&sqe, from[0], -1, to[1], -1, 5, 0);
      sqe.user_data = 2;
      REQUIRE(in.ring.add(worker, sqe));
      in.ring.submit();
      in.loop->run(moment(*in.loop));
      const auto begun = std::chrono::steady_clock::now();
      in.loop->run(in.ring.close());
      CHECK_FALSE(request.live);
      CHECK_FALSE(worker.live);
      // It would give up after two seconds.
      CHECK(std::chrono::steady_clock::now() - begun < 1900ms);
    }
    for (const int fd : {from[0], from[1], to[0], to[1]}) ::close(fd);
  }
}

TEST_CASE("a group of buffers that is refused leaves the one that is there") {
  place in;
  REQUIRE(in.ring.register_group(4, 2, 16, false) >= 0);
  CHECK(in.ring.register_group(4, 2, 16, false) == -EEXIST);
  REQUIRE(in.ring.find_group(4) != nullptr);
  ring_request request;
  io_uring_sqe sqe{};
  io_uring_prep_recv(&sqe, in.ends[0], nullptr, 0, 0);
  sqe.flags = IOSQE_BUFFER_SELECT;
  sqe.buf_group = 4;
  sqe.user_data = 1;
  REQUIRE(in.ring.add(request, sqe));
  in.ring.submit();
  in.send("picked");
  in.wait_for(request);
  CHECK(request.res == 6);
  CHECK(in.ring.find_group(4)->used() == std::vector<std::uint16_t>{0});
  CHECK(in.ring.unregister_group(4) >= 0);
  CHECK(in.ring.find_group(4) == nullptr);
  CHECK(in.ring.unregister_group(4) < 0);
}

TEST_CASE("limits of workers end with the ring that set them") {
  place other;
  std::array<unsigned, 2> before{};
  REQUIRE(other.ring.call(IORING_REGISTER_IOWQ_MAX_WORKERS, before.data(), 2) == 0);
  {
    place in;
    std::array<unsigned, 2> one{1, 1};
    REQUIRE(in.ring.call(IORING_REGISTER_IOWQ_MAX_WORKERS, one.data(), 2) == 0);
    in.ring.put_back_at_close({IORING_REGISTER_IOWQ_MAX_WORKERS, {one[0], one[1]}, 2});
  }
  std::array<unsigned, 2> after{};
  REQUIRE(other.ring.call(IORING_REGISTER_IOWQ_MAX_WORKERS, after.data(), 2) == 0);
  CHECK(after == before);
}
