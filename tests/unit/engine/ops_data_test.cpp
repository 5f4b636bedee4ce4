// Opcodes that move bytes of files and pipes.

#include <fcntl.h>
#include <sys/uio.h>

#include <array>

#include "engine/buffer_ring.hpp"
#include "engine/registered.hpp"
#include "tests/unit/engine/op_test.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

iovec part_of(std::span<std::byte> bytes) {
  return {bytes.data(), bytes.size()};
}

void fill(std::span<std::byte> place, std::string_view text) {
  std::ranges::copy(bytes_of(text), place.begin());
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

OP_TEST(IORING_OP_READ, "read takes bytes at an offset, or at the file's own position") {
  ON_OP_RINGS(IORING_OP_READ);
  const scratch folder;
  const descriptor file = folder.file("f", "hello world");
  run(*on, [&]() -> task<void> {
    room got;
    const completion at = co_await on->read(file, got, 6);
    CHECK(got.text(at.res) == "world");
    const completion first = co_await on->read(file, got.first(3));
    CHECK(got.text(first.res) == "hel");
    const completion next = co_await on->read(file, got);
    CHECK(got.text(next.res) == "lo world");
    const completion end = co_await on->read(file, got);
    CHECK(end.res == 0);
    const completion bad = co_await on->read(2147483647, got);
    CHECK(bad.res == -EBADF);
    const descriptor directory(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const completion not_a_file = co_await on->read(directory, got);
    CHECK(not_a_file.res == -EISDIR);
    const completion nowhere =
        co_await on->read(file, std::span(reinterpret_cast<std::byte*>(8), 4), 0);
    CHECK(nowhere.res == -EFAULT);
  });
}

OP_TEST(IORING_OP_READ, "a read of an empty pipe waits whatever O_NONBLOCK says") {
  ON_OP_RINGS(IORING_OP_READ);
  const pipe_pair pipe = make_pipe();
  REQUIRE(fcntl(pipe.read, F_SETFL, O_NONBLOCK) == 0);
  run(*on, [&]() -> task<void> {
    room got;
    operation waiting = on->read(pipe.read, got);
    on->start(waiting);
    co_await on->nop();
    CHECK(waiting.in_flight());
    put(pipe.write, "late");
    const completion done = co_await waiting;
    CHECK(got.text(done.res) == "late");
    // As the system call does: pipes knew nothing of it on Linux 6.1.
    const iovec place{got.bytes, sizeof(got.bytes)};
    REQUIRE(preadv2(pipe.read, &place, 1, -1, RWF_NOWAIT) == -1);
    const int wanted = answers_as_6_18() ? EAGAIN : errno;
    const completion now = co_await on->read(pipe.read, got, -1, RWF_NOWAIT);
    CHECK(now.res == -wanted);
  });
}

OP_TEST(IORING_OP_WRITE, "write puts bytes at an offset, and a pipe without a reader is EPIPE") {
  ON_OP_RINGS(IORING_OP_WRITE);
  signal(SIGPIPE, SIG_IGN);
  const scratch folder;
  const descriptor file = folder.file("f", "hello world");
  run(*on, [&]() -> task<void> {
    const completion written = co_await on->write(file, bytes_of("W"), 6);
    CHECK(written.res == 1);
    pipe_pair pipe = make_pipe();
    pipe.read.close();
    const completion broken = co_await on->write(pipe.write, bytes_of("x"));
    CHECK(broken.res == -EPIPE);
    CHECK(broken.why == outcome::error);
  });
  CHECK(content_of(folder.at("f")) == "hello World");
}

OP_TEST(IORING_OP_READV, "readv fills places in order, given at once or as an array") {
  ON_OP_RINGS(IORING_OP_READV);
  const scratch folder;
  const descriptor file = folder.file("f", "hello world");
  run(*on, [&]() -> task<void> {
    room head, tail;
    const completion both = co_await on->readv(file, {head.first(5), tail.first(6)}, 0);
    CHECK(both.res == 11);
    CHECK(head.text(5) == "hello");
    CHECK(tail.text(6) == " world");
    const std::array parts{part_of(head.first(1)), part_of(tail.first(20))};
    const completion array = co_await on->readv(file, parts, 6);
    CHECK(array.res == 5);
    CHECK(head.text(1) == "w");
    CHECK(tail.text(4) == "orld");
    const std::array nowhere{iovec{reinterpret_cast<void*>(8), 4}};
    const completion fault = co_await on->readv(file, nowhere, 0);
    CHECK(fault.res == -EFAULT);
  });
}

OP_TEST(IORING_OP_WRITEV, "writev gathers places in order") {
  ON_OP_RINGS(IORING_OP_WRITEV);
  const scratch folder;
  const descriptor file = folder.file("f");
  run(*on, [&]() -> task<void> {
    const completion done = co_await on->writev(file, {bytes_of("hello "), bytes_of("world")}, 0);
    CHECK(done.res == 11);
    room mark;
    mark.bytes[0] = std::byte{'!'};
    const std::array parts{part_of(mark.first(1))};
    const completion array = co_await on->writev(file, parts, 11);
    CHECK(array.res == 1);
    const completion bad = co_await on->writev(-1, {bytes_of("x")});
    CHECK(bad.res == -EBADF);
  });
  CHECK(content_of(folder.at("f")) == "hello world!");
}

OP_TEST(IORING_OP_READ_FIXED, "read_fixed fills a registered buffer, and only its range") {
  ON_OP_RINGS(IORING_OP_READ_FIXED);
  const scratch folder;
  const descriptor file = folder.file("f", "hello world");
  int refused = 0;
  const auto buffers =
      registered_buffers::open(*on, std::array{std::size_t{64}, std::size_t{16}}, refused);
  REQUIRE(buffers != nullptr);
  run(*on, [&]() -> task<void> {
    const fixed_buffer second = buffers->at(1);
    const completion done = co_await on->read_fixed(file, second.subspan(4, 5), 6);
    CHECK(done.res == 5);
    CHECK(text_of(second.bytes.subspan(4, 5)) == "world");
    fixed_buffer beyond{std::span(second.bytes.data() + 12, 8), 1};
    const completion outside = co_await on->read_fixed(file, beyond, 0);
    CHECK(outside.res == -EFAULT);
    fixed_buffer unknown{second.bytes, 7};
    const completion missing = co_await on->read_fixed(file, unknown, 0);
    CHECK(missing.res == -EFAULT);
  });
}

OP_TEST(IORING_OP_WRITE_FIXED, "write_fixed sends from a registered buffer") {
  ON_OP_RINGS(IORING_OP_WRITE_FIXED);
  const scratch folder;
  const descriptor file = folder.file("f");
  int refused = 0;
  const auto buffers = registered_buffers::open(*on, std::array{std::size_t{16}}, refused);
  REQUIRE(buffers != nullptr);
  fill(buffers->at(0).bytes, "0123456789");
  run(*on, [&]() -> task<void> {
    const completion done = co_await on->write_fixed(file, buffers->at(0).subspan(2, 5), 0);
    CHECK(done.res == 5);
    const completion missing = co_await on->write_fixed(file, {buffers->at(0).bytes, 1}, 0);
    CHECK(missing.res == -EFAULT);
  });
  CHECK(content_of(folder.at("f")) == "23456");
}

OP_TEST(compat::op_readv_fixed, "readv_fixed fills several ranges of one registered buffer") {
  ON_OP_RINGS(compat::op_readv_fixed);
  const scratch folder;
  const descriptor file = folder.file("f", "hello world");
  int refused = 0;
  const auto buffers = registered_buffers::open(*on, std::array{std::size_t{64}}, refused);
  REQUIRE(buffers != nullptr);
  run(*on, [&]() -> task<void> {
    const std::span<std::byte> all = buffers->at(0).bytes;
    const std::array parts{part_of(all.subspan(32, 5)), part_of(all.subspan(0, 6))};
    const completion done = co_await on->readv_fixed(file, 0, parts, 0);
    CHECK(done.res == 11);
    CHECK(text_of(all.subspan(32, 5)) == "hello");
    CHECK(text_of(all.first(6)) == " world");
    room elsewhere;
    const std::array foreign{part_of(elsewhere)};
    const completion outside = co_await on->readv_fixed(file, 0, foreign, 0);
    CHECK(outside.res == -EFAULT);
  });
}

OP_TEST(compat::op_writev_fixed, "writev_fixed gathers ranges of one registered buffer") {
  ON_OP_RINGS(compat::op_writev_fixed);
  const scratch folder;
  const descriptor file = folder.file("f");
  int refused = 0;
  const auto buffers = registered_buffers::open(*on, std::array{std::size_t{16}}, refused);
  REQUIRE(buffers != nullptr);
  const std::span<std::byte> all = buffers->at(0).bytes;
  fill(all, "0123456789");
  run(*on, [&]() -> task<void> {
    const std::array parts{part_of(all.subspan(8, 2)), part_of(all.subspan(0, 3))};
    const completion done = co_await on->writev_fixed(file, 0, parts, 0);
    CHECK(done.res == 5);
    const completion missing = co_await on->writev_fixed(file, 3, parts, 0);
    CHECK(missing.res == -EFAULT);
  });
  CHECK(content_of(folder.at("f")) == "89012");
}

OP_TEST(compat::op_read_multishot, "read_multishot brings each piece of a pipe, and its end") {
  ON_OP_RINGS(compat::op_read_multishot);
  pipe_pair pipe = make_pipe();
  int refused = 0;
  const auto group = buffer_ring::open(*on, {.group = 3, .count = 4, .size = 64}, refused);
  REQUIRE(group != nullptr);
  run(*on, [&]() -> task<void> {
    multishot pieces = on->read_multishot(pipe.read, *group);
    for (const std::string_view text : {"one", "two", "three", "four", "five", "six"}) {
      put(pipe.write, text);
      const std::optional<completion> piece = co_await pieces.next();
      REQUIRE(piece);
      CHECK((piece->flags & IORING_CQE_F_MORE) != 0);
      const borrowed_buffer data = group->take(*piece);
      CHECK(text_of(data.bytes()) == text);
    }
    pipe.write.close();
    const std::optional<completion> end = co_await pieces.next();
    REQUIRE(end);
    CHECK(end->res == 0);
    CHECK((end->flags & IORING_CQE_F_MORE) == 0);
    group->take(*end).release();
    CHECK_FALSE(co_await pieces.next());
    // What can't be polled has no multishot.
    const scratch folder;
    const descriptor file = folder.file("f", "x");
    multishot refused_one = on->read_multishot(file, *group);
    const std::optional<completion> no = co_await refused_one.next();
    REQUIRE(no);
    CHECK(no->res == -EBADFD);
  });
  CHECK(group->borrowed() == 0);
}

OP_TEST(IORING_OP_SPLICE, "splice moves bytes from a file into a pipe and on") {
  ON_OP_RINGS(IORING_OP_SPLICE);
  const scratch folder;
  const descriptor from = folder.file("from", "hello world");
  const descriptor to = folder.file("to");
  const pipe_pair pipe = make_pipe();
  run(*on, [&]() -> task<void> {
    const completion in = co_await on->splice(from, 6, pipe.write, -1, 5);
    CHECK(in.res == 5);
    const completion out = co_await on->splice(pipe.read, -1, to, 0, 100);
    CHECK(out.res == 5);
    const completion end = co_await on->splice(from, 11, pipe.write, -1, 5);
    CHECK(end.res == 0);
    const completion no_pipe = co_await on->splice(from, 0, to, 0, 5);
    CHECK(no_pipe.res == -EINVAL);
    const completion empty = co_await on->splice(pipe.read, -1, to, 0, 5, SPLICE_F_NONBLOCK);
    CHECK(empty.res == -EAGAIN);
  });
  CHECK(content_of(folder.at("to")) == "world");
}

OP_TEST(IORING_OP_SPLICE, "a splice that blocks is bounded by the loop's timer, and cancelled") {
  ON_OP_RINGS(IORING_OP_SPLICE);
  seen.excuse_success();
  const pipe_pair from = make_pipe(), to = make_pipe();
  run(*on, [&]() -> task<void> {
    operation late = on->splice(from.read, -1, to.write, -1, 5);
    late.timeout(20ms);
    const completion expired = co_await late;
    CHECK(expired.why == outcome::timed_out);
    CHECK((expired.res == -512 || expired.res == -EINTR || expired.res == -ECANCELED));
    CHECK(late.bounded_by() == timeout_mechanism::timer);
  });
}

OP_TEST(IORING_OP_TEE, "tee copies what is in a pipe and leaves it there") {
  ON_OP_RINGS(IORING_OP_TEE);
  const pipe_pair from = make_pipe(), to = make_pipe();
  put(from.write, "hello");
  run(*on, [&]() -> task<void> {
    const completion copied = co_await on->tee(from.read, to.write, 100);
    CHECK(copied.res == 5);
    room got;
    const completion there = co_await on->read(to.read, got);
    CHECK(got.text(there.res) == "hello");
    const completion here = co_await on->read(from.read, got);
    CHECK(got.text(here.res) == "hello");
    const scratch folder;
    const descriptor file = folder.file("f", "x");
    const completion no_pipe = co_await on->tee(file, to.write, 5);
    CHECK(no_pipe.res == -EINVAL);
  });
}
