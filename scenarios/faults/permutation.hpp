// An order in which things come that were held: what `perm` of cqe.reorder and wire.reorder says.
//
// Each of the places 0 to n - 1 once, the one that comes first in front: [2, 0, 1]. Everything that
// is wrong is told where it stands; a plan has nothing but whole permutations in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "scenarios/compile_scope.hpp"
#include "scenarios/node.hpp"

namespace scenarios {

/// Of two places at least and `most` at most. Empty after an error, which was told.
std::vector<std::uint32_t> read_permutation(const node& list, std::size_t most,
                                            compile_scope& scope);

/// Whether the "window" that stands beside a "perm" of so many places says the same; told if not.
bool window_agrees(const node& window, std::uint64_t wanted, std::size_t places, diagnostics& out);

}  // namespace scenarios
