// `probe`: what the running kernel can do.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/errno_name.hpp"
#include "engine/flag_sets.hpp"
#include "engine/limits.hpp"
#include "engine/op_table.hpp"
#include "engine/registrations.hpp"
#include "engine/ring.hpp"
#include "engine/ring_limits.hpp"
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

// All that is printed.
struct findings {
  capabilities kernel;
  std::vector<uring::registration_answer> registrations;
  uring::ring_limits rings;
};

struct limit_row {
  std::string_view name;
  int resource;
};
constexpr std::array<limit_row, 3> limits{{
    {"descriptors", RLIMIT_NOFILE},
    {"locked_memory", RLIMIT_MEMLOCK},
    {"processes", RLIMIT_NPROC},
}};

// What the kernel bounds by itself; null where it doesn't say.
struct ring_limit_row {
  std::string_view name, text;
  std::optional<std::uint32_t> uring::ring_limits::* value;
};
constexpr std::array<ring_limit_row, 4> kernel_limits{{
    {"sq_entries", "submission queue", &uring::ring_limits::sq_entries},
    {"cq_entries", "completion queue", &uring::ring_limits::cq_entries},
    {"bounded_workers", "bounded workers", &uring::ring_limits::bounded_workers},
    {"unbounded_workers", "unbounded workers", &uring::ring_limits::unbounded_workers},
}};

// Who may use io_uring, and what the number says.
struct access_row {
  std::string_view name, text;
  std::optional<long> uring::ring_limits::* value;
  std::string (*meaning)(long);
};
constexpr std::array<access_row, 3> access_rows{{
    {"io_uring_disabled", "io_uring_disabled", &uring::ring_limits::io_uring_disabled,
     [](long value) -> std::string {
       if (value == 0) return "every process may";
       return value == 1 ? "CAP_SYS_ADMIN or io_uring_group may" : "nobody may";
     }},
    {"io_uring_group", "io_uring_group", &uring::ring_limits::io_uring_group,
     [](long value) -> std::string { return value < 0 ? "none" : ""; }},
    {"seccomp", "seccomp", &uring::ring_limits::seccomp,
     [](long value) -> std::string { return value == 0 ? "no filter" : "a filter is in force"; }},
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

std::string error_text(int error) {
  const char* name = uring::errno_name(error);
  return name != nullptr ? name : fmt::format("errno {}", error);
}

json registrations_node(const std::vector<uring::registration_answer>& answers) {
  json all = json::object();
  const auto table = uring::registration_table();
  for (std::size_t i = 0; i < table.size(); ++i) {
    const uring::registration_answer& answer = answers[i];
    json& node = all[std::string(table[i].name)];
    node = {{"number", table[i].number},
            {"since", table[i].since},
            {"supported", answer.state == uring::registration_state::works}};
    if (answer.state == uring::registration_state::refused) {
      node["refused"] = error_text(answer.error);
    }
  }
  return all;
}

template <class Number>
json number_node(const std::optional<Number>& value) {
  return value ? json(*value) : json(nullptr);
}

json all_limits_node(const uring::ring_limits& rings) {
  json all = limits_node();
  for (const ring_limit_row& each : kernel_limits) {
    all[std::string(each.name)] = number_node(rings.*each.value);
  }
  return all;
}

json access_node(const uring::ring_limits& rings) {
  json all = json::object();
  for (const access_row& each : access_rows) {
    all[std::string(each.name)] = number_node(rings.*each.value);
  }
  return all;
}

std::string as_json(const findings& found) {
  const capabilities& of = found.kernel;
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
                 {"access", access_node(found.rings)},
                 {"limits", all_limits_node(found.rings)},
                 {"registrations", registrations_node(found.registrations)},
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

std::string limit_text(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string state_text(const uring::registration_answer& answer) {
  using enum uring::registration_state;
  if (answer.state == refused) return fmt::format("refused: {}", error_text(answer.error));
  return answer.state == works ? "yes" : "no";
}

std::string limit_lines(const uring::ring_limits& rings) {
  std::string out;
  const json all_limits = limits_node();
  for (const limit_row& each : limits) {
    const auto value = all_limits.find(each.name);
    if (value == all_limits.end()) continue;
    out += line(each.name == "locked_memory" ? "locked memory" : each.name,
                fmt::format("{} (hard limit {})", limit_text((*value)["soft"]),
                            limit_text((*value)["hard"])));
  }
  for (const ring_limit_row& each : kernel_limits) {
    const auto& value = rings.*each.value;
    out += line(each.text, value ? fmt::format("{} at most", *value) : "unknown");
  }
  for (const access_row& each : access_rows) {
    const auto& value = rings.*each.value;
    if (!value) continue;
    const std::string meaning = each.meaning(*value);
    out += line(each.text, meaning.empty() ? fmt::format("{}", *value)
                                           : fmt::format("{} ({})", *value, meaning));
  }
  return out;
}

std::string head(const findings& found) {
  const capabilities& of = found.kernel;
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
  return out + limit_lines(found.rings);
}

std::string as_text(const findings& found) {
  const capabilities& of = found.kernel;
  std::string out = head(found);
  const auto registrations = uring::registration_table();
  const auto works = [](const uring::registration_answer& answer) {
    return answer.state == uring::registration_state::works;
  };
  const auto working = std::count_if(found.registrations.begin(), found.registrations.end(), works);
  out +=
      line("opcodes", fmt::format("{} of {} that this program knows; the kernel's last is {}",
                                  supported_count(of), uring::op_table().size(), of.last_opcode));
  out += line("registrations",
              fmt::format("{} of {} that this program knows", working, registrations.size()));
  out += "\n  nr  opcode              since   here\n";
  for (const uring::op_row& row : uring::op_table()) {
    out += fmt::format("  {:>2}  {:<18}  {:<6}  {}\n", row.opcode, row.name, row.since,
                       of.has(row.opcode) ? "yes" : "no");
  }
  out += "\n  nr  registration            since   here\n";
  for (std::size_t i = 0; i < registrations.size(); ++i) {
    out +=
        fmt::format("  {:>2}  {:<22}  {:<6}  {}\n", registrations[i].number, registrations[i].name,
                    registrations[i].since, state_text(found.registrations[i]));
  }
  return out;
}

}  // namespace

int probe_command(const settings& with) {
  if (const std::string wrong = check_as_kernel(with.as_kernel); !wrong.empty()) {
    complain(wrong);
    return number(exit_code::usage);
  }
  findings found;
  found.kernel = find_capabilities(with.as_kernel);
  if (found.kernel.ring_errno != 0) {
    const auto why = refusal_diagnostic(uring::diagnose_ring_failure(found.kernel.ring_errno));
    print_error(scenarios::render(why, {wants_color(stream::error, with.color)}));
    return number(exit_code::environment);
  }
  found.registrations = uring::try_registrations();
  if (!with.as_kernel.empty()) {
    uring::mask_registrations(found.registrations, with.as_kernel);
  }
  found.rings = uring::find_ring_limits();
  print(with.json ? as_json(found) : as_text(found));
  return number(exit_code::passed);
}

}  // namespace runner
