// The low-level ops that are no submissions: make, socket options, register, recycle.

#include <fmt/format.h>
#include <liburing.h>

#include <algorithm>

#include "engine/flag_sets.hpp"
#include "engine/kernel_compat.hpp"
#include "scenarios/compile_fields.hpp"
#include "scenarios/make_table.hpp"
#include "scenarios/register_table.hpp"
#include "scenarios/sqe_parts.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr std::int64_t option_bytes_max = 65'536;

template <class Row>
std::vector<std::string_view> names_of(std::span<const Row> rows) {
  std::vector<std::string_view> names;
  for (const Row& row : rows) names.push_back(row.name);
  return names;
}

void note(step_plan& into, std::string_view text) {
  if (into.note.empty()) into.note = text;
}

bool has_ring(strand_context& in, const step_plan& into, std::string_view op) {
  if (into.ring != no_index) return true;
  in.out()
      .error(code::needs_own_ring, into.op_at,
             fmt::format("`{}` works on a private ring, and this step has none", op))
      .help =
      "\"rings\": { \"r\": {} } at the top, and \"ring\": \"r\" beside the step or its actor";
  return false;
}

// ---- make --------------------------------------------------------------------------------------

/// Keys of other kinds are known to the step, but not to this kind.
void check_make_keys(strand_context& in, const node& whole, const make_row& row) {
  for (const member& m : whole.members()) {
    if (m.key == "kind" || m.key.starts_with("x-")) continue;
    if (std::ranges::find(row.fields, m.key, &uring::field_row::name) != row.fields.end()) continue;
    if (std::ranges::find(make_keys(), m.key, &key_row::name) == make_keys().end()) continue;
    in.out().error(
        code::unknown_key, m.key_at,
        fmt::format("what is made of the kind {} has no {}", row.name, in_quotes(m.key)));
  }
  for (const uring::field_row& field : row.fields) {
    if (field.required && whole.find(field.name) == nullptr)
      in.out().error(
          code::missing_key, whole.at(),
          fmt::format("what is made of the kind {} needs {}", row.name, in_quotes(field.name)));
  }
}

// ---- Options -----------------------------------------------------------------------------------

void compile_option(strand_context& in, const step_arguments& given, option_step& made,
                    step_plan& into) {
  std::uint64_t level = 0;
  bool level_given = false;
  if (const node* from = given.find("level")) {
    const auto bits = in.scope().read_flags(*from, uring::flags::socket_level, "`level`");
    level = bits.value_or(0);
    level_given = true;
  }
  const node* option = given.find("option");
  if (option == nullptr) return;
  note(into, compact_text(given.whole(), 60));
  const auto name =
      in.scope().read_constant(*option, value_type::integer | value_type::text, "`option`");
  if (!name) return;
  if (name->is(value_type::integer)) {
    made.name = static_cast<int>(name->integer());
    made.level = static_cast<int>(level_given ? static_cast<std::int64_t>(level) : 1);
    return;
  }
  for (const option_row& row : option_table()) {
    if (row.name != name->data()) continue;
    if (level_given && static_cast<std::uint64_t>(row.level_number) != level) continue;
    made.level = row.level_number;
    made.name = row.number;
    return;
  }
  in.out()
      .error(code::unknown_constant, option->at(),
             fmt::format("there is no socket option {}", in_quotes(name->data())))
      .help = suggestion(name->data(), names_of(option_table()), std::size(option_table()));
}

}  // namespace

void compile_make(strand_context& in, const step_arguments& given, step_plan& into) {
  make_step made;
  const node* kind = given.find("kind");
  const auto name = kind != nullptr ? in.scope().read_text(*kind, "the kind") : std::nullopt;
  if (name) {
    made.row = find_make(*name);
    if (made.row == nullptr) {
      in.out()
          .error(code::unknown_constant, kind->at(),
                 fmt::format("nothing of the kind {} can be made", in_quotes(*name)))
          .help = suggestion(*name, names_of(make_table()));
    }
  }
  if (made.row != nullptr) {
    check_make_keys(in, given.whole(), *made.row);
    made.fields = compile_fields(in, made.row->fields, given);
    note(into, made.row->name);
  }
  into.body = std::move(made);
}

void compile_setsockopt(strand_context& in, const step_arguments& given, step_plan& into) {
  option_step made;
  made.sets = true;
  compile_option(in, given, made, into);
  if (const node* from = given.find("value")) {
    const bool number = from->is(node_kind::integer) ||
                        (from->is(node_kind::string) && from->text().starts_with("${"));
    if (number) {
      made.number = in.scope().read(*from, value_type::integer, "`value`");
    } else {
      made.data = in.scope().read_data(*from);
    }
  }
  into.body = std::move(made);
}

void compile_getsockopt(strand_context& in, const step_arguments& given, step_plan& into) {
  option_step made;
  compile_option(in, given, made, into);
  made.length = expression(value(std::int64_t{4}));
  if (const node* length = given.find("len"))
    made.length = in.scope().read_count(*length, {0, option_bytes_max}, "`len`");
  into.body = std::move(made);
}

/// Whether the only value of a call may itself be an object; else that one holds it by its name.
static bool takes_object(const register_row* of) {
  return (types_of(of->fields.front()) & json::object) != 0;
}

void compile_register(strand_context& in, const step_arguments& given, step_plan& into) {
  register_step made;
  has_ring(in, into, "register");
  const member* call = nullptr;
  for (const member& m : given.whole().members()) {
    if (m.key.starts_with("x-") || find_register(m.key) == nullptr) continue;
    if (call != nullptr) {
      in.out().error(code::conflicting_keys, m.key_at, "a `register` step makes one call").help =
          "give each call a step of its own";
      break;
    }
    call = &m;
  }
  if (call != nullptr && given.sound()) {
    made.row = find_register(call->key);
    note(into, call->key);
    const bool notifies = made.row->opcode == IORING_REGISTER_EVENTFD ||
                          made.row->opcode == IORING_REGISTER_EVENTFD_ASYNC;
    if (notifies && into.ring < in.in().into.rings.size())
      in.in().into.rings[into.ring].own_eventfd = true;
    if (made.row->fields.empty()) {
      if (!call->value.boolean())
        in.out().error(code::value_out_of_range, call->value.at(),
                       fmt::format("{} takes true", in_quotes(call->key)));
    } else if (made.row->alone && !(call->value.is(node_kind::object) && !takes_object(made.row))) {
      made.fields.push_back(compile_field(in, made.row->fields.front(), call->value));
    } else {
      const std::vector<key_row> keys = field_keys(made.row->fields);
      const std::string subject = in_quotes(call->key);
      const key_table table{made.row->name, subject, keys};
      const checked_object object(call->value, table, in.out());
      for (const uring::field_row& field : made.row->fields)
        if (const node* from = object.find(field.name))
          made.fields.push_back(compile_field(in, field, *from));
    }
    for (const sqe_field& field : made.fields) {
      if (field.row->name != "cpus") continue;
      for (const sqe_field& cpu : field.parts)
        if (cpu.is_constant)
          check_range(static_cast<std::int64_t>(cpu.constant), {0, processors_max - 1}, cpu.at,
                      "a processor's number", in.out());
    }
    const bool tags =
        std::ranges::any_of(made.fields, [](const sqe_field& f) { return f.row->name == "tags"; });
    if (tags || made.row->opcode == uring::compat::register_send_msg_ring)
      in.in().into.makes_strays = true;
  } else if (call == nullptr && given.whole().is(node_kind::object)) {
    in.out().error(code::missing_key, given.whole().at(), "`register` names no call").help =
        fmt::format("for example {}", given.row().example);
  }
  into.body = std::move(made);
}

void compile_recycle(strand_context& in, const step_arguments& given, step_plan& into) {
  recycle_step made;
  has_ring(in, into, "recycle");
  static constexpr uring::field_row group{
      .name = "group", .kind = uring::field_kind::buffer_group, .at = uring::sqe_member::buf_group};
  if (const node* from = given.find("group")) {
    sqe_field field = compile_field(in, group, *from);
    made.group =
        field.number.value_or(expression(value(static_cast<std::int64_t>(field.constant))));
    note(into, compact_text(*from, 60));
  }
  if (const node* list = given.find("bufs"))
    for (const node& each : list->items())
      made.buffers.push_back(in.scope().read_count(each, {0, 65'535}, "a buffer"));
  into.body = std::move(made);
}

}  // namespace scenarios
