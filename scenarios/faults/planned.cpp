#include "scenarios/faults/planned.hpp"

#include <algorithm>

namespace scenarios {
namespace {

const node* list_in(const node* holder) {
  if (holder == nullptr || !holder->is(node_kind::object)) return nullptr;
  const node* faults = holder->find("faults");
  return faults != nullptr && faults->is(node_kind::array) ? faults : nullptr;
}

const node* inside(const node* holder, std::string_view key) {
  return holder != nullptr && holder->is(node_kind::object) ? holder->find(key) : nullptr;
}

const node* scenarios_in(const document& from) {
  const node* all = inside(&from.root, "scenarios");
  return all != nullptr && all->is(node_kind::array) ? all : nullptr;
}

bool is_called(const node& scenario, std::string_view id) {
  const node* own = inside(&scenario, "id");
  return own != nullptr && own->is(node_kind::string) && own->text() == id;
}

const node* scenario_in(const node& all, std::string_view id) {
  const auto own = std::ranges::find_if(
      all.items(), [&](const node& scenario) { return is_called(scenario, id); });
  return own == all.items().end() ? nullptr : &*own;
}

}  // namespace

std::shared_ptr<const document> read_planned_faults(const std::shared_ptr<const source>& from,
                                                    diagnostics& out) {
  std::optional<document> parsed = parse_document(from, out);
  if (!parsed) return nullptr;
  return std::make_shared<const document>(*std::move(parsed));
}

const node* planned_faults(const document* from, std::string_view id) {
  if (from == nullptr) return nullptr;
  if (const node* all = scenarios_in(*from))
    return list_in(inside(inside(scenario_in(*all, id), "volatile"), "plan"));
  const node* plans = inside(&from->root, "plans");
  return list_in(plans != nullptr ? inside(plans, id) : &from->root);
}

std::optional<std::uint64_t> planned_seed(const document* from, std::string_view id) {
  if (from == nullptr) return std::nullopt;
  const node* all = scenarios_in(*from);
  const node* plans = inside(&from->root, "plans");
  const node* seed = inside(all != nullptr     ? scenario_in(*all, id)
                            : plans != nullptr ? inside(plans, id)
                                               : &from->root,
                            "seed");
  if (seed == nullptr || !seed->is(node_kind::integer)) return std::nullopt;
  return static_cast<std::uint64_t>(seed->integer());
}

std::string useless_plan(const document& from, const std::vector<std::string_view>& ids) {
  const bool is_report = scenarios_in(from) != nullptr;
  const bool is_plan = inside(&from.root, "plans") != nullptr;
  if (!is_report && !is_plan && inside(&from.root, "faults") == nullptr)
    return "the plan has neither \"plans\" nor \"faults\": --save-plan writes one";
  if (std::ranges::any_of(
          ids, [&](std::string_view id) { return planned_faults(&from, id) != nullptr; }))
    return {};
  return is_report ? "the report has no plan of the scenarios that are run here"
                   : "the plan is of other scenarios: it names none of those that are run here";
}

}  // namespace scenarios
