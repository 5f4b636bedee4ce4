// The steps that arm and end faults.

#include "scenarios/compile_strand.hpp"
#include "scenarios/step_rows.hpp"
#include "scenarios/step_runner.hpp"

namespace scenarios {
namespace {

const std::string* find_id(strand_context& in, const node* id, bool arms, step_plan& into) {
  if (id == nullptr || !id->is(node_kind::string)) return nullptr;
  in.in().fault_uses.push_back({id->text(), id->at(), arms});
  into.note = id->text();
  return &id->text();
}

void compile_fault_on(strand_context& in, const step_arguments& given, step_plan& into) {
  fault_on_step made;
  if (const std::string* id = find_id(in, given.find("fault"), true, into)) made.fault = *id;
  into.body = made;
}

void compile_heal(strand_context& in, const step_arguments& given, step_plan& into) {
  heal_step made;
  const node* which = given.find("fault");
  in.in().heals_all |= which == nullptr || !which->is(node_kind::string);
  if (const std::string* id = find_id(in, given.find("fault"), false, into)) made.fault = *id;
  into.body = made;
}

}  // namespace

namespace rows {
namespace {

constexpr key_row on_keys[] = {{"fault", j::string, required, "the id of a fault"}};
constexpr key_row heal_keys[] = {
    {"fault", j::string | j::boolean, optional, "the id of a fault; true, or absent: all of them"}};

}  // namespace

std::vector<step_row> fault_rows() {
  std::vector<step_row> rows;
  rows.push_back(with(flow("fault_on", always, compile_fault_on), j::string, "fault", on_keys,
                      "Arms a fault: one that waits for it with \"armed\": false, or that was "
                      "healed.",
                      R"({ "fault_on": "lost" })"));
  rows.push_back(with(flow("heal", always, compile_heal), j::string | j::boolean, "fault",
                      heal_keys, "Ends a fault, or all of them: from here on it hits nothing.",
                      R"({ "heal": true })"));
  return rows;
}

}  // namespace rows

uring::task<step_end> step_runner::on(const fault_on_step& body) {
  run_.faults.arm(body.fault);
  co_return step_end{};
}

uring::task<step_end> step_runner::on(const heal_step& body) {
  run_.faults.heal(body.fault);
  co_return step_end{};
}

}  // namespace scenarios
