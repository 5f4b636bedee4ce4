// What a running proxy answers to `list` and `counters`, for people. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace runner {

/// A block for each proxy, then one for each fault, in the order of the file. Visible text; members
/// that the answer lacks are left out.
std::string proxy_listing(const nlohmann::ordered_json& answer);

}  // namespace runner
