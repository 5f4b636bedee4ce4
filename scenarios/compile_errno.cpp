// What can't come: errnos that the op table does not give to an op.

#include "engine/errno_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "scenarios/compile_strand.hpp"

namespace scenarios {

std::string possible_errno_names(std::span<const std::uint8_t> opcodes) {
  std::vector<int> numbers;
  for (const std::uint8_t opcode : opcodes)
    std::ranges::copy(uring::possible_errnos(uring::op(opcode)), std::back_inserter(numbers));
  std::ranges::sort(numbers);
  const auto repeated = std::ranges::unique(numbers);
  numbers.erase(repeated.begin(), repeated.end());
  std::string all;
  for (const int number : numbers) {
    const char* name = uring::errno_name(number);
    all += fmt::format("{}{}", all.empty() ? "" : " ",
                       name != nullptr ? std::string(name) : std::to_string(number));
  }
  return all;
}

void warn_impossible(diagnostics& out, const step_row& row, span at, int number) {
  const bool possible = std::ranges::any_of(row.opcodes, [&](std::uint8_t opcode) {
    return uring::can_return(uring::op(opcode), number);
  });
  // What is no submission answers with whatever its system call does.
  if (number == 0 || possible || row.is(step_trait::has_result)) return;
  // What TLS refuses is EPROTO, and any stream may speak it.
  if (number == EPROTO && row.layer == step_layer::stream) return;
  const char* name = uring::errno_name(number);
  diagnostic& told =
      out.warning(code::errno_impossible, at,
                  fmt::format("`{}` does not end with {} on any kernel we know of", row.name,
                              name != nullptr ? std::string(name) : std::to_string(number)));
  const std::string all = possible_errno_names(row.opcodes);
  told.help = all.empty() ? "it is no submission, and ends with no errno"
                          : "choose one that it can return: " + all;
}

}  // namespace scenarios
