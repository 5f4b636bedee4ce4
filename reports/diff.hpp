// What differs between two native reports, by scenario and step instead of by lines.
//
// Scenarios are matched by their ids, actors, faults and services by their names, steps by their
// place and op (alignment.hpp). Compared is what is stable, without places in files; with `actual`
// also what came where several results are right. Reports may come from anywhere: nothing is taken
// for granted about their shape, and all renderings are safe to show. Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace reports {

struct diff_options {
  bool actual = false;  ///< needs reports that were loaded with detail::all
};

enum class change_kind : std::uint8_t { added, removed, changed };

struct change {
  change_kind what = change_kind::changed;
  std::string scenario;   ///< its id; empty: of the report itself
  std::string subject;    ///< "recv on c1 (step 1)", "actor c1", "fault f1"; empty: the scenario
  std::string actor;      ///< "c1", where the subject is an actor or a step
  std::string step;       ///< "1", its path in the newer report that has it, where it is a step
  std::string field;      ///< "res", "verdict"; empty when something was added or removed
  nlohmann::json before;  ///< null: was not there
  nlohmann::json after;
};

struct diff_result {
  std::vector<change> changes;  ///< in the order of the old report; what was added comes last
  bool identical() const { return changes.empty(); }
};

diff_result diff_reports(const nlohmann::json& before, const nlohmann::json& after,
                         const diff_options& options = {});

/// For a terminal or a log: a heading a scenario, a line a change. Empty when identical.
std::string diff_text(const diff_result& of);
/// For a comment on a pull request: a table. Empty when identical.
std::string diff_markdown(const diff_result& of);
/// For programs: { "changes": [ { "what", "scenario", "subject", "actor", "step", "field",
/// "before", "after" } ], "identical": false, … }; members that say nothing are left out.
std::string diff_json(const diff_result& of);

}  // namespace reports
