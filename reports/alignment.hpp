// Which steps of two runs are the same step: the alignment that `diff` compares along.
//
// Steps of a scenario that has not changed stand at the same places. When one was added or removed,
// those with the same signature (op, id, note) are the anchors, as lines are in a diff of text, and
// between two anchors steps of the same op belong together. Pure; linear in time when little
// changed, and bounded (anchors are given up) when much did.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace reports {

struct alignable {
  std::string op;
  std::string signature;
};

/// Pairs of indices, ascending in both; what is in no pair was removed or added.
std::vector<std::pair<std::size_t, std::size_t>> align(const std::vector<alignable>& before,
                                                       const std::vector<alignable>& after);

}  // namespace reports
