// Reading the parameters of a wire fault, one at a time: what the rows of the fault table call.
//
// A reader stands on one value of one key; what is wrong with it is told, and then the effect keeps
// what it had. Durations and rates may be bare numbers in the unit of Toxiproxy's parameter of that
// name. Lives while one parameter is read; internal to the compilation of effects.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/compile_scope.hpp"
#include "scenarios/node.hpp"
#include "scenarios/wire/wire_effect.hpp"

namespace scenarios {

class wire_parameter_reader {
 public:
  wire_parameter_reader(const node& from, compile_scope& scope, std::string what)
      : from_(from),
        scope_(scope),
        what_(std::move(what)),
        errors_before_(scope.out().error_count()) {}

  /// Tells when a time that something lasts is none; false then, and when it was not read.
  bool is_above_zero(std::chrono::nanoseconds read);
  void duration(std::chrono::nanoseconds& into, std::chrono::nanoseconds unit);
  /// A size, or a number.
  void count(std::uint64_t& into, integer_range range);
  /// "64KiB", or a number of KB/s (1 KB is 1000 bytes): bytes a second.
  void rate(std::uint64_t& into);
  /// Numbers or sizes above 0, each above the one before.
  void offsets(std::vector<std::uint64_t>& into);
  /// Each place from 0 on once.
  void order(std::vector<std::uint64_t>& into, std::size_t most);
  void data(std::string& into);
  void text(std::string& into);
  /// The place of the word in `words`.
  template <class Choice>
  void choice(Choice& into, std::span<const std::string_view> words) {
    std::size_t found = 0;
    if (word(found, words)) into = static_cast<Choice>(found);
  }

  /// Nothing was told about this value.
  bool sound() const { return scope_.out().error_count() == errors_before_; }

 private:
  bool word(std::size_t& found, std::span<const std::string_view> words);

  const node& from_;
  compile_scope& scope_;
  std::string what_;
  std::size_t errors_before_;
};

}  // namespace scenarios
