#include "runner/flags.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <vector>

#include "reports/format_table.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/units.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace {

using scenarios::in_quotes;

template <class Number>
std::string read_number(const std::string& text, Number lowest, Number highest, Number& into) {
  Number read{};
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, read);
  if (error == std::errc() && stopped == end && read >= lowest && read <= highest) {
    into = read;
    return {};
  }
  return fmt::format("{} is not a number from {} to {}", in_quotes(text), lowest, highest);
}

template <class Value>
struct choice {
  std::string_view word;
  Value meaning;
};

template <class Value>
std::string choose(const std::string& text, std::span<const choice<Value>> from, Value& into) {
  std::vector<std::string_view> words;
  for (const choice<Value>& each : from) {
    words.push_back(each.word);
    if (each.word != text) continue;
    into = each.meaning;
    return {};
  }
  return fmt::format("{} is not known; {}", in_quotes(text), scenarios::suggestion(text, words));
}

constexpr std::array<choice<bool>, 8> booleans{{{"true", true},
                                                {"1", true},
                                                {"yes", true},
                                                {"on", true},
                                                {"false", false},
                                                {"0", false},
                                                {"no", false},
                                                {"off", false}}};
constexpr std::array<choice<color_mode>, 3> colors{{{"auto", color_mode::automatic},
                                                    {"always", color_mode::always},
                                                    {"never", color_mode::never}}};
constexpr std::array<choice<progress_mode>, 4> progresses{{{"auto", progress_mode::automatic},
                                                           {"bar", progress_mode::bar},
                                                           {"lines", progress_mode::lines},
                                                           {"none", progress_mode::none}}};
constexpr std::array<choice<uring::ring_mode>, 5> ring_modes{{
    {"auto", uring::ring_mode::automatic},
    {"defer", uring::ring_mode::defer},
    {"coop", uring::ring_mode::coop},
    {"plain", uring::ring_mode::plain},
    {"sqpoll", uring::ring_mode::sqpoll},
}};

template <bool settings::* Member>
std::string set_switch(settings& into, const std::string& text) {
  return choose<bool>(text, booleans, into.*Member);
}

template <std::string settings::* Member>
std::string set_text(settings& into, const std::string& text) {
  into.*Member = text;
  return {};
}

template <std::vector<std::string> settings::* Member>
std::string add_text(settings& into, const std::string& text) {
  if (text.empty() || text == "!") return "it names nothing";
  (into.*Member).push_back(text);
  return {};
}

template <std::size_t settings::* Member, std::size_t lowest, std::size_t highest>
std::string set_count(settings& into, const std::string& text) {
  return read_number(text, lowest, highest, into.*Member);
}

template <std::optional<std::chrono::nanoseconds> settings::* Member>
std::string set_time(settings& into, const std::string& text) {
  const auto read = scenarios::parse_duration(text);
  if (!read) return read.error;
  if (read.result->count() == 0) return "it must be longer than nothing";
  into.*Member = *read;
  return {};
}

// A number of trials, or a time.
std::string set_budget(settings& into, const std::string& text) {
  if (text.find_first_not_of("0123456789") != std::string::npos || text.empty())
    return set_time<&settings::budget_time>(into, text);
  return read_number<std::size_t>(text, 1, 1'000'000'000, into.budget_trials.emplace());
}

// from_chars for double is there in every standard library that we build with.
std::string set_time_scale(settings& into, const std::string& text) {
  double read = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, read);
  if (error != std::errc() || stopped != end || !(read >= 0.01 && read <= 1000)) {
    return fmt::format("{} is not a factor from 0.01 to 1000", in_quotes(text));
  }
  into.time_scale = read;
  return {};
}

std::string set_seed(settings& into, const std::string& text) {
  into.seed_given = true;
  return read_number<std::uint64_t>(text, 0, std::numeric_limits<std::uint64_t>::max(), into.seed);
}

std::string set_seeds(settings& into, const std::string& text) {
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  constexpr std::uint64_t seeds_max = 100'000;
  const std::size_t dots = text.find("..");
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::string wrong = read_number<std::uint64_t>(text.substr(0, dots), 0, most, first);
  last = first;
  if (wrong.empty() && dots != std::string::npos)
    wrong = read_number<std::uint64_t>(text.substr(dots + 2), first, most, last);
  if (!wrong.empty()) return wrong;
  if (last - first >= seeds_max) return fmt::format("at most {} seeds", seeds_max);
  into.seeds = std::pair(first, last);
  return {};
}

std::string set_bless(settings& into, const std::string& text) {
  if (text == "force") {
    into.bless = bless_mode::force;
    return {};
  }
  bool wanted = false;
  std::string wrong = choose<bool>(text, booleans, wanted);
  into.bless = wanted ? bless_mode::yes : bless_mode::no;
  return wrong.empty() ? wrong
                       : fmt::format("{} is not known; it is `force`, or nothing", in_quotes(text));
}

std::string add_var(settings& into, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return fmt::format("{} is not NAME=VALUE", in_quotes(text));
  }
  into.vars.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  return {};
}

std::string add_report(settings& into, const std::string& text) {
  reports::report_request request = reports::parse_report_option(text);
  if (!request.error.empty()) return request.error;
  into.reports.push_back(std::move(request));
  return {};
}

std::string set_quiet(settings& into, const std::string& text) {
  bool quiet = false;
  std::string wrong = choose<bool>(text, booleans, quiet);
  if (quiet) into.verbosity = -1;
  return wrong;
}

std::string set_verbose(settings& into, const std::string& text) {
  if (text == "2") {
    into.verbosity = 2;
    return {};
  }
  bool more = false;
  std::string wrong = choose<bool>(text, booleans, more);
  if (more) into.verbosity = std::clamp(into.verbosity + 1, 1, 2);
  return wrong;
}

constexpr command_set selecting = command::run | command::list | command::sweep;
constexpr command_set filtering = selecting | command::conformance;
constexpr command_set compiling =
    command::run | command::check | command::list | command::render | command::sweep;
constexpr command_set kernel_bound =
    command::run | command::probe | command::conformance | command::sweep;
constexpr command_set running = only(command::run);
constexpr command_set sweeping = only(command::sweep);
constexpr command_set judging = command::run | command::sweep;
constexpr command_set executing = command::run | command::conformance | command::sweep;
constexpr command_set colored = command::run | command::check | command::list | command::probe |
                                command::render | command::fmt | command::conformance |
                                command::proxy | command::sweep;
constexpr command_set as_json = command::check | command::list | command::probe | command::diff |
                                command::conformance | command::proxyctl;

constexpr flag_row table[] = {
    {"filter", 'k', "TEXT", filtering, false,
     "only scenarios whose id or name contains TEXT; /RE/ is a regular expression",
     &set_text<&settings::filter>},
    {"tag", 0, "EXPR", selecting, false,
     "only scenarios whose tags fit: 'tcp and not (slow or root)'", &set_text<&settings::tags>},
    {"var", 0, "NAME=VALUE", compiling, true,
     "replaces a variable of the scenarios' `vars`; repeatable", &add_var},
    {"jobs", 'j', "N", executing, false,
     "scenarios in flight at once (default 1024, of a sweep 64; within the limit of "
     "descriptors); 1 runs them one by one, in order",
     &set_count<&settings::jobs, 1, 1'000'000>},
    {"rings", 0, "N", executing, false,
     "threads, each with a ring of its own (default: the processors, at most what is of use)",
     &set_count<&settings::rings, 1, 1024>},
    {"ring-entries", 0, "N", judging, false,
     "room in each submission queue (default 1024): a chain needs as much as it has members, an "
     "operation and its timeout 2",
     &set_count<&settings::ring_entries, 2, 32768>},
    {"report", 0, "FMT[=PATH]", judging, true,
     "writes a report, without PATH to standard output; repeatable", &add_report},
    {"seed", 0, "N", judging, false,
     "of random data and faults where a scenario has none of its own (default 1)", &set_seed},
    {"time-scale", 0, "X", executing, false,
     "multiplies upper bounds of times and the deadlines of scenarios, actors and services, for "
     "slow machines (default 1); a step's own `timeout` stays",
     &set_time_scale},
    {"timeout", 0, "TIME", running, false,
     "deadline of the whole run, such as 10m; what has not ended by then is not run",
     &set_time<&settings::timeout>},
    {"fail-fast", 0, "", running, false, "ends the run at the first failure",
     &set_switch<&settings::fail_fast>},
    {"repeat", 0, "N", running, false,
     "runs each scenario N times; the first run that does not pass is its result",
     &set_count<&settings::repeat, 1, 1'000'000>},
    {"retries", 0, "N", running, false,
     "tries a scenario that fails up to N more times; one that passes then is flaky",
     &set_count<&settings::retries, 0, 100>},
    {"check-determinism", 0, "N", running, false,
     "runs each scenario N times and compares the stable reports; names the first difference",
     &set_count<&settings::check_determinism, 2, 10'000>},
    {"ablate", 0, "", running, false,
     "runs each scenario once without each of its faults, which must make a difference",
     &set_switch<&settings::ablate>},
    {"seeds", 0, "A..B", running, false,
     "runs each scenario with each of these seeds, also where it has one of its own", &set_seeds},
    {"save-plan", 0, "PATH", running, false,
     "writes what each fault hit, as rules that are the same in each run",
     &set_text<&settings::save_plan>},
    {"replay", 0, "PATH", running, false,
     "faults of a saved plan, a report, or { \"faults\": [...] }, in place of the scenarios' own",
     &set_text<&settings::replay>},
    {"shrink", 0, "", running, false,
     "takes faults away from what fails for as long as it fails, and prints those that are left",
     &set_switch<&settings::shrink>},
    {"no-skip", 0, "", running, false, "a scenario that is skipped makes the run fail",
     &set_switch<&settings::no_skip>},
    {"fail-flaky", 0, "", running, false, "a scenario that is flaky makes the run end with 6",
     &set_switch<&settings::fail_flaky>},
    {"strict", 0, "", running, false, "steps of severity `should` count as `must`",
     &set_switch<&settings::strict>},
    {"bless", 0, "[=force]", running, false,
     "writes what came into the scenarios and golden files, where a plain value or a file was "
     "expected; with CI set only as --bless=force",
     &set_bless},
    {"as-kernel", 0, "VERSION", kernel_bound, false,
     "hides everything that came after this kernel, such as 6.1", &set_text<&settings::as_kernel>},
    {"ring-mode", 0, "MODE", executing, false,
     "how the kernel runs completions: auto, defer, coop, plain or sqpoll (default auto)",
     [](settings& into, const std::string& text) {
       return choose<uring::ring_mode>(text, ring_modes, into.ring_mode);
     }},
    {"progress", 0, "HOW", judging, false,
     "auto, bar, lines or none (default auto: a bar on a terminal)",
     [](settings& into, const std::string& text) {
       return choose<progress_mode>(text, progresses, into.progress);
     }},
    {"quiet", 'q', "", judging, false, "only failures and the totals", &set_quiet},
    {"verbose", 'v', "", judging, true,
     "a line for each scenario and fault; -vv also one for each step", &set_verbose},
    {"json", 0, "", as_json, false, "the answer as JSON", &set_switch<&settings::json>},
    {"md", 0, "", only(command::diff), false, "the answer as Markdown",
     &set_switch<&settings::markdown>},
    {"actual", 0, "", only(command::diff), false,
     "also compares what came where the expectation admits several results",
     &set_switch<&settings::actual>},
    {"check", 0, "", only(command::fmt), false,
     "changes nothing; lists the files that are not laid out so, and exits with 1 if there are any",
     &set_switch<&settings::only_check>},
    {"force", 0, "", only(command::new_file), false, "overwrites a file that exists",
     &set_switch<&settings::force>},
    {"op", 0, "NAME", sweeping, true,
     "only completions of this opcode, such as recv; !NAME: not of it; repeatable",
     &add_text<&settings::ops>},
    {"actor", 0, "NAME", sweeping, true,
     "only completions of this actor, its copies and handlers; !NAME: not of it; repeatable",
     &add_text<&settings::actors>},
    {"fault", 0, "TYPE", sweeping, true,
     "only this type, such as cqe.errno; !TYPE: all but it; repeatable",
     &add_text<&settings::faults>},
    {"per-step", 0, "N", sweeping, false,
     "so many completions of one opcode in one step at most, the first ones (default 8)",
     &set_count<&settings::per_step, 1, 1'000'000>},
    {"without-faults", 0, "", sweeping, false, "leaves out the scenarios' own faults",
     &set_switch<&settings::without_faults>},
    {"deadline", 0, "TIME", judging, false,
     "a scenario that takes longer has failed, and a trial hangs (default: each one's own timeout)",
     &set_time<&settings::deadline>},
    {"budget", 0, "N|TIME", sweeping, false,
     "so many trials at most, chosen by the seed, or as many as end within the time", &set_budget},
    {"resume", 0, "PATH", sweeping, false,
     "keeps what was done in this file, and goes on from it if it is there",
     &set_text<&settings::resume>},
    {"list", 0, "", sweeping, false,
     "prints the trials; each scenario runs once, to see what it completes",
     &set_switch<&settings::only_list>},
    {"color", 0, "WHEN", colored, false, "auto, always or never (default auto; see NO_COLOR)",
     [](settings& into, const std::string& text) {
       return choose<color_mode>(text, colors, into.color);
     }},
};

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(at, begin), text.size());
    if (end > begin) parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace

std::span<const flag_row> flag_table() {
  return table;
}

const flag_row* find_flag(std::string_view name) {
  const auto* const found = std::ranges::find(table, name, &flag_row::name);
  return found == std::end(table) ? nullptr : found;
}

std::string environment_name(const flag_row& flag) {
  std::string made = "URING_SCENARIO_";
  for (const char c : flag.name) {
    const bool lower = c >= 'a' && c <= 'z';
    made += c == '-' ? '_' : lower ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return made;
}

std::string flag_text(const flag_row& flag, bool whole) {
  if (!whole) return fmt::format("--{}", flag.name);
  const std::string letter = flag.letter != 0 ? fmt::format("-{}, ", flag.letter) : "    ";
  const bool apart = !flag.value.empty() && !flag.value.starts_with('[');
  return fmt::format("{}--{}{}{}", letter, flag.name, apart ? " " : "", flag.value);
}

std::string apply_environment(settings& into, command to, std::span<const flag_row* const> given) {
  for (const flag_row& flag : table) {
    if (!flag.belongs_to(to) || std::ranges::find(given, &flag) != given.end()) continue;
    const std::string name = environment_name(flag);
    const char* const value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') continue;
    const auto values = flag.repeatable && !flag.value.empty() ? split(value, ';')
                                                               : std::vector<std::string>{value};
    for (const std::string& each : values) {
      if (std::string wrong = flag.apply(into, each); !wrong.empty()) {
        return fmt::format("{} (in the environment): {}", name, wrong);
      }
    }
  }
  return {};
}

}  // namespace runner
