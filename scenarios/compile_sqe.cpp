// The low-level ops: exactly one submission, filled field by field as the op table says.

#include <fmt/format.h>

#include <algorithm>

#include "engine/kernel_compat.hpp"
#include "engine/op_table.hpp"
#include "scenarios/compile_fields.hpp"
#include "scenarios/low_level_table.hpp"
#include "scenarios/sqe_parts.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

using uring::field_kind;

/// What belongs to a ring as a whole, or counts all of its requests. On the ring that all scenarios
/// share it would reach into others; empty when the field does not.
std::string_view ring_wide(const sqe_field& field) {
  const bool zero = field.is_constant && field.constant == 0;
  switch (field.row->kind) {
    case field_kind::file_index:
      return zero ? "" : "is a slot of a ring's file table";
    case field_kind::buffer_group:
      return "is a buffer group of a ring";
    case field_kind::index:
    case field_kind::fixed_buffer:
      return "is of a ring's own table";
    default:
      break;
  }
  if (field.is_slot) return "is a slot of a ring's file table";
  constexpr std::uint64_t wide = IORING_ASYNC_CANCEL_ANY | uring::compat::cancel_op;
  if (field.row->flags == &uring::flags::cancel_flags && (field.constant & wide) != 0)
    return "may hit requests of others";
  if (field.row->flags == &uring::flags::msg_ring_command && field.constant != 0)
    return "is about a ring's file table";
  return "";
}

constexpr std::uint8_t ring_wide_ops[] = {IORING_OP_PROVIDE_BUFFERS, IORING_OP_REMOVE_BUFFERS,
                                          IORING_OP_FILES_UPDATE, uring::compat::op_nop128,
                                          uring::compat::op_uring_cmd128};
constexpr std::uint8_t ring_wide_flags =
    IOSQE_FIXED_FILE | IOSQE_IO_DRAIN | IOSQE_BUFFER_SELECT | IOSQE_CQE_SKIP_SUCCESS;

class own_ring_check {
 public:
  own_ring_check(strand_context& in, const sqe_step& step, const step_plan& into)
      : in_(in), step_(step), into_(into) {}

  void run() {
    if (into_.ring != no_index) return;
    const std::uint8_t opcode = step_.row->opcode;
    if (std::ranges::find(ring_wide_ops, opcode) != std::end(ring_wide_ops))
      return tell(into_.op_at, fmt::format("`{}` is about a ring as a whole", into_.op));
    if (step_.on_slot) return tell(into_.op_at, "a slot is of a ring's file table");
    if (step_.user_data) return tell(into_.op_at, "\"user_data\" is the harness's choice");
    if ((into_.sqe_flags & ring_wide_flags) != 0) {
      const auto names = uring::flag_names(uring::flags::sqe_flags,
                                           into_.sqe_flags & std::uint32_t{ring_wide_flags});
      return tell(into_.op_at, fmt::format("{} would reach into others", names.front()));
    }
    for (const sqe_field& field : step_.fields) {
      const std::string_view why = ring_wide(field);
      if (!why.empty()) return tell(field.at, fmt::format("`{}` {}", field.row->name, why));
      const bool counts = step_.row->opcode == IORING_OP_TIMEOUT && field.row->name == "count";
      if (counts && !(field.is_constant && field.constant == 0))
        return tell(field.at, "`count` would count the completions of others");
    }
  }

 private:
  void tell(span at, const std::string& why) {
    in_.out().error(code::needs_own_ring, at, why + ", and here all scenarios share one").help =
        "give the scenario a ring, \"rings\": { \"r\": {} }, and the step or its actor "
        "\"ring\": \"r\"";
  }

  strand_context& in_;
  const sqe_step& step_;
  const step_plan& into_;
};

void note_opcode(strand_context& in, const uring::op_row& row) {
  if (&row == &raw_row()) {
    in.in().into.makes_strays = true;
    return;
  }
  if (row.opcode == IORING_OP_MSG_RING) in.in().into.makes_strays = true;
  std::vector<std::uint8_t>& opcodes = in.in().into.opcodes;
  const auto at = std::ranges::lower_bound(opcodes, row.opcode);
  if (at == opcodes.end() || *at != row.opcode) opcodes.insert(at, row.opcode);
}

}  // namespace

void compile_sqe(strand_context& in, const step_arguments& given, step_plan& into) {
  sqe_step made;
  // The modifiers were read before the op, and may have left something here.
  if (auto* begun = std::get_if<sqe_step>(&into.body)) made = std::move(*begun);
  made.row = given.row().low_level;
  made.on_given = made.on_number || made.on_ring != no_index || into.handle != no_index;
  made.fields = compile_fields(in, made.row->fields, given);
  for (sqe_field& each : compile_fields(in, extra_fields(*made.row), given))
    made.fields.push_back(std::move(each));
  made.multishot = made.row->opcode == uring::compat::op_read_multishot;
  for (const sqe_field& field : made.fields) {
    if (field.row->kind == field_kind::flag_bit) made.multishot |= field.constant != 0;
    if (field.row->kind == field_kind::dirfd && field.row->at == uring::sqe_member::fd &&
        made.on_given) {
      in.out().error(code::conflicting_keys, field.at,
                     fmt::format("\"on\" and `{}` both name the directory", field.row->name));
    }
  }
  own_ring_check(in, made, into).run();
  note_opcode(in, *made.row);
  if (into.note.empty() && !given.whole().members().empty())
    into.note = compact_text(given.whole(), 60);
  into.body = std::move(made);
}

}  // namespace scenarios
