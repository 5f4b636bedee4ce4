// The matrix of a scenario: its axes, and the cases that their cross product makes.
//
// Read once per file, before anything else is compiled: its values are constants. The first axis
// changes slowest, so cases come in the order in which a person would write them down.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/diagnostic.hpp"
#include "scenarios/node.hpp"
#include "scenarios/value.hpp"

namespace scenarios {

inline constexpr std::size_t matrix_cases_max = 100'000;
inline constexpr std::string_view cases_axis = "case";  // the last axis, made of `cases`

struct matrix_value {
  std::string label;  // in ids: "poll", "1"
  value content;
};
struct matrix_axis {
  std::string name;
  std::vector<matrix_value> values;
};

/// One case: a value of each axis. Points into the table.
struct matrix_case {
  struct choice {
    const matrix_axis* axis = nullptr;
    const matrix_value* chosen = nullptr;
  };
  std::vector<choice> choices;
  bool unknown = false;  // the matrix has errors, which are told: any name may be right

  /// "mode=poll,size=1"; empty without a matrix.
  std::string label() const;
  const choice* find(std::string_view axis) const;
};

/// The cross product of the axes, without what `exclude` names, and what `include` adds behind it.
/// Its cases point into it, also after it was moved.
struct matrix_table {
  std::vector<matrix_axis> axes;
  std::vector<bool> excluded;  // by number in the cross product; empty: none
  std::vector<std::vector<const matrix_value*>> included;  // a value of each axis
  std::deque<matrix_value> more_values;                    // that only `include` has
  bool failed = false;

  /// 1 without axes.
  std::size_t size() const { return numbers_.empty() && axes.empty() ? 1 : cases_; }
  matrix_case at(std::size_t index) const;

  /// After the parts have been filled in, or changed.
  void count();

 private:
  std::size_t product() const;
  std::vector<std::size_t> numbers_;  // of the cases of the cross product, where some are excluded
  std::size_t cases_ = 1;
};

/// Whether a text can stand in an id: file[mode=poll,case=2].
bool is_case_label(std::string_view text);

/// `matrix` and `cases`, each null where the file has none. Reports everything that is wrong; the
/// table is then empty.
matrix_table read_matrix(const node* matrix, const node* cases, diagnostics& out);

}  // namespace scenarios
