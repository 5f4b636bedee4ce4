// What each opcode is tried with, and that the rules are those that a scenario could have.

#include "scenarios/faults/fault_menu.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>

#include "engine/op_table.hpp"
#include "scenarios/compile.hpp"
#include "scenarios/faults/fault_table.hpp"
#include "scenarios/faults/planned.hpp"

namespace scenarios {
namespace {

completion_site site(std::string op) {
  completion_site made;
  made.actor = "c";
  made.op = std::move(op);
  made.nth = 2;
  return made;
}

std::set<std::string> names(const completion_site& of) {
  std::set<std::string> all;
  for (const menu_entry& each : fault_menu(of)) all.insert(trial_name(of, each));
  return all;
}

}  // namespace

TEST_CASE("fault menu: an opcode is offered all that it can suffer, each once") {
  for (const uring::op_row& row : uring::op_table()) {
    completion_site of = site(std::string(row.name));
    of.bounded = of.cancelled = true;
    const auto menu = fault_menu(of);
    CHECK(names(of).size() == menu.size());
    for (const fault_row& fault : fault_table()) {
      const bool expected = fault.cqe && uring::can_suffer(row, *fault.cqe);
      const bool offered =
          std::ranges::any_of(menu, [&](const menu_entry& each) { return each.row == &fault; });
      INFO(row.name << " " << fault.name);
      CHECK(offered == expected);
    }
  }
}

TEST_CASE("fault menu: what needs a timeout or a cancel is offered where there is one") {
  completion_site of = site("recv");
  CHECK_FALSE(names(of).contains("c sqe.recv#2 cqe.timeout"));
  CHECK_FALSE(names(of).contains("c sqe.recv#2 cqe.cancel_race too_late"));
  of.bounded = true;
  CHECK(names(of).contains("c sqe.recv#2 cqe.timeout"));
  of.cancelled = true;
  CHECK(names(of).contains("c sqe.recv#2 cqe.cancel_race too_late"));
  CHECK(fault_menu(site("no_such_op")).empty());
}

TEST_CASE("fault menu: an errno that has a type of its own is tried once") {
  const auto all = names(site("recv"));
  CHECK(all.contains("c sqe.recv#2 cqe.errno ECONNRESET before"));
  CHECK(all.contains("c sqe.recv#2 cqe.errno ECONNRESET after"));
  CHECK(all.contains("c sqe.recv#2 cqe.cancelled before"));
  CHECK_FALSE(all.contains("c sqe.recv#2 cqe.errno ECANCELED before"));
  CHECK(all.contains("c sqe.recv#2 cqe.nobufs"));
  CHECK_FALSE(all.contains("c sqe.recv#2 cqe.errno ENOBUFS before"));
  // That type says that nothing was received.
  CHECK(all.contains("c sqe.recv#2 cqe.errno ENOBUFS after"));
}

TEST_CASE("fault menu: what a datagram socket moves is not cut") {
  for (const char* op : {"recv", "send"}) {
    completion_site of = site(op);
    const auto has_cut = [&] {
      return std::ranges::any_of(names(of), [](const std::string& name) {
        return name.find("cqe.short_") != std::string::npos;
      });
    };
    CHECK(has_cut());
    of.messages = true;
    CHECK_FALSE(has_cut());
  }
}

TEST_CASE("fault menu: a rule and its text are the same rule") {
  const auto scenario = source::from_text("s.scenario.json", R"({ "actors": {
    "srv": { "server": "tcp://127.0.0.1:0", "do": [ { "recv": { "eof": true } } ] },
    "c": { "client": "${srv.addr}", "do": [ { "send": "x" }, { "recv": { "eof": true } } ] } } })");
  for (const char* op : {"send", "recv", "connect"}) {
    completion_site of = site(op);
    of.bounded = of.cancelled = true;
    for (const menu_entry& each : fault_menu(of)) {
      const std::string text = rule_text(of, each, "sweep");
      INFO(text);
      compile_options how;
      diagnostics told;
      how.faults =
          read_planned_faults(source::from_text("plan", R"({ "faults": [ )" + text + " ] }"), told);
      const auto plans = compile_source(scenario, how, told);
      INFO(render(told));
      REQUIRE(plans.size() == 1);
      REQUIRE(plans.front()->faults.size() == 1);
      const fault_plan& compiled = plans.front()->faults.front();
      const fault_plan made = rule_at(of, each, "sweep");
      CHECK(compiled.type == made.type);
      CHECK(compiled.where.actor == made.where.actor);
      CHECK(compiled.where.op == made.where.op);
      CHECK(compiled.where.submissions);
      CHECK(compiled.when.nth.first == 2);
      CHECK(compiled.when.nth.last == made.when.nth.last);
      const uring::cqe_effect& one = *compiled.completion();
      const uring::cqe_effect& other = *made.completion();
      CHECK(one.type == other.type);
      CHECK(one.before == other.before);
      CHECK(one.error == other.error);
      CHECK(one.by == other.by);
      CHECK(one.race == other.race);
      if (one.type == uring::cqe_fault::short_write || one.type == uring::cqe_fault::short_read) {
        CHECK(one.amount.by == other.amount.by);
        CHECK(one.amount.bytes == other.amount.bytes);
      }
    }
  }
}

}  // namespace scenarios
