// The renderings of a diff.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "reports/diff.hpp"
#include "reports/json.hpp"
#include "reports/terminal.hpp"
#include "scenarios/value.hpp"
#include "scenarios/visible.hpp"

namespace reports {

using nlohmann::json;
using scenarios::visible;

namespace {

constexpr std::size_t value_columns = 60;
constexpr std::size_t columns_before_difference = 20;
constexpr std::size_t markdown_rows_max = 200;

bool is_text(const json& value, const char* key) {
  return value.is_object() && value.size() == 1 && value.contains(key) && value[key].is_string();
}

/// "E0104 result differs", "recv ECANCELED, link_timeout ETIME": a list of nodes in a few words.
std::string node_text(const json& node) {
  std::string out;
  for (const char* key : {"code", "title", "op", "res", "flags"}) {
    if (!node.contains(key)) continue;
    const json& value = node[key];
    if (!out.empty()) out += ' ';
    out += value.is_string() ? value.get<std::string>() : value.dump();
  }
  return out;
}

/// A value as people say it: an errno's name bare, data in quotes or as hex.
std::string value_text(const json& value) {
  if (value.is_null()) return "none";
  if (value.is_string()) return visible(value.get_ref<const std::string&>());
  if (is_text(value, "text")) {
    return fmt::format("\"{}\"", visible(value["text"].get_ref<const std::string&>()));
  }
  if (is_text(value, "hex")) return "hex " + visible(value["hex"].get_ref<const std::string&>());
  if (value.is_array() && !value.empty()) {
    std::string out;
    for (const json& item : value) {
      const std::string text = item.is_object() ? visible(node_text(item)) : value_text(item);
      if (text.empty()) return visible(value.dump(-1, ' ', false, json::error_handler_t::replace));
      out += (out.empty() ? "" : ", ") + text;
    }
    return out;
  }
  return visible(value.dump(-1, ' ', false, json::error_handler_t::replace));
}

/// Both values, cut so that their first difference can be seen.
std::pair<std::string, std::string> value_texts(const change& of) {
  std::string before = value_text(of.before);
  std::string after = value_text(of.after);
  const bool both_long = std::min(before.size(), after.size()) > columns_before_difference;
  const auto split = std::ranges::mismatch(before, after);
  const auto same = static_cast<std::size_t>(split.in1 - before.begin());
  if (both_long && same > columns_before_difference &&
      std::max(before.size(), after.size()) > value_columns) {
    std::size_t from = same - columns_before_difference;
    while (from > 0 && (static_cast<unsigned char>(before[from]) & 0xC0U) == 0x80U) --from;
    before.replace(0, from, "…");
    after.replace(0, from, "…");
  }
  return {fitted(before, value_columns), fitted(after, value_columns)};
}

constexpr std::array<std::string_view, 3> kind_names{"added", "removed", "changed"};
std::string_view name_of(change_kind what) {
  return kind_names[static_cast<std::size_t>(what)];
}

bool is_whole_scenario(const change& of) {
  return of.subject.empty() && of.field.empty();
}
bool is_verdict(const change& of) {
  return of.subject.empty() && of.field == "verdict";
}

/// One line of a scenario that is in both reports.
std::string change_line(const change& of) {
  const auto [before, after] = value_texts(of);
  const std::string subject = visible(of.subject);
  if (of.what == change_kind::added) return fmt::format("  + {}: {}\n", subject, after);
  if (of.what == change_kind::removed) return fmt::format("  - {}: was {}\n", subject, before);
  const std::string_view gap = subject.empty() ? "" : ": ";
  return fmt::format("  {}{}{} {} → {}\n", subject, gap, visible(of.field), before, after);
}

std::string heading(const change& first) {
  const std::string id = first.scenario.empty() ? "report" : visible(first.scenario);
  const auto [before, after] = value_texts(first);
  if (is_whole_scenario(first)) {
    return first.what == change_kind::added ? fmt::format("+ {}: {}\n", id, after)
                                            : fmt::format("- {}: was {}\n", id, before);
  }
  if (is_verdict(first)) return fmt::format("{}: {} → {}\n", id, before, after);
  return id + '\n';
}

/// "3 scenarios differ: 1 changed, 1 added, 1 removed".
std::string summary(const diff_result& of) {
  std::array<std::size_t, 3> counts{};
  std::map<std::string, bool> seen;
  for (const change& each : of.changes) {
    if (!seen.try_emplace(each.scenario, true).second) continue;
    const auto what = is_whole_scenario(each) ? each.what : change_kind::changed;
    ++counts[static_cast<std::size_t>(what)];
  }
  std::string out =
      fmt::format("{} scenario{}: ", seen.size(), seen.size() == 1 ? " differs" : "s differ");
  bool first = true;
  for (const change_kind what : {change_kind::changed, change_kind::added, change_kind::removed}) {
    const std::size_t n = counts[static_cast<std::size_t>(what)];
    if (n == 0) continue;
    out += fmt::format("{}{} {}", std::exchange(first, false) ? "" : ", ", n, name_of(what));
  }
  return out;
}

/// Inert in a table of Markdown: no markup, no HTML, no mention of anybody.
std::string code_cell(std::string_view visible_text) {
  if (visible_text.empty()) return "";
  std::string inside;
  for (const char c : visible_text) {
    if (c == '|') inside += '\\';
    inside += c == '`' ? '\'' : c;
  }
  return fmt::format("`{}`", inside);
}

}  // namespace

std::string diff_text(const diff_result& of) {
  if (of.identical()) return {};
  std::string out;
  const std::string* scenario = nullptr;
  for (const change& each : of.changes) {
    const bool fresh = scenario == nullptr || *scenario != each.scenario;
    scenario = &each.scenario;
    if (fresh) out += heading(each);
    if (fresh && (is_whole_scenario(each) || is_verdict(each))) continue;
    out += change_line(each);
  }
  return disarmed(out + summary(of) + '\n');
}

std::string diff_markdown(const diff_result& of) {
  if (of.identical()) return {};
  std::string out =
      fmt::format("**{}**\n\n| scenario | where | what | before | after |\n|---|---|---|---|---|\n",
                  summary(of));
  const std::size_t rows = std::min(of.changes.size(), markdown_rows_max);
  for (std::size_t i = 0; i < rows; ++i) {
    const change& each = of.changes[i];
    const auto [before, after] = value_texts(each);
    const std::string what = each.field.empty() ? std::string(name_of(each.what)) : each.field;
    out += fmt::format("| {} | {} | {} | {} | {} |\n", code_cell(visible(each.scenario)),
                       code_cell(visible(each.subject)), code_cell(visible(what)),
                       code_cell(before), code_cell(after));
  }
  if (rows < of.changes.size()) {
    out += fmt::format("\nand {} more changes\n", of.changes.size() - rows);
  }
  return disarmed(out);
}

std::string diff_json(const diff_result& of) {
  json list = json::array();
  for (const change& each : of.changes) {
    json entry{{"what", name_of(each.what)}, {"scenario", each.scenario}};
    if (!each.subject.empty()) entry["subject"] = each.subject;
    if (!each.actor.empty()) entry["actor"] = each.actor;
    if (!each.step.empty()) entry["step"] = each.step;
    if (!each.field.empty()) entry["field"] = each.field;
    if (!each.before.is_null()) entry["before"] = each.before;
    if (!each.after.is_null()) entry["after"] = each.after;
    list.push_back(std::move(entry));
  }
  std::string text;
  json_writer to(text);
  to.tree({{"format", report_format_version},
           {"tool", report_tool},
           {"identical", of.identical()},
           {"changes", std::move(list)}});
  return text + '\n';
}

}  // namespace reports
