// From a file to plans: everything that can be known before a scenario runs is checked here.
//
// All errors of a file are reported at once. A file with an error yields no plan.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "scenarios/diagnostic.hpp"
#include "scenarios/document.hpp"
#include "scenarios/plan.hpp"
#include "scenarios/source.hpp"

namespace scenarios {

struct compile_options {
  std::vector<std::pair<std::string, std::string>> vars =
      {};  // --var k=v: replaces a variable's value
  // Takes the place of the faults of every file, as faults/planned.hpp reads it; a case that is not
  // there keeps its own.
  std::shared_ptr<const document> faults = nullptr;
  bool planned_seeds = true;  // and so does the seed that it has, of the case's own
  bool bless = false;         // golden files need not be there yet
  // Where not null, every variable that the file has is added: a --var that no file knows is an
  // error, but only who has seen all files can tell.
  std::set<std::string>* known_vars = nullptr;
};

/// False, and told, when the file is of another version of the format: whatever else seems wrong in
/// it may be right there.
bool check_format(const node& root, diagnostics& out);

// The plans of a file's cases, in the order of its matrix. Empty with an error in `out`.
std::vector<std::shared_ptr<const plan>> compile_source(const std::shared_ptr<const source>& text,
                                                        const compile_options& options,
                                                        diagnostics& out);
// The same from a path; `path` is what ids and reports show.
std::vector<std::shared_ptr<const plan>> compile_file(const std::string& path,
                                                      const compile_options& options,
                                                      diagnostics& out);

}  // namespace scenarios
