#include "runner/refusal.hpp"

#include <fmt/format.h>

#include <array>

#include "engine/errno_name.hpp"

namespace runner {
namespace {

using uring::refusal_cause;

struct cause_row {
  refusal_cause cause;
  scenarios::code code;
};
constexpr std::array<cause_row, 6> codes{{
    {refusal_cause::disabled_by_sysctl, scenarios::code::ring_disabled},
    {refusal_cause::disabled_for_group, scenarios::code::ring_disabled},
    {refusal_cause::process_descriptors, scenarios::code::descriptors_exhausted},
    {refusal_cause::system_descriptors, scenarios::code::descriptors_exhausted},
    {refusal_cause::locked_memory, scenarios::code::memory_locked},
    {refusal_cause::bad_parameters, scenarios::code::kernel_lacks},
}};

}  // namespace

scenarios::diagnostic refusal_diagnostic(const uring::ring_refusal& of, uring::ring_mode mode) {
  scenarios::diagnostic made;
  made.id = scenarios::code::ring_refused;
  for (const cause_row& row : codes) {
    if (row.cause == of.cause) made.id = row.code;
  }
  made.message = "no ring could be made, so nothing ran";
  const char* const name = uring::errno_name(of.error);
  made.notes.push_back(fmt::format("io_uring_setup: {}",
                                   name != nullptr ? name : fmt::format("errno {}", of.error)));
  made.notes.push_back(of.message);
  made.help = of.remedy;
  if (of.cause == refusal_cause::bad_parameters && mode != uring::ring_mode::automatic) {
    made.help = fmt::format("this kernel may lack --ring-mode {}: see `probe`, or leave it to auto",
                            uring::ring_mode_name(mode));
  }
  return made;
}

}  // namespace runner
