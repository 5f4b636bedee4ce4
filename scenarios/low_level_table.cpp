#include "scenarios/low_level_table.hpp"

#include <algorithm>
#include <deque>

#include "scenarios/compile_strand.hpp"

namespace scenarios {
namespace {

using uring::field_kind;
namespace j = json;

struct offered_op {
  std::string_view name;
  std::string_view example;
};
// The opcodes whose fields the interpreter can all fill.
constexpr offered_op offered[] = {
    {"nop", R"({ "sqe.nop": {} })"},
    {"timeout", R"({ "sqe.timeout": { "ts": "20ms" } })"},
    {"timeout_remove", R"({ "timeout_remove": { "target": "t1" }, "expect": "ENOENT" })"},
    {"async_cancel", R"({ "async_cancel": { "target": "r1" } })"},
    {"link_timeout", R"({ "chain": { "do": [ { "sqe.recv": { "len": 6 } }, )"
                     R"({ "link_timeout": { "ts": "20ms" } } ] } })"},
    {"socket", R"({ "socket": { "domain": "inet", "type": ["stream"] }, "as": "s" })"},
    {"bind", R"({ "bind": { "addr": "tcp://127.0.0.1:0" }, "on": "s" })"},
    {"listen", R"({ "sqe.listen": { "backlog": 1 }, "on": "s" })"},
    {"accept", R"({ "sqe.accept": { "accept_flags": ["cloexec"] }, "on": "s", "as": "a" })"},
    {"connect", R"({ "sqe.connect": { "addr": "${srv.addr}" }, "on": "s" })"},
    {"send", R"({ "sqe.send": { "data": "x", "msg_flags": ["dontwait"] } })"},
    {"recv", R"({ "sqe.recv": { "len": 16, "msg_flags": ["waitall"] }, "expect": 16 })"},
    {"shutdown", R"({ "shutdown": { "how": "wr" } })"},
    {"close", R"({ "sqe.close": {}, "on": "s" })"},
    {"read", R"({ "read": { "len": 64, "offset": 0 }, "on": "f", "as": "text" })"},
    {"write", R"({ "write": { "data": "x", "offset": 0 }, "on": "f" })"},
    {"openat", R"({ "openat": { "path": "${tmp}/f", "open_flags": ["creat"] }, "as": "f" })"},
    {"poll_add", R"({ "poll_add": { "events": ["in"] }, "expect": { "res": { "ge": 1 } } })"},
};

/// What a field takes in a file; 0 where it is not offered.
json_types types_of(const uring::field_row& field) {
  switch (field.kind) {
    case field_kind::number:
    case field_kind::signed_number:
    case field_kind::offset:
    case field_kind::mode:
    case field_kind::choice:
    case field_kind::opcode:
    case field_kind::dirfd:
      return j::number;
    case field_kind::flags:
      return j::number | j::array;
    case field_kind::data_out:
      return j::data;
    case field_kind::buffer_in:
      return j::number | j::object;
    case field_kind::path:
    case field_kind::text:
    case field_kind::address_in:
    case field_kind::timespec_in:
    case field_kind::user_data:
      return j::string | j::object;
    case field_kind::address_out:
      return j::boolean | j::object;
    default:
      return 0;
  }
}

/// The descriptor stands beside the op, as `on`.
bool is_on(const uring::field_row& field) {
  return field.kind == field_kind::descriptor && field.at == uring::sqe_member::fd;
}

struct made_tables {
  std::vector<step_row> rows;
  std::deque<std::string> names;
  std::deque<std::vector<key_row>> arguments;
};

std::span<const key_row> make_arguments(made_tables& tables, const uring::op_row& op) {
  std::vector<key_row>& rows = tables.arguments.emplace_back();
  for (const uring::field_row& field : op.fields) {
    if (is_on(field)) {
      rows.push_back({field.name, j::any, key_state::elsewhere,
                      "the descriptor stands beside the op: \"on\": …"});
      continue;
    }
    const json_types types = types_of(field);
    const key_state state = types == 0       ? key_state::reserved
                            : field.required ? key_state::required
                                             : key_state::optional;
    rows.push_back({field.name, types == 0 ? j::any : types, state, field.doc});
  }
  return rows;
}

step_trait traits_of(const uring::op_row& op) {
  step_trait made = step_trait::none;
  const bool has_descriptor = std::ranges::any_of(op.fields, is_on);
  const bool has_directory = std::ranges::any_of(
      op.fields, [](const uring::field_row& field) { return field.kind == field_kind::dirfd; });
  if (has_descriptor)
    made = made | (op.takes_descriptor ? step_trait::works_on : step_trait::may_work_on);
  if (has_directory) made = made | step_trait::may_work_on;
  if (op.result == uring::result_kind::descriptor) made = made | step_trait::makes;
  const bool receives = std::ranges::any_of(
      op.fields, [](const uring::field_row& field) { return field.kind == field_kind::buffer_in; });
  return receives ? made | step_trait::yields_data : made;
}

modifier modifiers_of(const step_row& row) {
  using enum modifier;
  modifier made = id | note | timeout | cancel_after | async | retry | capture | expect | sqe_flags;
  if (row.is(step_trait::works_on) || row.is(step_trait::may_work_on)) made = made | on;
  if (row.is(step_trait::makes) || row.is(step_trait::yields_data)) made = made | as;
  return made;
}

step_row make_row(made_tables& tables, const uring::op_row& op, const offered_op* offer) {
  step_row row;
  row.name = tables.names.emplace_back("sqe." + std::string(op.name));
  row.layer = step_layer::low_level;
  row.low_level = &op;
  row.doc = op.doc;
  row.opcodes = std::span(&op.opcode, 1);
  if (offer == nullptr) {
    row.traits = step_trait::reserved;
    return row;
  }
  row.traits = traits_of(op);
  row.arguments = make_arguments(tables, op);
  const bool needs_argument = std::ranges::any_of(
      row.arguments, [](const key_row& key) { return key.state == key_state::required; });
  row.short_types = needs_argument ? json_types{0} : j::boolean;
  row.modifiers = modifiers_of(row);
  row.example = offer->example;
  row.compile = compile_sqe;
  return row;
}

}  // namespace

std::span<const step_row> low_level_rows() {
  static const made_tables made = [] {
    made_tables tables;
    for (const offered_op& offer : offered)
      if (const uring::op_row* op = uring::find_op(offer.name))
        tables.rows.push_back(make_row(tables, *op, &offer));
    for (const uring::op_row& op : uring::op_table()) {
      if (std::ranges::find(offered, op.name, &offered_op::name) == std::end(offered))
        tables.rows.push_back(make_row(tables, op, nullptr));
    }
    return tables;
  }();
  return made.rows;
}

}  // namespace scenarios
