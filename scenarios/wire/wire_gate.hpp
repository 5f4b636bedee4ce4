// What the steps `pause`, `pass` and `resume` do to one direction of a proxy.
//
// The relay has one for each direction; the pipes of all its connections ask it before they hand
// anything on. Used on the loop's thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/event.hpp"

namespace scenarios {

class wire_gate {
 public:
  void shut() { shut_ = true; }
  void open() {
    shut_ = false;
    withdraw();
  }
  /// Lets so many bytes of streams, or datagrams, go on although it is shut.
  void let_pass(std::uint64_t count) { may_pass_ += count; }
  /// Takes back what has not been used of it.
  void withdraw() {
    may_pass_ = 0;
    tell();
  }

  [[nodiscard]] bool is_shut() const { return shut_; }
  [[nodiscard]] std::uint64_t left() const { return may_pass_; }
  /// How many of these may go on now.
  [[nodiscard]] std::uint64_t admits(std::uint64_t count) const {
    return shut_ ? std::min(count, may_pass_) : count;
  }
  /// So many have.
  void passed(std::uint64_t count) {
    if (may_pass_ == 0) return;
    may_pass_ -= std::min(count, may_pass_);
    tell();
  }

  /// Set for whoever waits, each time that less is left.
  uring::event changed;

 private:
  void tell() {
    changed.set();
    changed.reset();
  }

  bool shut_ = false;
  std::uint64_t may_pass_ = 0;
};

}  // namespace scenarios
