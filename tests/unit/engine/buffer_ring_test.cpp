#include "engine/buffer_ring.hpp"

#include <algorithm>

#include "tests/unit/engine/op_test.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string text_of(const borrowed_buffer& data) {
  std::string text;
  for (unsigned i = 0; i < data.pieces(); ++i) text += text_of(data.piece(i));
  return text;
}

std::unique_ptr<buffer_ring> open_group(loop& on, const buffer_ring_options& options) {
  int refused = 0;
  std::unique_ptr<buffer_ring> made = buffer_ring::open(on, options, refused);
  if (made == nullptr) SKIP("the kernel refuses this buffer ring: " << errno_name(-refused));
  return made;
}

}  // namespace

TEST_CASE("a buffer ring that can't be had is none, and says why", "[buffers]") {
  ON_RINGS(rings_of(4));
  int refused = 0;
  CHECK(buffer_ring::open(*on, {.group = 1, .count = 3}, refused) == nullptr);
  CHECK(refused == -EINVAL);
  const auto first = open_group(*on, {.group = 1, .count = 4});
  CHECK(buffer_ring::open(*on, {.group = 1, .count = 4}, refused) == nullptr);
  CHECK(refused == -EEXIST);
  CHECK(on->find_buffers(1) == first.get());
  CHECK(on->find_buffers(2) == nullptr);
}

TEST_CASE("borrowed buffers return by themselves, however often the ring goes round", "[buffers]") {
  ON_RINGS(rings_of(4));
  const socket_pair ends = unix_pair();
  const auto group = open_group(*on, {.group = 1, .count = 2, .size = 32});
  run(*on, [&]() -> task<void> {
    for (int i = 0; i < 100; ++i) {
      const std::string text = "message " + std::to_string(i);
      put(ends.a, text);
      const completion got = co_await on->recv(ends.b, *group);
      const borrowed_buffer data = group->take(got);
      CHECK(text_of(data.bytes()) == text);
      CHECK(group->borrowed() == 1);
    }
    // Read selects, too; the buffer holds no more than it has room for.
    put(ends.a, std::string(40, 'x'));
    const completion full = co_await on->read(ends.b, *group);
    CHECK(group->take(full).size() == 32);
    const completion rest = co_await on->read(ends.b, *group, -1, 3);
    CHECK(group->take(rest).size() == 3);
    const completion last = co_await on->recv(ends.b, *group);
    CHECK(group->take(last).size() == 5);
  });
  CHECK(group->borrowed() == 0);
}

TEST_CASE("a group without a free buffer is ENOBUFS, and takes nothing", "[buffers]") {
  ON_RINGS(rings_of(4));
  const socket_pair ends = unix_pair();
  const auto group = open_group(*on, {.group = 1, .count = 1, .size = 4});
  run(*on, [&]() -> task<void> {
    put(ends.a, "01234567");
    const completion first = co_await on->recv(ends.b, *group);
    borrowed_buffer held = group->take(first);
    const completion none = co_await on->recv(ends.b, *group);
    CHECK(none.res == -ENOBUFS);
    CHECK_FALSE(group->take(none));
    held = borrowed_buffer();
    const completion second = co_await on->recv(ends.b, *group);
    CHECK(text_of(group->take(second).bytes()) == "4567");
  });
}

TEST_CASE("buffers stay out when recycling is off, until they are provided", "[buffers]") {
  ON_RINGS(rings_of(4));
  const socket_pair ends = unix_pair();
  const auto group = open_group(*on, {.group = 1, .count = 1, .size = 4, .recycle = false});
  run(*on, [&]() -> task<void> {
    put(ends.a, "01234567");
    const completion first = co_await on->recv(ends.b, *group);
    const std::uint16_t id = group->take(first).id();
    const completion none = co_await on->recv(ends.b, *group);
    CHECK(none.res == -ENOBUFS);
    group->provide(id, 2);
    const completion second = co_await on->recv(ends.b, *group);
    CHECK(text_of(group->take(second).bytes()) == "45");
  });
}

TEST_CASE("a buffer whose completion nobody took goes back", "[buffers]") {
  ON_RINGS(rings_of(4));
  const socket_pair ends = unix_pair();
  const auto group = open_group(*on, {.group = 1, .count = 1, .size = 4});
  run(*on, [&]() -> task<void> {
    for (int i = 0; i < 3; ++i) {
      put(ends.a, "abc");
      selecting_operation unwanted = on->recv(ends.b, *group);
      on->start(unwanted);
      while (unwanted.in_flight()) co_await on->sleep_for(1ms);
    }
  });
  CHECK(group->borrowed() == 0);
}

TEST_CASE("an incremental ring fills one buffer by many completions", "[buffers]") {
  ON_RINGS(rings_of(4));
  const socket_pair ends = unix_pair();
  const auto group = open_group(*on, {.group = 1, .count = 2, .size = 16, .incremental = true});
  run(*on, [&]() -> task<void> {
    std::vector<borrowed_buffer> held;
    std::uint16_t first_id = 0;
    for (int i = 0; i < 20; ++i) {
      put(ends.a, "abcd");
      const completion got = co_await on->recv(ends.b, *group);
      held.push_back(group->take(got));
      CHECK(text_of(held.back().bytes()) == "abcd");
      if (i == 0) first_id = held.back().id();
      if (i < 4) CHECK(held.back().id() == first_id);
      if (i == 4) CHECK(held.back().id() != first_id);
      // Both are used up: the first goes back when all its pieces have, and not before.
      if (i % 8 == 7) {
        const completion none = co_await on->recv(ends.b, *group, false, MSG_DONTWAIT);
        CHECK((none.res == -ENOBUFS || none.res == -EAGAIN));
        for (const borrowed_buffer& each : held) CHECK(text_of(each.bytes()) == "abcd");
        held.clear();
      }
    }
  });
  CHECK(group->borrowed() == 0);
}

TEST_CASE("a bundle is one completion for bytes in several buffers", "[buffers]") {
  ON_RINGS(rings_of(4));
  if (!this_kernel().has_feature(compat::feat_recvsend_bundle)) {
    SKIP("bundles came with Linux 6.10");
  }
  const socket_pair ends = unix_pair();
  const auto group = open_group(*on, {.group = 1, .count = 8, .size = 4});
  run(*on, [&]() -> task<void> {
    // Out of order on purpose: the order of the ring is not that of the ids.
    put(ends.a, "abcdefgh");
    const completion one = co_await on->recv(ends.b, *group),
                     two = co_await on->recv(ends.b, *group);
    {
      borrowed_buffer first = group->take(one), second = group->take(two);
      second.release();
    }
    unsigned most_pieces = 0;
    for (int i = 0; i < 50; ++i) {
      const std::string text = "0123456789abc" + std::to_string(i);
      put(ends.a, text);
      // Where a bundle ends is the kernel's choice: it may leave a last part for the next one.
      std::string all;
      while (all.size() < text.size()) {
        const completion got = co_await on->recv(ends.b, *group, true);
        const borrowed_buffer data = group->take(got, true);
        CHECK(static_cast<int>(data.size()) == got.res);
        CHECK(data.piece(data.pieces()).empty());
        most_pieces = std::max(most_pieces, data.pieces());
        all += text_of(data);
        if (got.res <= 0) break;
      }
      CHECK(all == text);
    }
    CHECK(most_pieces > 1);
  });
  CHECK(group->borrowed() == 0);
}

TEST_CASE("a group that is filled by hand is sent from, one buffer or a bundle", "[buffers]") {
  ON_RINGS(rings_of(4));
  if (!this_kernel().has_feature(compat::feat_recvsend_bundle)) {
    SKIP("sending from provided buffers came with Linux 6.10");
  }
  const socket_pair ends = unix_pair();
  const auto group =
      open_group(*on, {.group = 1, .count = 4, .size = 8, .filled = false, .recycle = false});
  run(*on, [&]() -> task<void> {
    const completion none = co_await on->send_from(ends.a, *group);
    CHECK(none.res == -ENOBUFS);
    for (const std::uint16_t id : {std::uint16_t{2}, std::uint16_t{0}, std::uint16_t{3}}) {
      std::ranges::copy(bytes_of("part" + std::to_string(id)), group->memory(id).begin());
      group->provide(id, 5);
    }
    room got;
    const completion one = co_await on->send_from(ends.a, *group);
    CHECK(one.res == 5);
    CHECK(group->take(one).id() == 2);
    const completion both = co_await on->send_from(ends.a, *group, true);
    CHECK(both.res == 10);
    CHECK(text_of(group->take(both, true)) == "part0part3");
    const completion received = co_await on->recv(ends.b, got.first(15), MSG_WAITALL);
    CHECK(got.text(received.res) == "part2part0part3");
  });
}
