#include "engine/timer_heap.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <deque>
#include <random>
#include <vector>

using namespace uring;
using namespace std::chrono_literals;

namespace {

// Writes its number down when it fires, and does `then`.
struct noted : timer {
  noted(int its_number, std::vector<int>& into) : timer(&fire), number(its_number), fired(into) {}
  static void fire(timer& expired) noexcept {
    auto& self = static_cast<noted&>(expired);
    self.fired.push_back(self.number);
    if (self.then) self.then(self);
  }
  int number;
  std::vector<int>& fired;
  void (*then)(noted&) = nullptr;
  timer_heap* heap = nullptr;
  noted* other = nullptr;
};

constexpr time_point start{};

}  // namespace

TEST_CASE("timers fire in the order of their deadlines, and not before them") {
  std::vector<int> fired;
  timer_heap heap;
  noted late(3, fired), early(1, fired), middle(2, fired);
  heap.arm(late, start + 30ms);
  heap.arm(early, start + 10ms);
  heap.arm(middle, start + 20ms);
  CHECK(heap.earliest() == start + 10ms);
  CHECK(heap.fire_due(start + 9ms) == 0);
  CHECK(heap.fire_due(start + 20ms) == 2);
  CHECK(fired == std::vector{1, 2});
  CHECK_FALSE(middle.armed());
  CHECK(late.armed());
  CHECK(heap.fire_due(start + 1h) == 1);
  CHECK(heap.empty());
  CHECK(heap.fire_due(start + 2h) == 0);
}

TEST_CASE("timers of one deadline fire in the order in which they were armed") {
  std::vector<int> fired, expected;
  timer_heap heap;
  std::deque<noted> timers;
  for (int i = 0; i < 100; ++i) {
    heap.arm(timers.emplace_back(i, fired), start + 5ms);
    expected.push_back(i);
  }
  heap.fire_due(start + 5ms);
  CHECK(fired == expected);
}

TEST_CASE("a timer that is armed again moves, and fires once") {
  std::vector<int> fired;
  timer_heap heap;
  noted moved(1, fired), other(2, fired);
  heap.arm(moved, start + 10ms);
  heap.arm(other, start + 20ms);
  heap.arm(moved, start + 30ms);
  CHECK(heap.fire_due(start + 1h) == 2);
  CHECK(fired == std::vector{2, 1});
}

TEST_CASE("a timer leaves the heap when it is disarmed or dies") {
  std::vector<int> fired;
  timer_heap heap;
  noted kept(1, fired), disarmed(2, fired);
  heap.arm(kept, start + 3ms);
  heap.arm(disarmed, start + 1ms);
  {
    noted dead(3, fired);
    heap.arm(dead, start + 2ms);
  }
  disarmed.disarm();
  disarmed.disarm();
  CHECK(heap.earliest() == start + 3ms);
  heap.fire_due(start + 1h);
  CHECK(fired == std::vector{1});
}

TEST_CASE("a callback may disarm timers that are due as well") {
  std::vector<int> fired;
  timer_heap heap;
  noted first(1, fired), second(2, fired), third(3, fired);
  first.other = &second;
  first.then = [](noted& self) { self.other->disarm(); };
  heap.arm(first, start + 1ms);
  heap.arm(second, start + 2ms);
  heap.arm(third, start + 3ms);
  CHECK(heap.fire_due(start + 10ms) == 2);
  CHECK(fired == std::vector{1, 3});
}

TEST_CASE("a timer that arms itself again in its callback fires once a round and starves nobody") {
  std::vector<int> fired;
  timer_heap heap;
  noted again(1, fired), other(2, fired);
  again.heap = &heap;
  again.then = [](noted& self) { self.heap->arm(self, start); };
  heap.arm(again, start);
  heap.arm(other, start + 1ms);
  CHECK(heap.fire_due(start + 1ms) == 2);
  CHECK(fired == std::vector{1, 2});
  CHECK(heap.earliest() <= start + 1ms);
  heap.arm(other, start + 2ms);
  CHECK(heap.fire_due(start + 2ms) == 2);
  CHECK(fired == std::vector{1, 2, 1, 2});
}

TEST_CASE("a hundred thousand timers, armed, moved and disarmed at random, fire sorted") {
  constexpr int count = 100'000;
  std::mt19937 random(20240607);
  std::vector<int> fired;
  timer_heap heap;
  std::deque<noted> timers;
  std::vector<std::pair<time_point, int>> expected;
  for (int i = 0; i < count; ++i) {
    heap.arm(timers.emplace_back(i, fired), start + std::chrono::microseconds(random() % 5000));
  }
  for (int i = 0; i < count; ++i) {
    noted& each = timers[random() % count];
    if (random() % 3 == 0) {
      each.disarm();
    } else {
      heap.arm(each, start + std::chrono::microseconds(random() % 5000));
    }
  }
  for (const noted& each : timers) {
    if (each.armed()) expected.emplace_back(each.deadline(), each.number);
  }
  std::sort(expected.begin(), expected.end());
  CHECK(heap.fire_due(start + 1h) == expected.size());
  std::vector<time_point> order;
  for (const int number : fired)
    order.push_back(timers[static_cast<std::size_t>(number)].deadline());
  CHECK(std::is_sorted(order.begin(), order.end()));
  std::vector<int> numbers;
  for (const auto& each : expected) numbers.push_back(each.second);
  std::sort(numbers.begin(), numbers.end());
  std::sort(fired.begin(), fired.end());
  CHECK(fired == numbers);
}
