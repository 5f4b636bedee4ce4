#include "runner/selection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace runner {

using scenarios::in_quotes;
using scenarios::visible;

namespace {

constexpr std::size_t listed_max = 12;

std::string tag_error_text(const std::string& text, const tag_syntax_error& error) {
  const std::string before = visible(text.substr(0, error.begin));
  const std::string at = visible(
      text.substr(std::min<std::size_t>(error.begin, text.size()), error.end - error.begin));
  const std::size_t width = std::max<std::size_t>(scenarios::display_width(at), 1);
  return fmt::format("--tag: {}\n  {}\n  {}{}", error.message, visible(text),
                     std::string(scenarios::display_width(before), ' '), std::string(width, '^'));
}

std::string cases_text(const std::string& wanted, std::span<const std::string_view> there_are) {
  std::string text = scenarios::did_you_mean(wanted, there_are);
  text += text.empty() ? "it has:" : "\nit has:";
  for (std::size_t i = 0; i < std::min(there_are.size(), listed_max); ++i) {
    text += "\n  " + visible(there_are[i]);
  }
  if (there_are.size() > listed_max)
    text += fmt::format("\n  … {} more", there_are.size() - listed_max);
  return text;
}

// The cases of a file that a path named; the others are freed.
std::string keep_named(loaded_file& file) {
  if (file.from.cases.empty()) return {};
  std::vector<std::string> labels;
  labels.reserve(file.plans.size());
  for (const shared_plan& each : file.plans) labels.push_back(each->case_label);
  for (const std::string& wanted : file.from.cases) {
    if (std::ranges::find(labels, wanted) != labels.end()) continue;
    const std::vector<std::string_view> views(labels.begin(), labels.end());
    const bool without = labels.size() == 1 && labels.front().empty();
    return fmt::format("{} has no case {}; {}", in_quotes(file.from.path), in_quotes(wanted),
                       without ? "it has no matrix" : cases_text(wanted, views));
  }
  std::erase_if(file.plans, [&](const shared_plan& each) {
    return std::ranges::find(file.from.cases, each->case_label) == file.from.cases.end();
  });
  return {};
}

std::string joined(const std::vector<std::string>& words, std::string_view by) {
  return fmt::format("{}", fmt::join(words, by));
}

std::string tags_there_are(const std::vector<shared_plan>& plans) {
  std::map<std::string, std::size_t> counts;
  for (const shared_plan& each : plans) {
    for (const std::string& tag : each->tags) ++counts[visible(tag)];
  }
  if (counts.empty()) return "none of them has a tag";
  std::vector<std::string> words;
  for (const auto& [tag, count] : counts) {
    if (words.size() < listed_max) words.push_back(fmt::format("{} ({})", tag, count));
  }
  const std::size_t more = counts.size() - words.size();
  return "their tags: " + joined(words, ", ") + (more > 0 ? fmt::format(" and {} more", more) : "");
}

std::string ids_there_are(const std::vector<shared_plan>& plans) {
  std::string lines = "there are:";
  for (std::size_t i = 0; i < std::min(plans.size(), listed_max); ++i) {
    lines += "\n  " + visible(plans[i]->id);
  }
  if (plans.size() > listed_max) lines += fmt::format("\n  … {} more", plans.size() - listed_max);
  return lines;
}

std::string searched(std::span<const std::string> paths) {
  if (paths.empty()) return "the current directory";
  std::vector<std::string> words;
  for (std::size_t i = 0; i < std::min(paths.size(), listed_max); ++i) {
    words.push_back(in_quotes(paths[i], 200));
  }
  return joined(words, ", ") + (paths.size() > listed_max ? " …" : "");
}

}  // namespace

std::string read_selection(const settings& from, selection_rule& into) {
  auto names = name_filter::compile(from.filter);
  if (const auto* error = std::get_if<std::string>(&names)) {
    return fmt::format("--filter: {}: {}", in_quotes(from.filter), *error);
  }
  into.names = std::get<name_filter>(std::move(names));
  auto tags = tag_expression::compile(from.tags);
  if (const auto* error = std::get_if<tag_syntax_error>(&tags)) {
    return tag_error_text(from.tags, *error);
  }
  into.tags = std::get<tag_expression>(std::move(tags));
  std::vector<std::string> written;
  if (!from.filter.empty()) written.push_back("--filter " + in_quotes(from.filter));
  if (!from.tags.empty()) written.push_back("--tag " + in_quotes(from.tags));
  into.written = joined(written, " and ");
  return {};
}

selection select(loaded_files& from, const selection_rule& rule,
                 std::span<const std::string> paths) {
  selection made;
  std::vector<shared_plan> all;
  for (loaded_file& file : from.files) {
    made.nothing = keep_named(file);
    if (!made.nothing.empty()) return made;
    std::ranges::move(file.plans, std::back_inserter(all));
  }
  from.files.clear();
  if (all.empty()) {
    made.nothing = fmt::format("nothing to do: no *{} in {}", scenario_suffix, searched(paths));
    return made;
  }
  for (const shared_plan& each : all) {
    if (rule.names.matches(each->id, each->name) && rule.tags.matches(each->tags)) {
      made.plans.push_back(each);
    }
  }
  if (made.plans.empty()) {
    made.nothing = fmt::format("nothing to do: none of {} scenario{} fits {}; {}", all.size(),
                               all.size() == 1 ? "" : "s", rule.written, tags_there_are(all));
    made.nothing += "\n" + ids_there_are(all);
  }
  return made;
}

}  // namespace runner
