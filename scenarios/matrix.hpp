// The matrix of a scenario: its axes, and the cases that their cross product makes.
//
// Read once per file, before anything else is compiled: its values are constants. The first axis
// changes slowest, so cases come in the order in which a person would write them down.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "scenarios/diagnostic.hpp"
#include "scenarios/node.hpp"
#include "scenarios/value.hpp"

namespace scenarios {

inline constexpr std::size_t matrix_cases_max = 100'000;

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

  /// "mode=poll,size=1"; empty without a matrix.
  std::string label() const;
  const choice* find(std::string_view axis) const;
};

struct matrix_table {
  std::vector<matrix_axis> axes;

  /// 1 without axes.
  std::size_t size() const;
  matrix_case at(std::size_t index) const;
};

/// Reports everything that is wrong; the table is then empty.
matrix_table read_matrix(const node& from, diagnostics& out);

}  // namespace scenarios
