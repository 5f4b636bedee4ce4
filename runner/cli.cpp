#include "runner/cli.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>

#include "runner/exit_code.hpp"
#include "runner/help.hpp"
#include "runner/output.hpp"
#include "runner/signals.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace {

using result = std::variant<invocation, answer, usage_error>;
using scenarios::in_quotes;

// CLI11 cuts the words into flags, values and operands; what they mean is the flag table's.
class word_reader {
 public:
  explicit word_reader(const command_row& of) : of_(of) {
    app_.set_help_flag("-h,--help");
    app_.add_flag("--version", version_);
    app_.allow_extras();
    for (const flag_row& flag : flag_table()) {
      if (flag.belongs_to(of.which)) add(flag);
    }
    app_.add_option("operands", operands_);
  }

  result read(std::vector<std::string> words) {
    std::ranges::reverse(words);
    try {
      app_.parse(std::move(words));
    } catch (const CLI::CallForHelp&) {
      return answer{command_help(of_)};
    } catch (const CLI::ParseError& error) {
      return wrong(error.what());
    }
    if (version_) return answer{"uring-scenario " URING_VERSION "\n"};
    for (const std::string& word : app_.remaining()) {
      if (word.starts_with('-') && word != "--") return wrong(unknown(word));
    }
    return apply();
  }

 private:
  struct given {
    const flag_row* flag;
    CLI::Option* option;
    std::vector<std::string> values;
    int count = 0;
    std::string word;  // of a switch that may have a value
  };

  void add(const flag_row& flag) {
    given& slot = given_.emplace_back(given{&flag, nullptr, {}, 0, {}});
    std::string names = fmt::format("--{}", flag.name);
    if (flag.letter != 0) names = fmt::format("-{},{}", flag.letter, names);
    if (flag.value.starts_with("[=")) {
      slot.option = app_.add_flag(names, slot.word);
    } else if (flag.value.empty()) {
      slot.option = app_.add_flag(names, slot.count);
    } else {
      // Each takes one value, may come again, and the last one counts unless they add up.
      slot.option = app_.add_option(names, slot.values)->allow_extra_args(false)->take_all();
    }
  }

  result apply() {
    invocation made{&of_, {}};
    made.with.operands = operands_;
    std::vector<const flag_row*> on_command_line;
    for (const given& each : given_) {
      if (each.option->count() == 0) continue;
      on_command_line.push_back(each.flag);
      const bool is_switch = each.flag->value.empty();
      const auto values =
          !each.word.empty() ? std::vector<std::string>{each.word}
          : is_switch
              ? std::vector<std::string>(static_cast<std::size_t>(std::max(each.count, 0)), "true")
              : each.values;
      for (const std::string& value : values) {
        const std::string problem = each.flag->apply(made.with, value);
        if (!problem.empty()) return wrong(fmt::format("{}: {}", flag_text(*each.flag), problem));
      }
    }
    const std::string problem = apply_environment(made.with, of_.which, on_command_line);
    if (!problem.empty()) return wrong(problem);
    if (operands_.size() < of_.operands_min) {
      return wrong(fmt::format("{} is missing", missing_operand()));
    }
    if (operands_.size() > of_.operands_max) {
      return wrong(fmt::format("{} is one too many", in_quotes(operands_[of_.operands_max])));
    }
    return made;
  }

  /// Of "OLD NEW" those that were not given.
  std::string_view missing_operand() const {
    std::string_view rest = of_.operands;
    for (std::size_t i = 0; i < operands_.size(); ++i) rest.remove_prefix(rest.find(' ') + 1);
    return rest;
  }

  std::string unknown(const std::string& word) const {
    std::vector<std::string> names{"--help", "--version"};
    for (const given& each : given_) names.push_back(flag_text(*each.flag));
    const std::string name = word.substr(0, word.find('='));
    const std::vector<std::string_view> views(names.begin(), names.end());
    std::string text = fmt::format("`{}` has no flag {}", of_.name, in_quotes(name));
    const flag_row* const elsewhere =
        name.starts_with("--") ? find_flag(std::string_view(name).substr(2)) : nullptr;
    if (elsewhere != nullptr) return text + " (other commands have)";
    const std::string near = scenarios::did_you_mean(name, views);
    return near.empty() ? text : text + "; " + near;
  }

  usage_error wrong(const std::string& what) const {
    return {fmt::format("{}\n{}\n`uring-scenario {} --help` tells more", what, usage_line(of_),
                        of_.name)};
  }

  const command_row& of_;
  CLI::App app_;
  bool version_ = false;
  std::vector<std::string> operands_;
  std::deque<given> given_;  // options point into it
};

// Without a command, what can only be a path or a flag belongs to `run`.
bool begins_run(const std::string& word) {
  std::error_code ignored;
  return word.starts_with('-') || word.find('/') != std::string::npos || word.ends_with(']') ||
         word.ends_with(".json") || std::filesystem::exists(word, ignored);
}

usage_error unknown_command(const std::string& word) {
  std::vector<std::string_view> names{"help"};
  for (const command_row& each : command_table()) names.push_back(each.name);
  const std::string near = scenarios::did_you_mean(word, names);
  return {
      fmt::format("there is no command, and no file, {}{}{}\n"
                  "`uring-scenario --help` lists the commands",
                  in_quotes(word), near.empty() ? "" : "; ", near)};
}

result help_on(const std::vector<std::string>& words) {
  if (words.size() < 2) return answer{overview_help()};
  const command_row* const which = find_command(words[1]);
  if (which == nullptr) return unknown_command(words[1]);
  return answer{command_help(*which)};
}

}  // namespace

result read_command_line(const std::vector<std::string>& words) {
  if (words.empty()) return usage_error{"no command given\n" + overview_help()};
  const std::string& first = words.front();
  if (first == "help" || first == "--help" || first == "-h") return help_on(words);
  if (const command_row* const named = find_command(first)) {
    return word_reader(*named).read({words.begin() + 1, words.end()});
  }
  if (!begins_run(first)) return unknown_command(first);
  return word_reader(row_of(command::run)).read(words);
}

int main_program(int count, char** words) {
  ignore_broken_pipes();
  const auto read =
      read_command_line(std::vector<std::string>(words + std::min(count, 1), words + count));
  int code = number(exit_code::passed);
  if (const auto* const text = std::get_if<answer>(&read)) {
    print(text->text);
  } else if (const auto* const error = std::get_if<usage_error>(&read)) {
    complain(error->text);
    code = number(exit_code::usage);
  } else {
    const invocation& command = std::get<invocation>(read);
    code = command.what->run(command.with);
  }
  // Nobody must take for a success what could not be told.
  const bool worse = code < signal_base && code != number(exit_code::usage) &&
                     code != number(exit_code::scenario_wrong);
  if (!finish_output() && worse) code = number(exit_code::environment);
  return code;
}

}  // namespace runner
