// The lowest descriptor numbers of the process, held so that a new child copies nothing else.
//
// A child that is forked has copies of all descriptors until it execs: what a scenario closes
// meanwhile does not end for its other side. So children share the table of this process, and make
// one of their own from its lowest numbers (close_range(2) with CLOSE_RANGE_UNSHARE). The kernel
// copies 64 at least: these are held by /dev/null, as far as they were free.
//
// From any thread. Call hold() before anything is opened; later it holds what is left of them.
// Where the limit is too low for that it does nothing, and only what a child needs is held, from
// the first one on.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <span>
#include <vector>

#include "scenarios/services/descriptor.hpp"

namespace scenarios {

class low_descriptors {
 public:
  /// What a child gets beside its standard three at most.
  static constexpr std::size_t places = 4;

  static void hold();
  /// How many are held.
  static std::size_t count();

  /// Copies of these descriptors at low numbers, for one child; waits while another has them.
  class loan {
   public:
    explicit loan(std::span<const int, places> what);
    loan(const loan&) = delete;
    loan& operator=(const loan&) = delete;
    ~loan();

    /// 0, or the errno of why they are not there.
    [[nodiscard]] int error() const { return error_; }
    [[nodiscard]] int at(std::size_t place) const;
    /// From here on a child needs nothing.
    [[nodiscard]] unsigned end() const;

   private:
    std::unique_lock<std::mutex> alone_;
    int error_ = 0;
  };

 private:
  static low_descriptors& all();
  int take_places();
  bool take(int below);

  std::mutex alone_;
  descriptor nothing_;  // /dev/null
  std::vector<descriptor> held_;
  std::array<int, places> lent_{};
};

}  // namespace scenarios
