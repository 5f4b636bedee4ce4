#include "runner/explanations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "engine/op_table.hpp"
#include "scenarios/builtin.hpp"
#include "scenarios/codes.hpp"
#include "scenarios/faults/fault_table.hpp"
#include "scenarios/key_table.hpp"
#include "scenarios/make_table.hpp"
#include "scenarios/matcher.hpp"
#include "scenarios/outcome.hpp"
#include "scenarios/plan.hpp"
#include "scenarios/register_table.hpp"
#include "scenarios/step_table.hpp"
#include "scenarios/visible.hpp"

using namespace runner;

namespace {

bool any_begins(const std::vector<std::string>& texts, const std::string& with) {
  return std::ranges::any_of(texts,
                             [&](const std::string& each) { return each.starts_with(with); });
}

}  // namespace

TEST_CASE("explain: every word of the index means something, in lines that fit") {
  const auto words = explainable_words();
  CHECK(words.size() > 200);
  for (const std::string& word : words) {
    INFO(word);
    const auto meanings = explain(word);
    CHECK_FALSE(meanings.empty());
    for (const std::string& text : meanings) {
      CHECK(text.ends_with('\n'));
      CHECK(text.find(" \n") == std::string::npos);
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        const std::string line = text.substr(at, end - at);
        // An example is shown as it is to be written.
        if (!line.starts_with("  example")) CHECK(scenarios::display_width(line) <= 100);
        at = end + 1;
      }
    }
  }
}

TEST_CASE("explain: a family of faults lists its members") {
  for (const scenarios::fault_row& row : scenarios::fault_table()) {
    const std::string family(row.name.substr(0, row.name.find('.')));
    for (const std::string& word : {family, family + ".*"}) {
      const auto texts = explain(word);
      INFO(row.name);
      CHECK(std::ranges::any_of(texts, [&](const std::string& each) {
        return each.starts_with(family + ": family of faults\n") &&
               each.find(fmt::format("\n  {} ", row.name)) != each.npos;
      }));
    }
  }
}

TEST_CASE("explain: every step and every opcode is there") {
  for (const scenarios::step_row& row : scenarios::step_table()) {
    CHECK(any_begins(explain(row.name), std::string(row.name) + ": "));
  }
  for (const uring::op_row& row : uring::op_table()) {
    INFO(row.name);
    CHECK_FALSE(explain(row.name).empty());
  }
}

TEST_CASE("explain: no row of any table is silent about what it is") {
  for (const scenarios::step_row& row : scenarios::step_table()) {
    INFO(row.name);
    CHECK_FALSE(row.doc.empty());
    CHECK_FALSE(row.example.empty());
    CHECK(any_begins(explain(row.name), std::string(row.name) + ": "));
    for (const scenarios::key_row& key : row.arguments) {
      INFO(key.name);
      CHECK_FALSE(key.doc.empty());
    }
  }
  for (const scenarios::modifier_row& row : scenarios::modifier_table()) {
    INFO(row.key.name);
    CHECK_FALSE(row.key.doc.empty());
    CHECK_FALSE(row.example.empty());
    CHECK(any_begins(explain(row.key.name), std::string(row.key.name) + ": modifier"));
  }
  for (const scenarios::key_table* table : scenarios::all_key_tables()) {
    INFO(table->title);
    CHECK_FALSE(table->subject.empty());
    CHECK(any_begins(explain(table->title), std::string(table->title) + ": object"));
    for (const scenarios::key_row& key : table->rows) {
      INFO(key.name);
      CHECK_FALSE(key.doc.empty());
      CHECK(any_begins(explain(key.name), std::string(key.name) + ": key of"));
    }
  }
  for (const scenarios::matcher_info& row : scenarios::matcher_table()) {
    INFO(row.name);
    CHECK_FALSE(row.doc.empty());
    CHECK_FALSE(row.operand.empty());
    CHECK(row.domains != 0);
    CHECK(any_begins(explain(row.name), std::string(row.name) + ": matcher"));
  }
  for (const scenarios::function_info& row : scenarios::function_table()) {
    INFO(row.name);
    CHECK_FALSE(row.doc.empty());
    CHECK_FALSE(row.signature.empty());
    CHECK(any_begins(explain(row.name), std::string(row.name) + ": function"));
  }
  for (const scenarios::code_info& row : scenarios::all_codes()) {
    INFO(row.name);
    CHECK_FALSE(row.title.empty());
    CHECK_FALSE(row.explanation.empty());
    CHECK_FALSE(row.remedy.empty());
    CHECK(any_begins(explain(row.name), std::string(row.name) + ": "));
  }
  for (const scenarios::make_row& row : scenarios::make_table()) CHECK_FALSE(row.doc.empty());
  for (const scenarios::register_row& row : scenarios::register_table())
    CHECK_FALSE(row.doc.empty());
  for (unsigned i = 0; i < static_cast<unsigned>(uring::cqe_fault::count_); ++i) {
    const std::string name(fault_name(static_cast<uring::cqe_fault>(i)));
    INFO(name);
    CHECK(any_begins(explain("cqe." + name), "cqe." + name + ": fault"));
  }
}

TEST_CASE("explain: a word with several meanings has all of them") {
  const auto meanings = explain("timeout");
  CHECK(any_begins(meanings, "timeout: modifier"));
  CHECK(any_begins(meanings, "sqe.timeout: low-level op"));
  CHECK(any_begins(meanings, "timeout: key of a scenario"));
}

TEST_CASE(
    "explain: how things end, names of expressions, arguments and types of fields are words") {
  CHECK(any_begins(explain("ok_after_timeout"), "ok_after_timeout: outcome of a step"));
  for (const char* word : {"flaky", "not_run", "xpassed"})
    CHECK(any_begins(explain(word), std::string(word) + ": verdict on a scenario"));
  CHECK(any_begins(explain("not_judged"), "not_judged: status of a step"));
  CHECK(any_begins(explain("tmp"), "tmp: name in expressions"));
  CHECK(any_begins(explain("varint"), "varint: part of a field under `messages`"));
  CHECK(any_begins(explain("msg_flags"), "msg_flags: argument of steps"));
  // None of them is forgotten when one is added.
  for (int i = 0; i <= static_cast<int>(scenarios::step_outcome::eof); ++i) {
    const std::string name(step_outcome_name(static_cast<scenarios::step_outcome>(i)));
    CHECK(any_begins(explain(name), name + ": outcome of a step"));
  }
  for (int i = 0; i <= static_cast<int>(scenarios::verdict::not_run); ++i) {
    const std::string name(verdict_name(static_cast<scenarios::verdict>(i)));
    CHECK(any_begins(explain(name), name + ": verdict on a scenario"));
  }
}

TEST_CASE("explain: the code of an unknown function names them all") {
  const std::string text = explain("E0304").front();
  for (const scenarios::function_info& each : scenarios::function_table())
    CHECK(text.find(each.name) != std::string::npos);
}

TEST_CASE("explain: a link timeout never comes to 0") {
  const auto meanings = explain("link_timeout");
  const auto mentions = [&](const char* words) {
    return std::ranges::any_of(
        meanings, [&](const std::string& each) { return each.find(words) != std::string::npos; });
  };
  CHECK(mentions("result            ETIME, or 1"));
  CHECK_FALSE(mentions("result            0"));
}

TEST_CASE("explain: what nobody knows has no meaning") {
  CHECK(explain("prefxi").empty());
  CHECK(explain("").empty());
}
