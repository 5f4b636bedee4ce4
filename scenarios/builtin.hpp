// The functions that a `${…}` expression can call.
//
// One table: the compiler checks calls against it, `explain` prints it, the schema and the pages
// under docs/ are made from it. A function is total: every input yields a value or a message.
// The table is static and constant; functions may be called from any thread.
#pragma once

#include <span>
#include <string_view>

#include "scenarios/expression.hpp"

namespace scenarios {

inline constexpr std::size_t max_function_parameters = 3;

struct function_info {
  std::string_view name;
  std::string_view signature;  // "len(x) -> integer"
  std::string_view doc;        // one line
  std::uint8_t parameters_min = 0;
  std::uint8_t parameters_max = 0;
  value_type parameter[max_function_parameters] = {};
  value_type result = value_type::any;
  bool same_kind = false;  // the result has the first argument's kind
  bool pure = true;        // may be computed at load when its arguments are constant
  evaluation (*call)(std::span<const value* const> arguments, const environment& env) = nullptr;
};

/// In alphabetical order.
std::span<const function_info> function_table();
const function_info* find_function(std::string_view name);

/// `size` octets that depend on the seed only, the same on every machine.
std::string random_bytes(std::size_t size, std::uint64_t seed);

}  // namespace scenarios
