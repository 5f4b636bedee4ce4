// `${…}` expressions: typed, total, checked when the file is loaded.
//
// A JSON string becomes an `expression` once, at load: its names resolved to slots by a
// name_resolver, its types checked, its constant parts folded. While a scenario runs it is only
// evaluated, against an environment. It is immutable and shared: copying one copies a pointer, and
// any thread may evaluate it. It points into the source file's text only through at().
//
// Nothing here throws or has undefined behaviour on hostile input. What cannot be known at load
// (overflow, an index out of range, text that is no number) is a message in the `evaluation`.
// Nesting is bounded by max_expression_depth, results by max_value_bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scenarios/source.hpp"
#include "scenarios/value.hpp"

namespace scenarios {

class node;
class diagnostics;
struct expression_tree;

inline constexpr std::size_t max_expression_depth = 128;

/// Where a name's value will be found; the meaning belongs to whoever resolves names.
struct slot_ref {
  std::uint32_t space = 0;
  std::uint32_t index = 0;
  friend auto operator<=>(const slot_ref&, const slot_ref&) = default;
};

/// What a name turned out to be: a constant, or else a slot.
struct resolved_name {
  std::optional<value> constant;
  slot_ref slot;
  value_type type = value_type::any;
  std::size_t parts_used = 1;  // of the path; the rest are fields of a record
};

/// Asked while compiling.
class name_resolver {
 public:
  virtual ~name_resolver() = default;
  /// `srv.addr` comes as {"srv", "addr"}. Nothing if unknown; reports nothing itself.
  virtual std::optional<resolved_name> resolve(std::span<const std::string_view> path) = 0;
  /// Whole names ("srv.addr") that might have been meant.
  virtual std::vector<std::string> candidates(std::span<const std::string_view> path) = 0;
};

/// Asked while evaluating.
class environment {
 public:
  virtual ~environment() = default;
  /// nullptr: not assigned yet. The value must stay as it is until the evaluation returns.
  virtual const value* read(slot_ref slot) const = 0;
  /// The seed of random(n, "label"): the same for the same label in the same place of a scenario.
  virtual std::uint64_t seed_for(std::string_view label) const = 0;
};

/// A value, or the message of a run-time error.
class evaluation {
 public:
  evaluation(value result) : result_(std::move(result)) {}  // NOLINT: a value is an evaluation
  static evaluation failure(std::string message) {
    evaluation failed{value()};
    failed.message_ = std::move(message);
    failed.failed_ = true;
    return failed;
  }

  explicit operator bool() const { return !failed_; }
  const value& operator*() const& { return result_; }
  value&& operator*() && { return std::move(result_); }
  const value* operator->() const { return &result_; }
  const std::string& message() const { return message_; }

 private:
  value result_;
  std::string message_;
  bool failed_ = false;
};

class expression {
 public:
  /// The constant null.
  expression() = default;
  explicit expression(value constant);
  /// From a finished tree; compile_text and compile_value call this.
  explicit expression(std::shared_ptr<const expression_tree> tree);

  /// False after a compile error, which has been reported. Such an expression has type any, is not
  /// constant, and fails when evaluated.
  bool is_valid() const;
  bool is_constant() const;
  /// Needs is_constant().
  const value& constant() const;
  /// The kinds that the value can have.
  value_type type() const;
  /// Every slot that any evaluation may read, each once.
  std::span<const slot_ref> reads() const;
  /// Where it was written; an empty span for one that was made from a value.
  span at() const;

  /// The same, which fails where its value is no integer from `min` to `max`.
  expression within(std::int64_t min, std::int64_t max, std::string_view what) const;

  evaluation eval(const environment& env) const;
  /// What its names stand for, each once, for people: `n = 4, who = "x"`.
  std::string describe_names(const environment& env) const;

 private:
  std::shared_ptr<const expression_tree> tree_;
};

/// A JSON string: constant text, one `${…}` that keeps its type, or pieces joined as text (as bytes
/// if one piece is bytes). Errors point at their place inside the string.
expression compile_text(const node& from, name_resolver& names, diagnostics& out);

/// Any JSON value; strings inside lists and records as compile_text takes them.
expression compile_value(const node& from, name_resolver& names, diagnostics& out);
/// The same where numbers may have fractions: what values are compared with.
expression compile_compared(const node& from, name_resolver& names, diagnostics& out);

/// As compile_value, for a place that takes only the kinds in `wanted`: reports E0204 when the
/// value cannot be one of them. `what` names the place: "a port".
expression compile_typed(const node& from, value_type wanted, std::string_view what,
                         name_resolver& names, diagnostics& out);

/// A resolver that knows no names and an environment that holds nothing, for constant places.
name_resolver& no_names();
const environment& no_environment();

}  // namespace scenarios
