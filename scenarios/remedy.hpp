// What to do about a diagnostic, for whoever shows one.
#pragma once

#include <string_view>

#include "scenarios/diagnostic.hpp"

namespace scenarios {

/// Its own help, or what can be done about any error of its kind: a mistake in a scenario is never
/// told without a remedy. Of what a run found, the report has more to say.
std::string_view help_of(const diagnostic& entry);

}  // namespace scenarios
