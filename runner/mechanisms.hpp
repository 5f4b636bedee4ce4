// Whether what the scenarios' faults are made of works here, tried before anything runs.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/loop.hpp"
#include "runner/suite.hpp"

namespace runner {

/// Does each fault that some plan uses to a request, a connection or a program of its own, on a
/// ring like those of the run. Returns a line for each that does not work; nothing is tried where
/// there is none.
std::vector<std::string> broken_mechanisms(const std::vector<shared_plan>& plans,
                                           const suite_options& how);
/// The same of these types, on this loop.
std::vector<std::string> broken_mechanisms(uring::loop& on, const std::set<std::string_view>& used);

}  // namespace runner
