#include <fmt/format.h>

#include "scenarios/compile_strand.hpp"
#include "scenarios/payload.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

/// { "send": { "hex": … } } is data, { "send": { "data": … } } the long form.
bool is_payload(const node& from) {
  for (const member& m : from.members())
    if (is_payload_key(m.key)) return true;
  return false;
}

}  // namespace

step_arguments::step_arguments(const step_row& row, const member& op, diagnostics& out)
    : row_(row),
      op_(op),
      subject_(fmt::format("`{}`", row.name)),
      table_{row.name, subject_, row.arguments} {
  if (row.is(step_trait::takes_everything)) return;
  const node& given = op.value;
  const bool fits = (json_type_of(given.kind()) & row.short_types) != 0;
  if (given.is(node_kind::object) && !(fits && is_payload(given))) {
    keys_.emplace(given, table_, out);
    return;
  }
  is_short_ = fits;
  if (!fits) {
    out.error(code::wrong_type, given.at(),
              fmt::format("{} takes {}, not {}", subject_,
                          json_types_text(row.short_types | json::object), given.kind_name()))
        .help = fmt::format("for example {}", row.example);
  } else if (row.short_for.empty() && given.is(node_kind::boolean) && !given.boolean()) {
    out.error(code::value_out_of_range, given.at(),
              fmt::format("{} takes true; leave the step out instead", subject_));
  }
}

const node* step_arguments::find(std::string_view key) const {
  if (is_short_) return key == row_.short_for ? &op_.value : nullptr;
  return keys_ ? keys_->find(key) : nullptr;
}

}  // namespace scenarios
