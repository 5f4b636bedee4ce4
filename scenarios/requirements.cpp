#include "scenarios/requirements.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "engine/flag_sets.hpp"
#include "engine/op_table.hpp"
#include "scenarios/services/program.hpp"

namespace scenarios {
namespace {

// The version that the kernel shows, or is made to look like.
std::string_view shown_version(const uring::capabilities& kernel) {
  return kernel.as_kernel.empty() ? std::string_view(kernel.release)
                                  : std::string_view(kernel.as_kernel);
}

bool has_feature(const uring::capabilities& kernel, std::string_view name) {
  if (name == "nop_inject") return kernel.nop_inject;
  if (const auto bit = uring::find_flag(uring::flags::features, name)) {
    return kernel.has_feature(static_cast<std::uint32_t>(*bit));
  }
  if (const auto bit = uring::find_flag(uring::flags::setup_flags, name)) {
    return kernel.accepts(static_cast<std::uint32_t>(*bit));
  }
  return false;
}

// A path is taken from the scenario's own directory, as those of data are.
bool can_be_read(const std::string& path, const std::string& scenario) {
  const auto full = std::filesystem::path(scenario).parent_path() / path;
  return ::access(full.c_str(), R_OK) == 0;
}

bool is_met(const requirement& needed, const plan& what, const uring::capabilities& kernel) {
  switch (needed.kind) {
    case requirement::what::kernel:
      return !uring::newer_than(needed.text, shown_version(kernel));
    case requirement::what::op: {
      const uring::op_row* row = uring::find_op(needed.text);
      return row != nullptr && kernel.has(row->opcode);
    }
    case requirement::what::feature:
      return has_feature(kernel, needed.text);
    case requirement::what::program:
      return find_program(needed.text, program_path()).has_value();
    case requirement::what::file:
      return can_be_read(needed.text, what.file);
    case requirement::what::env:
      return std::getenv(needed.text.c_str()) != nullptr;
    case requirement::what::root:
      return geteuid() == 0;
  }
  return false;
}

// Flags that no trial tells anything about.
constexpr std::uint32_t missing_is_wanted = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;

std::string reason(const requirement& needed, const uring::capabilities& kernel) {
  const char* verb = needed.negated ? "must not have" : "needs";
  switch (needed.kind) {
    case requirement::what::kernel:
      return fmt::format("{} kernel {}; this one is {}", verb, needed.text, shown_version(kernel));
    case requirement::what::op:
      return fmt::format("{} the opcode {}", verb, needed.text);
    case requirement::what::feature:
      return fmt::format("{} the io_uring feature {}", verb, needed.text);
    case requirement::what::program:
      return fmt::format("{} the program {}", verb, needed.text);
    case requirement::what::file:
      return fmt::format("{} the file {}", verb, needed.text);
    case requirement::what::env:
      return fmt::format("{} the environment variable {}", verb, needed.text);
    case requirement::what::root:
      return needed.negated ? "must not run as root" : "needs root";
  }
  return "a requirement is not met";
}

}  // namespace

std::optional<std::string> unmet_requirement(const plan& what, const uring::capabilities& kernel) {
  for (const requirement& needed : what.requires_) {
    if (is_met(needed, what, kernel) == needed.negated) return reason(needed, kernel);
  }
  for (const ring_plan& ring : what.rings) {
    const std::uint32_t flags = ring.flags.value_or(0) & ~missing_is_wanted;
    if (kernel.accepts(flags)) continue;
    return fmt::format("this kernel ({}) makes no ring with {}", shown_version(kernel),
                       uring::flags_text(uring::flags::setup_flags, flags & ~kernel.setup_flags));
  }
  for (const std::uint8_t opcode : what.opcodes) {
    if (kernel.has(opcode)) continue;
    const uring::op_row& row = uring::op(opcode);
    return fmt::format("this kernel ({}) does not support the opcode {}, which came with Linux {}",
                       shown_version(kernel), row.name, row.since);
  }
  return std::nullopt;
}

bool names_setup_flag(const plan& what) {
  const auto has_flags = [](const ring_plan& ring) { return ring.flags.value_or(0) != 0; };
  if (std::ranges::any_of(what.rings, has_flags)) return true;
  return std::ranges::any_of(what.requires_, [](const requirement& needed) {
    return needed.kind == requirement::what::feature &&
           uring::find_flag(uring::flags::setup_flags, needed.text).has_value();
  });
}

}  // namespace scenarios
