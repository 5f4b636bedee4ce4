#include "reports/junit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "reports/failure_block.hpp"
#include "reports/timeline.hpp"
#include "scenarios/codes.hpp"
#include "scenarios/visible.hpp"

namespace reports {

using scenarios::diagnostic;
using scenarios::scenario_result;
using scenarios::verdict;

namespace {

/// A value for an attribute: there, a reader would make a blank of a line break.
std::string attribute(std::string_view name, std::string_view value) {
  std::string escaped;
  for (const char c : xml_escaped(value)) {
    if (c == '\n') {
      escaped += "&#10;";
    } else {
      escaped += c;
    }
  }
  return fmt::format(" {}=\"{}\"", name, escaped);
}

std::string seconds(std::int64_t ns) {
  const std::int64_t ms = std::max<std::int64_t>(ns, 0) / 1'000'000;
  return fmt::format("{}.{:03}", ms / 1000, ms % 1000);
}

std::string_view stem_of(std::string_view file) {
  for (const std::string_view ending : {".json", ".jsonc", ".scenario"}) {
    if (file.ends_with(ending)) file.remove_suffix(ending.size());
  }
  return file;
}

/// "cancel.recv": readers take the dots for packages.
std::string class_name(const scenario_result& of) {
  std::string out(stem_of(of.file));
  std::ranges::replace(out, '/', '.');
  out.erase(0, out.find_first_not_of('.'));
  return out;
}

/// The scenario's own name or its file's, and the case: unique within the file.
std::string case_name(const scenario_result& of) {
  std::string out = of.name;
  if (out.empty()) {
    const std::string_view stem = stem_of(of.file);
    out = stem.substr(stem.rfind('/') + 1);
  }
  if (!of.case_label.empty()) out += fmt::format("[{}]", of.case_label);
  return out;
}

const diagnostic* first_failure(const scenario_result& of) {
  const failed_step at = first_failed(of);
  if (at.step != nullptr && !at.step->failures.empty()) return at.step->failures.data();
  return of.failures.empty() ? nullptr : of.failures.data();
}

/// Of the first failure where that is in the scenario's file, else of its beginning.
std::uint32_t line_of(const scenario_result& of) {
  const diagnostic* first = first_failure(of);
  const bool here =
      first != nullptr && first->where.in != nullptr && first->where.in == of.text.get();
  return here ? first->where.in->locate(first->where.begin).line : 1;
}

std::string problem(std::string_view element, const scenario_result& of) {
  const diagnostic* first = first_failure(of);
  const std::string type(first != nullptr ? scenarios::name(first->id) : verdict_name(of.result));
  return fmt::format("      <{0}{1}{2}>{3}</{0}>\n", element,
                     attribute("message", failure_summary(of)), attribute("type", type),
                     xml_escaped(failure_block(of)));
}

std::string earlier(const diagnostic& entry) {
  return fmt::format("      <flakyFailure{}{}>{}</flakyFailure>\n",
                     attribute("message", entry.message),
                     attribute("type", scenarios::name(entry.id)), xml_escaped(render(entry)));
}

/// What a verdict is in JUnit's terms.
enum class kind : std::uint8_t { pass, failure, error, skipped };
kind kind_of(verdict v) {
  constexpr std::array<kind, 9> kinds{kind::pass,  kind::failure, kind::error,
                                      kind::error, kind::skipped, kind::pass,
                                      kind::pass,  kind::failure, kind::error};
  return kinds[static_cast<std::size_t>(v)];
}

/// What stands inside the testcase; empty for what simply passed.
std::string contents(const scenario_result& of) {
  if (of.result == verdict::not_run) {
    return "      <error message=\"not run\" type=\"not_run\"/>\n";
  }
  switch (kind_of(of.result)) {
    case kind::failure:
      return problem("failure", of);
    case kind::error:
      return problem("error", of);
    case kind::skipped:
      return fmt::format("      <skipped{}/>\n", attribute("message", of.skip_reason));
    case kind::pass:
      break;
  }
  std::string out;
  for (const diagnostic& each : of.earlier_failures) out += earlier(each);
  return out;
}

std::string test_case(const scenario_result& of) {
  const std::string head =
      fmt::format("    <testcase{}{}{}{} line=\"{}\"", attribute("classname", class_name(of)),
                  attribute("name", case_name(of)), attribute("time", seconds(of.duration_ns)),
                  attribute("file", of.file), line_of(of));
  const std::string inside = contents(of);
  return inside.empty() ? head + "/>\n" : fmt::format("{}>\n{}    </testcase>\n", head, inside);
}

struct tally {
  std::size_t tests = 0, failures = 0, errors = 0, skipped = 0;
  std::int64_t duration_ns = 0;

  void add(const scenario_result& of) {
    ++tests;
    duration_ns += of.duration_ns;
    failures += kind_of(of.result) == kind::failure ? 1 : 0;
    errors += kind_of(of.result) == kind::error ? 1 : 0;
    skipped += kind_of(of.result) == kind::skipped ? 1 : 0;
  }
  std::string attributes(std::int64_t took_ns) const {
    return fmt::format(R"( tests="{}" failures="{}" errors="{}" skipped="{}" time="{}")", tests,
                       failures, errors, skipped, seconds(took_ns));
  }
};

}  // namespace

std::string xml_escaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '\n') {
      out += '\n';
      ++at;
      continue;
    }
    const scenarios::glyph shown = scenarios::glyph_at(text, at);
    at += shown.bytes;
    if (shown.text == "&") {
      out += "&amp;";
    } else if (shown.text == "<") {
      out += "&lt;";
    } else if (shown.text == ">") {
      out += "&gt;";
    } else if (shown.text == "\"") {
      out += "&quot;";
    } else if (shown.text == "\xEF\xBF\xBE" || shown.text == "\xEF\xBF\xBF") {
      out += shown.text.back() == '\xBE' ? "\\ufffe" : "\\uffff";  // no characters of XML
    } else {
      out += shown.text;
    }
  }
  return out;
}

std::string junit_report(const scenarios::suite_result& of) {
  // By file, in the order in which files first appear.
  std::vector<std::vector<const scenario_result*>> suites;
  std::map<std::string_view, std::size_t> known;
  tally total;
  for (const scenario_result& each : of.scenarios) {
    const auto [entry, fresh] = known.try_emplace(each.file, suites.size());
    if (fresh) suites.emplace_back();
    suites[entry->second].push_back(&each);
    total.add(each);
  }
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"uring-scenario\"{}>\n",
      total.attributes(of.duration_ns));
  for (const auto& suite : suites) {
    tally sum;
    std::string cases;
    for (const scenario_result* each : suite) {
      sum.add(*each);
      cases += test_case(*each);
    }
    out += fmt::format("  <testsuite{}{}", attribute("name", suite.front()->file),
                       sum.attributes(sum.duration_ns));
    if (!of.started.empty()) out += attribute("timestamp", of.started);
    if (!of.host.empty()) out += attribute("hostname", of.host);
    out += fmt::format(">\n{}  </testsuite>\n", cases);
  }
  return out + "</testsuites>\n";
}

}  // namespace reports
