// `explain`: what a word of the language means.
#include <fmt/format.h>

#include "runner/command_table.hpp"
#include "runner/exit_code.hpp"
#include "runner/explanations.hpp"
#include "runner/output.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace runner {

int explain_command(const settings& with) {
  if (with.operands.empty()) {
    print(explanation_index());
    return number(exit_code::passed);
  }
  const std::string& word = with.operands.front();
  const std::vector<std::string> meanings = explain(word);
  if (meanings.empty()) {
    const std::vector<std::string> known = explainable_words();
    const std::vector<std::string_view> views(known.begin(), known.end());
    const std::string near = scenarios::did_you_mean(word, views);
    complain(fmt::format("nothing is called {}; {}", scenarios::in_quotes(word),
                         near.empty() ? "`uring-scenario explain` lists what is" : near));
    return number(exit_code::usage);
  }
  std::string text;
  for (const std::string& each : meanings) text += (text.empty() ? "" : "\n") + each;
  print(text);
  return number(exit_code::passed);
}

}  // namespace runner
