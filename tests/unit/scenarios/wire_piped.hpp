// One direction of a connection by itself: no sockets, no rules, and times as the test gives them.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scenarios/wire/wire_pipe.hpp"

namespace wire_tests {

using namespace scenarios;

// No rules: a test applies what it wants.
class no_rules final : public wire_decider {
 public:
  std::vector<wire_hit> on_start(std::string_view) override { return {}; }
  std::vector<wire_hit> on_connect(const wire_link&) override { return {}; }
  std::optional<wire_place> on_bytes(const wire_link&, direction, std::uint64_t,
                                     std::string_view) override {
    return std::nullopt;
  }
  std::vector<wire_hit> on_datagram(const wire_link&, direction, std::string_view) override {
    return {};
  }
  void on_end(const wire_link&) override {}
  void observed(std::uint32_t rule) override {
    ++observations;
    who.push_back(rule);
  }
  int observations = 0;
  std::vector<std::uint32_t> who;  // in the order of observing
};

inline wire_hit hit(wire_effect effect, std::uint64_t seed = 1, std::uint32_t rule = 0) {
  effect.dir = direction::s2c;
  return {rule, std::make_shared<wire_effect>(std::move(effect)), seed};
}

inline wire_effect of(wire_fault type) {
  wire_effect made;
  made.type = type;
  return made;
}

struct piped {
  void apply(const wire_effect& effect, std::uint32_t rule = 0) {
    pipe.apply(hit(effect, 1, rule), now, false);
  }
  void push(std::string_view bytes) { CHECK_FALSE(pipe.push(bytes, now)); }
  std::vector<std::string> pieces() {
    std::vector<std::string> got;
    for (;;) {
      const wire_pipe::order order = pipe.next(now);
      if (order.what != wire_pipe::deed::send) return got;
      got.emplace_back(order.bytes);
      pipe.sent(order.bytes.size(), now);
    }
  }
  no_rules rules;
  wire_link link{"px", "px#1"};
  wire_pipe pipe{rules, link, direction::s2c};
  wire_pipe::time_point now = uring::clock::now();
};

}  // namespace wire_tests
