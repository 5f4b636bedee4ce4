// Plans of faults as documents: what --replay runs in place of the scenarios' own rules.
//
// Three forms are read: { "faults": […] } for every case; { "plans": { "ID": { "faults": […] } } },
// what --save-plan writes, with the "seed" of the run beside each list; and a report, whose
// scenarios have under `volatile.plan` what their faults hit. A document is parsed once and then
// read by any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/diagnostic.hpp"
#include "scenarios/document.hpp"

namespace scenarios {

/// Null, and told, when there is no tree in it.
std::shared_ptr<const document> read_planned_faults(const std::shared_ptr<const source>& from,
                                                    diagnostics& out);
/// The list of the rules of this case; null when it keeps its own.
const node* planned_faults(const document* from, std::string_view id);
/// The seed of the run that it is of; nothing when it does not say.
std::optional<std::uint64_t> planned_seed(const document* from, std::string_view id);
/// Why such a document says nothing about these cases, in words; empty: it does.
std::string useless_plan(const document& from, const std::vector<std::string_view>& ids);

}  // namespace scenarios
