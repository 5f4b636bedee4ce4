// All scenario files of a command line, compiled: either every plan, or everything that is wrong.
//
// Many files are compiled by several threads, which end before load() returns; what comes back is
// in the order of the files all the same.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "runner/discovery.hpp"
#include "scenarios/compile.hpp"
#include "scenarios/diagnostic.hpp"
#include "scenarios/plan.hpp"

namespace runner {

using shared_plan = std::shared_ptr<const scenarios::plan>;

struct loaded_file {
  scenario_file from;
  std::vector<shared_plan> plans;  // every case, in the order of its matrix
};

struct loaded_files {
  std::vector<loaded_file> files;
  scenarios::diagnostics told;

  std::size_t plan_count() const;
};

loaded_files load(std::span<const std::string> paths, const scenarios::compile_options& options);

}  // namespace runner
