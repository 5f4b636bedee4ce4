// Opcodes between threads, processes and rings, on what is registered, and any other by number.

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "engine/buffer_ring.hpp"
#include "engine/registered.hpp"
#include "tests/unit/engine/op_test.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

// A child that ends when it is told to, with this status.
class child {
 public:
  explicit child(int status) {
    const pipe_pair gate = make_pipe();
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::close(gate.write);
      char byte = 0;
      while (::read(gate.read, &byte, 1) > 0) {
      }
      _exit(status);
    }
    gate_ = descriptor(fcntl(gate.write, F_DUPFD_CLOEXEC, 0));
  }
  ~child() {
    let_go();
    waitpid(pid_, nullptr, 0);
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  void let_go() { gate_.close(); }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  descriptor gate_;
};

}  // namespace

OP_TEST(IORING_OP_NOP, "nop comes to nothing, or to whatever it is told") {
  ON_OP_RINGS(IORING_OP_NOP);
  run(*on, [&]() -> task<void> {
    const completion nothing = co_await on->nop();
    CHECK(nothing.res == 0);
    if (this_kernel().nop_inject) {
      const completion value = co_await on->nop_result(77);
      CHECK(value.res == 77);
      const completion error = co_await on->nop_result(-EFAULT);
      CHECK(error.res == -EFAULT);
    }
    const completion nonsense = co_await on->raw(refused_nop());
    CHECK(nonsense.res == -EINVAL);
  });
}

OP_TEST(compat::op_nop128, "nop128 is refused by a ring with 64-byte entries") {
  ON_OP_RINGS(compat::op_nop128);
  seen.excuse_success();
  const completion refused =
      run(*on, [&]() -> task<completion> { co_return co_await on->raw(compat::op_nop128, -1); });
  CHECK(refused.res == -EINVAL);
}

OP_TEST(compat::op_uring_cmd128, "uring_cmd128 is refused by a ring with 64-byte entries") {
  ON_OP_RINGS(compat::op_uring_cmd128);
  seen.excuse_success();
  const completion refused = run(
      *on, [&]() -> task<completion> { co_return co_await on->raw(compat::op_uring_cmd128, -1); });
  CHECK(refused.res == -EINVAL);
}

OP_TEST(compat::op_futex_wait, "futex_wait waits while the word is what it was told") {
  ON_OP_RINGS(compat::op_futex_wait);
  std::uint32_t word = 5;
  run(*on, [&]() -> task<void> {
    operation waiting = on->futex_wait(word, 5);
    on->start(waiting);
    int woken = 0;
    while (woken == 0) {
      const completion wake = co_await on->futex_wake(word, 1);
      REQUIRE(wake.res >= 0);
      woken = wake.res;
    }
    const completion done = co_await waiting;
    CHECK(done.res == 0);
    const completion other = co_await on->futex_wait(word, 6);
    CHECK(other.res == -EAGAIN);
    const completion no_mask = co_await on->futex_wait(word, 5, 0);
    CHECK(no_mask.res == -EINVAL);
  });
}

OP_TEST(compat::op_futex_wait, "a futex_wait that is cancelled or times out says so by a 1") {
  ON_OP_RINGS_FOR_TWO(compat::op_futex_wait);
  seen.excuse_success();
  const std::uint32_t word = 0;
  run(*on, [&]() -> task<void> {
    operation late = on->futex_wait(word, 0);
    late.timeout(1ms);
    const completion expired = co_await late;
    CHECK(expired.res == -ECANCELED);
    CHECK(expired.why == outcome::timed_out);
    CHECK(late.timeout_result() == 1);
    operation stopped = on->futex_wait(word, 0);
    on->start(stopped);
    const completion cancel = co_await on->cancel(stopped.id());
    CHECK(cancel.res == 1);
    const completion ended = co_await stopped;
    CHECK(ended.why == outcome::cancelled);
  });
}

OP_TEST(compat::op_futex_wake, "futex_wake counts whom it woke, another thread too") {
  ON_OP_RINGS(compat::op_futex_wake);
  const std::uint32_t word = 0;
  run(*on, [&]() -> task<void> {
    const completion nobody = co_await on->futex_wake(word, 10);
    CHECK(nobody.res == 0);
    operation first = on->futex_wait(word, 0), second = on->futex_wait(word, 0);
    on->start(first);
    on->start(second);
    co_await on->nop();
    int woken = 0;
    while (woken < 2) {
      const completion wake = co_await on->futex_wake(word, 10);
      REQUIRE(wake.res >= 0);
      woken += wake.res;
    }
    CHECK(woken == 2);
    co_await first;
    co_await second;
    const completion nonsense = co_await on->futex_wake(word, 1, 1, 1U << 20);
    CHECK(nonsense.res == -EINVAL);
  });
}

OP_TEST(compat::op_futex_waitv, "futex_waitv tells which of several words was woken") {
  ON_OP_RINGS(compat::op_futex_waitv);
  const std::uint32_t a = 1, b = 2;
  run(*on, [&]() -> task<void> {
    auto waiting =
        on->futex_waitv({sync_factories::futex_word(a, 1), sync_factories::futex_word(b, 2)});
    on->start(waiting);
    while (waiting.in_flight()) {
      const completion wake = co_await on->futex_wake(b, 1);
      REQUIRE(wake.res >= 0);
      if (wake.res == 1) break;
    }
    const completion done = co_await waiting;
    CHECK(done.res == 1);
    const completion other = co_await on->futex_waitv({sync_factories::futex_word(a, 9)});
    CHECK(other.res == -EAGAIN);
  });
}

OP_TEST(compat::op_waitid, "waitid tells how a child ended, and can be given up") {
  ON_OP_RINGS(compat::op_waitid);
  child running(42);
  run(*on, [&]() -> task<void> {
    const auto id = static_cast<id_t>(running.pid());
    waitid_operation not_yet = on->waitid(P_PID, id, WEXITED | WNOHANG);
    const completion still = co_await not_yet;
    CHECK(still.res == 0);
    CHECK(not_yet.info().si_pid == 0);
    const completion late = co_await on->waitid(P_PID, id, WEXITED).timeout(1ms);
    CHECK(late.why == outcome::timed_out);
    waitid_operation waiting = on->waitid(P_PID, id, WEXITED | WNOWAIT);
    on->start(waiting);
    running.let_go();
    const completion ended = co_await waiting;
    CHECK(ended.res == 0);
    CHECK(waiting.info().si_pid == running.pid());
    CHECK(waiting.info().si_code == CLD_EXITED);
    CHECK(waiting.info().si_status == 42);
    const completion nobody = co_await on->waitid(P_PID, static_cast<id_t>(getpid()), WEXITED);
    CHECK(nobody.res == -ECHILD);
  });
}

OP_TEST(IORING_OP_MSG_RING, "msg_ring posts a completion on its own ring, and none elsewhere") {
  ON_OP_RINGS(IORING_OP_MSG_RING);
  run(*on, [&]() -> task<void> {
    const int self = on->io().raw()->ring_fd;
    const completion sent = co_await on->msg_ring(self, 0x77, 5);
    CHECK(sent.res == 0);
    co_await on->nop();
    CHECK(on->strays() == 1);
    const pipe_pair pipe = make_pipe();
    const completion no_ring = co_await on->msg_ring(pipe.write, 1, 1);
    CHECK(no_ring.res == -EBADFD);
  });
}

OP_TEST(IORING_OP_MSG_RING, "msg_ring hands a registered file to another ring") {
  ON_OP_RINGS(IORING_OP_MSG_RING);
  const auto other = open_loop({.entries = 4, .cq_entries = 0, .mode = ring_mode::plain});
  int refused = 0;
  const auto table = file_table::open(*on, 2, refused);
  const auto their_table = file_table::open(*other, 1, refused);
  REQUIRE(table != nullptr);
  REQUIRE(their_table != nullptr);
  const pipe_pair pipe = make_pipe();
  REQUIRE(table->put(fixed_fd{1}, pipe.write) == 0);
  run(*on, [&]() -> task<void> {
    const int target = other->io().raw()->ring_fd;
    const completion passed =
        co_await on->msg_ring_fd(target, fixed_fd{1}, file_slot(fixed_fd{0}), 0x77);
    CHECK(passed.res == 0);
    const completion empty =
        co_await on->msg_ring_fd(target, fixed_fd{0}, file_slot(fixed_fd{0}), 0x77);
    CHECK(empty.res == -EBADF);
    const completion full = co_await on->msg_ring_fd(target, fixed_fd{1}, file_slot::any(), 0x77);
    CHECK(full.res == -ENFILE);
  });
  const completion written = other->run([](loop& with) -> task<completion> {
    co_return co_await with.write(fixed_fd{0}, bytes_of("through"));
  }(*other));
  CHECK(written.res == 7);
  CHECK(other->strays() == 1);
}

OP_TEST(IORING_OP_FILES_UPDATE, "files_update fills slots, chosen ones and free ones") {
  ON_OP_RINGS(IORING_OP_FILES_UPDATE);
  const pipe_pair pipe = make_pipe();
  run(*on, [&]() -> task<void> {
    std::array<int, 2> ends{pipe.read, pipe.write};
    const completion no_table = co_await on->files_update(ends, 0);
    CHECK(no_table.res == -ENXIO);
    int refused = 0;
    const auto table = file_table::open(*on, 3, refused);
    REQUIRE(table != nullptr);
    const completion put_both = co_await on->files_update(ends, 1);
    CHECK(put_both.res == 2);
    const completion sent = co_await on->write(fixed_fd{2}, bytes_of("abc"));
    CHECK(sent.res == 3);
    room got;
    const completion read = co_await on->read(fixed_fd{1}, got);
    CHECK(got.text(read.res) == "abc");
    std::array<int, 1> chosen{pipe.write};
    const completion free_slot = co_await on->files_update(chosen);
    CHECK(free_slot.res == 1);
    CHECK(chosen[0] == 0);
    std::array<int, 1> cleared{-1};
    const completion emptied = co_await on->files_update(cleared, 0);
    CHECK(emptied.res == 1);
    const completion gone = co_await on->write(fixed_fd{0}, bytes_of("x"));
    CHECK(gone.res == -EBADF);
    const completion beyond = co_await on->files_update(ends, 9);
    CHECK(beyond.res == -EINVAL);
  });
}

OP_TEST(compat::op_fixed_fd_install, "fixed_fd_install makes a descriptor of a slot") {
  ON_OP_RINGS(compat::op_fixed_fd_install);
  int refused = 0;
  const auto table = file_table::open(*on, 2, refused);
  REQUIRE(table != nullptr);
  const pipe_pair pipe = make_pipe();
  REQUIRE(table->put(fixed_fd{0}, pipe.write) == 0);
  run(*on, [&]() -> task<void> {
    const completion made = co_await on->fixed_fd_install(fixed_fd{0});
    const descriptor file(made.res);
    CHECK(file >= 0);
    CHECK((fcntl(file, F_GETFD) & FD_CLOEXEC) != 0);
    put(file, "x");
    const completion kept = co_await on->fixed_fd_install(fixed_fd{0}, true);
    const descriptor inherited(kept.res);
    CHECK((fcntl(inherited, F_GETFD) & FD_CLOEXEC) == 0);
    const completion empty = co_await on->fixed_fd_install(fixed_fd{1});
    CHECK(empty.res == -EBADF);
  });
}

OP_TEST(IORING_OP_PROVIDE_BUFFERS, "provide_buffers gives memory that a receive selects from") {
  ON_OP_RINGS(IORING_OP_PROVIDE_BUFFERS);
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    room memory;
    const completion given = co_await on->provide_buffers(memory, 64, 4, 9, 100);
    CHECK(given.res == 0);
    put(ends.a, "hello");
    io_uring_sqe receive = blank(IORING_OP_RECV, ends.b);
    receive.flags = IOSQE_BUFFER_SELECT;
    receive.buf_group = 9;
    const completion received = co_await on->raw(receive);
    CHECK(received.res == 5);
    REQUIRE((received.flags & IORING_CQE_F_BUFFER) != 0);
    const std::size_t id = received.flags >> IORING_CQE_BUFFER_SHIFT;
    REQUIRE(id >= 100);
    REQUIRE(id < 104);
    const auto* text = reinterpret_cast<const char*>(memory.bytes + (id - 100) * 64);
    CHECK(std::string_view(text, 5) == "hello");
    const completion none = co_await on->provide_buffers(memory, 64, 0, 9);
    CHECK(none.res == -E2BIG);
    const completion more_than_there_is = co_await on->provide_buffers(memory, 64, 5, 9);
    CHECK(more_than_there_is.res == -EOVERFLOW);
  });
}

OP_TEST(IORING_OP_REMOVE_BUFFERS, "remove_buffers counts what it took out") {
  ON_OP_RINGS(IORING_OP_REMOVE_BUFFERS);
  run(*on, [&]() -> task<void> {
    room memory;
    const completion nothing = co_await on->remove_buffers(1, 9);
    CHECK(nothing.res == -ENOENT);
    co_await on->provide_buffers(memory, 64, 4, 9);
    const completion some = co_await on->remove_buffers(3, 9);
    CHECK(some.res == 3);
    const completion rest = co_await on->remove_buffers(3, 9);
    CHECK(rest.res == 1);
    const completion empty = co_await on->remove_buffers(3, 9);
    CHECK((empty.res == 0 || empty.res == -ENOENT));
  });
}

TEST_CASE("raw submits any opcode with the members that it is given", "[ops]") {
  ON_RINGS(rings_of(4));
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    const std::string_view text = "raw";
    const completion sent = co_await on->raw(
        IORING_OP_SEND, ends.a,
        {{sqe_member::addr, address_of(text.data())}, {sqe_member::len, text.size()}});
    CHECK(sent.res == 3);
    room got;
    const completion received = co_await on->recv(ends.b, got);
    CHECK(got.text(received.res) == "raw");
    const completion unknown = co_await on->raw(200, -1).timeout(1h);
    CHECK(unknown.res == -EINVAL);
  });
}
