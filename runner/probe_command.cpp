// `probe`: what the running kernel can do.
#include <fmt/format.h>
#include <sys/resource.h>

#include <nlohmann/json.hpp>

#include "engine/flag_sets.hpp"
#include "engine/limits.hpp"
#include "engine/op_table.hpp"
#include "engine/ring.hpp"
#include "runner/command_table.hpp"
#include "runner/exit_code.hpp"
#include "runner/kernel.hpp"
#include "runner/output.hpp"
#include "runner/refusal.hpp"
#include "scenarios/diagnostic.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace {

using nlohmann::json;
using uring::capabilities;

struct limit_row {
  std::string_view name;
  int resource;
};
constexpr std::array<limit_row, 2> limits{{
    {"descriptors", RLIMIT_NOFILE},
    {"locked_memory", RLIMIT_MEMLOCK},
}};

json limit_value(rlim_t value) {
  return value == RLIM_INFINITY ? json("unlimited") : json(value);
}

json limits_node() {
  json all = json::object();
  for (const limit_row& each : limits) {
    rlimit found{};
    if (getrlimit(static_cast<__rlimit_resource_t>(each.resource), &found) != 0) continue;
    all[std::string(each.name)] = {{"soft", limit_value(found.rlim_cur)},
                                   {"hard", limit_value(found.rlim_max)}};
  }
  return all;
}

/// What `--ring-mode auto` becomes here.
std::string automatic_mode(const capabilities& of) {
  uring::ring trial;
  uring::ring_options options;
  options.mode = mode_under(of, uring::ring_mode::automatic);
  return trial.open(options) == 0 ? uring::ring_mode_name(trial.mode()) : "none";
}

struct split_names {
  std::vector<std::string_view> present, missing;
};
split_names split(const uring::flag_set& of, std::uint32_t bits) {
  split_names made;
  for (const uring::flag_name& each : of.names) {
    const bool there = (bits & each.bits) == each.bits;
    (there ? made.present : made.missing).push_back(each.name);
  }
  return made;
}

std::size_t supported_count(const capabilities& of) {
  std::size_t count = 0;
  for (const uring::op_row& row : uring::op_table()) count += of.has(row.opcode) ? 1 : 0;
  return count;
}

std::string as_json(const capabilities& of) {
  json opcodes = json::object();
  for (const uring::op_row& row : uring::op_table()) {
    opcodes[std::string(row.name)] = {
        {"number", row.opcode}, {"since", row.since}, {"supported", of.has(row.opcode)}};
  }
  const json all{{"kernel", of.release},
                 {"as_kernel", of.as_kernel},
                 {"ring_mode", automatic_mode(of)},
                 {"features", split(uring::flags::features, of.features).present},
                 {"setup_flags", split(uring::flags::setup_flags, of.setup_flags).present},
                 {"nop_inject", of.nop_inject},
                 {"last_opcode", of.last_opcode},
                 {"limits", limits_node()},
                 {"opcodes", std::move(opcodes)}};
  return all.dump(1, ' ', true) + '\n';
}

std::string wrapped_names(const std::vector<std::string_view>& names) {
  constexpr std::size_t columns = 100;
  constexpr std::size_t indent = 20;
  if (names.empty()) return "none\n";
  std::string out;
  std::size_t at = indent;
  for (const std::string_view name : names) {
    const bool first = out.empty();
    if (!first && at + 1 + name.size() > columns) {
      out += '\n' + std::string(indent, ' ');
      at = indent;
    } else if (!first) {
      out += ' ';
      ++at;
    }
    out += name;
    at += name.size();
  }
  return out + '\n';
}

std::string line(std::string_view left, std::string_view right) {
  return fmt::format("{:<20}{}{}", left, right, right.ends_with('\n') ? "" : "\n");
}

std::string head(const capabilities& of) {
  const split_names features = split(uring::flags::features, of.features);
  const split_names setup = split(uring::flags::setup_flags, of.setup_flags);
  std::string out = line("kernel", scenarios::visible(of.release));
  if (!of.as_kernel.empty()) out += line("shown as", of.as_kernel);
  out += line("ring mode", automatic_mode(of));
  out += line("features", wrapped_names(features.present));
  out += line("  missing", wrapped_names(features.missing));
  out += line("set-up flags", wrapped_names(setup.present));
  out += line("  missing", wrapped_names(setup.missing));
  out += line("NOP injection", of.nop_inject ? "yes" : "no");
  const json all_limits = limits_node();
  for (const auto& [name, value] : all_limits.items()) {
    out += line(name == "locked_memory" ? "locked memory" : name,
                fmt::format("{} (hard limit {})", value["soft"].dump(), value["hard"].dump()));
  }
  return out;
}

std::string as_text(const capabilities& of) {
  std::string out = head(of);
  out +=
      line("opcodes", fmt::format("{} of {} that this program knows; the kernel's last is {}",
                                  supported_count(of), uring::op_table().size(), of.last_opcode));
  out += "\n  nr  opcode              since   here\n";
  for (const uring::op_row& row : uring::op_table()) {
    out += fmt::format("  {:>2}  {:<18}  {:<6}  {}\n", row.opcode, row.name, row.since,
                       of.has(row.opcode) ? "yes" : "no");
  }
  return out;
}

}  // namespace

int probe_command(const settings& with) {
  if (const std::string wrong = check_as_kernel(with.as_kernel); !wrong.empty()) {
    complain(wrong);
    return number(exit_code::usage);
  }
  const capabilities found = find_capabilities(with.as_kernel);
  if (found.ring_errno != 0) {
    const auto why = refusal_diagnostic(uring::diagnose_ring_failure(found.ring_errno));
    print_error(scenarios::render(why, {wants_color(stream::error, with.color)}));
    return number(exit_code::environment);
  }
  print(with.json ? as_json(found) : as_text(found));
  return number(exit_code::passed);
}

}  // namespace runner
