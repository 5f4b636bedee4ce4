// What can be known to fail before anything runs, of one step by itself: datagrams that are too
// large, names that nothing can have.
//
// Only what is certain is told. A step that says how it fails (`expect`), that may not run
// (`when`), or that is no `must` is let through. What an expectation can't be is told in
// compile_contradictions.cpp; what follows from the steps before it, in follow/.

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/compile_strand.hpp"
#include "scenarios/make_table.hpp"

namespace scenarios {
namespace {

constexpr std::size_t udp_bytes_max = 65'507, udp6_bytes_max = 65'527;

}  // namespace

/// What is expected of it comes only with an end that is no failure.
static bool is_good(const expectation& wanted) {
  if (!wanted.any_of.empty()) return std::ranges::all_of(wanted.any_of, is_good);
  if (wanted.outcome) return *wanted.outcome == step_outcome::ok;
  if (wanted.res) return wanted.res->range().min >= 0;
  return !wanted.cqes && !wanted.submitted;
}

bool must_end_well(const step_plan& step) {
  return step.severity == step_severity::must && !step.retry &&
         (!step.expect || is_good(*step.expect));
}

void check_datagram_size(strand_context& in, const step_plan& of) {
  const auto* step = std::get_if<send_step>(&of.body);
  if (step == nullptr || !must_end_well(of) || !step->data.is_constant()) return;
  const bool to_udp = step->to && step->to->is_constant() &&
                      step->to->constant().is(value_type::data) &&
                      step->to->constant().data().starts_with("udp://");
  const bool from_udp = in.is_udp_peer() && of.handle == 0;
  const bool to_known = to_udp && !step->to->constant().data().starts_with("udp://[");
  const std::size_t most = to_known ? udp_bytes_max : udp6_bytes_max;
  if ((!to_udp && !from_udp) || step->data.constant().size() <= most) return;
  in.out()
      .error(code::value_out_of_range, of.op_at,
             fmt::format("a datagram of UDP has at most {} bytes, and these are {}", most,
                         step->data.constant().size()))
      .help = "if that is what is tested, say \"expect\": \"EMSGSIZE\"";
}

/// How many descriptors the step can have made when it has ended; none if that has no bound.
static std::optional<std::size_t> descriptors_made(const step_plan& of) {
  if (const auto* make = std::get_if<make_step>(&of.body))
    return make->row != nullptr ? std::optional(make->row->makes) : std::nullopt;
  const auto* sqe = std::get_if<sqe_step>(&of.body);
  if (sqe == nullptr) return 1;
  if (sqe->row == nullptr || sqe->multishot) return std::nullopt;
  return sqe->row->result == uring::result_kind::descriptor ? 1 : 2;
}

/// A name that no descriptor can get would never be published, and who waits for it, for ever.
void check_number_of_names(strand_context& in, const step_plan& of, const node& as) {
  const std::optional<std::size_t> made = descriptors_made(of);
  const std::size_t names = as.is(node_kind::string) ? 1 : as.items().size();
  if (!made || names <= *made) return;
  const node& first = as.is(node_kind::string) ? as : as.items()[*made];
  const auto* make = std::get_if<make_step>(&of.body);
  const std::string what = make != nullptr ? fmt::format("{} {}", of.op, make->row->name) : of.op;
  const char* plural = *made == 1 ? "" : "s";
  in.out()
      .error(code::wrong_type, first.at(),
             *made == 0 ? fmt::format("`{}` makes nothing that can be named", what)
                        : fmt::format("`{}` makes {} descriptor{}, and `as` names {}", what, *made,
                                      plural, names))
      .help =
      *made == 0 ? "leave out `as`" : fmt::format("name {} descriptor{} at most", *made, plural);
}

}  // namespace scenarios
