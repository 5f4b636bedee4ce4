// Macros: named lists of steps with parameters, written once and called by many steps.
//
// A call is compiled in its place: the steps of the macro are compiled anew for each call, the
// names that they make belong to the caller, and `${parameter}` stands for the argument. Arguments
// are values, computed once before the first step. Read for each case; points into the file's
// nodes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/diagnostic.hpp"
#include "scenarios/node.hpp"
#include "scenarios/value.hpp"

namespace scenarios {

struct macro_parameter {
  std::string name;
  const node* fallback = nullptr;  // null: it must be given
};

struct macro {
  std::string name;
  span at;
  std::vector<macro_parameter> parameters;
  const node* steps = nullptr;  // null after an error
};

using macro_map = std::map<std::string, macro, std::less<>>;

/// What is wrong is told; each macro is there under its name all the same.
macro_map read_macros(const node& from, diagnostics& out);

}  // namespace scenarios
