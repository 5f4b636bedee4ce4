// Scenarios to start from: one table, a row for each, that `new` writes and lists.
//
// Constant data. Each passes as it is written, and is laid out as `fmt` does; tests hold both.
#pragma once

#include <span>
#include <string_view>

namespace runner {

struct scenario_template {
  std::string_view name;   ///< "tcp-client"
  std::string_view about;  ///< lower case, no full stop
  std::string_view text;
};

std::span<const scenario_template> template_table();
/// nullptr when there is none of that name.
const scenario_template* find_template(std::string_view name);

}  // namespace runner
