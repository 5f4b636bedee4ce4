// A family of faults by its name: what it breaks, and its members with a line each.
#include <fmt/format.h>

#include <algorithm>

#include "runner/explanations.hpp"
#include "runner/text_layout.hpp"
#include "scenarios/faults/fault_table.hpp"

namespace runner {
namespace {

using scenarios::fault_plane;

struct family {
  fault_plane plane;
  std::string_view breaks;
};
constexpr family families[] = {
    {fault_plane::cqe,
     "Faults of completions: what an actor's operation is told. `where` names the actor, op, step "
     "or "
     "connection, `when` which of its operations."},
    {fault_plane::ring,
     "Faults of the ring itself: what submitting and waiting comes to, for all that is on it."},
    {fault_plane::wire,
     "Faults of the wire: what a proxy does to the bytes, datagrams and connections that go "
     "through "
     "it. `where` names the proxy or the connection, `when` the byte, the match or the time."},
    {fault_plane::process,
     "Faults of services: programs that the scenario runs are killed, stopped, started anew."},
};

/// The first sentence.
std::string_view first_of(std::string_view text) {
  const std::size_t end = text.find(". ");
  return end == std::string_view::npos ? text : text.substr(0, end + 1);
}

}  // namespace

std::vector<std::string> family_words() {
  std::vector<std::string> all;
  for (const family& each : families) all.emplace_back(plane_name(each.plane));
  return all;
}

void explain_family(std::string_view word, std::vector<std::string>& into) {
  if (word.ends_with(".*") || word.ends_with('.')) word = word.substr(0, word.find('.'));
  const auto* const found = std::ranges::find_if(
      families, [&](const family& each) { return plane_name(each.plane) == word; });
  if (found == std::end(families)) return;
  std::string text = fmt::format("{}: family of faults\n", word) + sentence(found->breaks);
  for (const scenarios::fault_row& each : scenarios::fault_table())
    if (each.plane == found->plane) text += table_row(each.name, first_of(each.doc));
  into.push_back(text +
                 table_row("see also", "explain " + std::string(word) +
                                           ".NAME for parameters and an example, explain fault"));
}

}  // namespace runner
