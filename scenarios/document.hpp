// A scenario file as a tree of JSON values, each of which knows where it stands.
//
// nlohmann_json parses; beside it our scanner is stepped along, because the library keeps neither
// positions nor comments. A document owns its tree and its tokens and shares its source. Parsing
// touches nothing but the diagnostics that it adds to; any thread may do it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "scenarios/diagnostic.hpp"
#include "scenarios/node.hpp"
#include "scenarios/scanner.hpp"
#include "scenarios/source.hpp"
#include "scenarios/string_token.hpp"

namespace scenarios {

/// Objects and arrays inside each other. Deeper documents are refused, so recursion over nodes is
/// safe.
inline constexpr std::size_t document_depth_max = 200;
/// Values and containers in one document.
inline constexpr std::size_t document_nodes_max = 1'000'000;

struct document {
  std::shared_ptr<const source> from;
  std::vector<token> tokens;  ///< joined, they are from->text()
  node root;
};

/// Nothing when there is no tree to speak of: at most one syntax error, told in `into`. Duplicate
/// keys and integers that don't fit are told too, but still give a document, so that checks can go
/// on: ask into.has_errors(). `from` must not be null.
std::optional<document> parse_document(const std::shared_ptr<const source>& from,
                                       diagnostics& into);

}  // namespace scenarios
