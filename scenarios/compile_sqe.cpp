// The low-level ops: exactly one submission, filled field by field as the op table says.

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "engine/op_table.hpp"
#include "scenarios/compile_strand.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

using uring::field_kind;

constexpr std::int64_t buffer_bytes_max = std::int64_t{64} << 20;

bool is_pointer(field_kind kind) {
  switch (kind) {
    case field_kind::data_out:
    case field_kind::buffer_in:
    case field_kind::path:
    case field_kind::text:
    case field_kind::address_in:
    case field_kind::address_out:
    case field_kind::timespec_in:
      return true;
    default:
      return false;
  }
}

class field_compiler {
 public:
  field_compiler(strand_context& in, const uring::field_row& row, const node& from)
      : in_(in), out_(in.out()), row_(row), from_(from), what_(fmt::format("`{}`", row.name)) {
    made_.row = &row;
    made_.at = from.at();
  }

  sqe_field compile() {
    if (is_pointer(row_.kind) && from_.find("address") != nullptr) {
      compile_bad_address();
    } else {
      compile_by_kind();
    }
    return std::move(made_);
  }

 private:
  void compile_by_kind() {
    switch (row_.kind) {
      case field_kind::data_out:
        made_.data = in_.scope().read_data(from_);
        return;
      case field_kind::buffer_in:
        return keep(in_.scope().read_count(from_, {0, buffer_bytes_max}, what_));
      case field_kind::path:
      case field_kind::text:
        return keep(in_.scope().read(from_, value_type::data, what_));
      case field_kind::address_in:
        return keep(in_.scope().read_address(from_, address_use::listen, what_));
      case field_kind::timespec_in:
        return keep(in_.scope().read_duration(from_, what_));
      case field_kind::flags:
      case field_kind::choice:
        return compile_flags();
      case field_kind::mode:
        return compile_mode();
      case field_kind::opcode:
        return compile_opcode();
      case field_kind::user_data:
        return compile_target();
      case field_kind::address_out:
        if (!from_.boolean())
          out_.error(code::value_out_of_range, from_.at(), fmt::format("{} takes true", what_));
        return set(1);
      default:
        return compile_number();
    }
  }

  void set(std::uint64_t constant) {
    made_.constant = constant;
    made_.is_constant = true;
  }

  /// A constant integer is there both ways.
  void keep(expression given) {
    if (given.is_constant() && given.constant().is(value_type::integer))
      set(static_cast<std::uint64_t>(given.constant().integer()));
    made_.number = std::move(given);
  }

  /// { "address": N } stands for any pointer, to pass a bad one; `len` for what it points to.
  void compile_bad_address() {
    static constexpr key_row rows[] = {
        {"address", json::number, key_state::required, "the pointer to pass"},
        {"len", json::number, key_state::optional, "the length to pass (default 1)"}};
    const key_table table{"bad address", what_, rows};
    const checked_object keys(from_, table, out_);
    made_.bad_address = true;
    if (const node* address = keys.find("address")) {
      const auto number = in_.scope().read_integer(*address, {INT64_MIN, INT64_MAX}, "an address");
      set(static_cast<std::uint64_t>(number.value_or(0)));
    }
    made_.number = expression(value(std::int64_t{1}));
    if (const node* length = keys.find("len"))
      made_.number = in_.scope().read_count(*length, {0, UINT32_MAX}, "a length");
  }

  void compile_flags() {
    if (const auto bits = in_.scope().read_flags(from_, *row_.flags, what_)) {
      if (check_width(static_cast<std::int64_t>(*bits))) set(*bits);
    }
  }

  void compile_mode() {
    const auto given =
        in_.scope().read_constant(from_, value_type::integer | value_type::text, what_);
    if (!given) return;
    if (given->is(value_type::integer)) {
      if (check_width(given->integer())) set(static_cast<std::uint64_t>(given->integer()));
      return;
    }
    std::uint64_t bits = 0;
    bool octal = !given->data().empty() && given->data().size() <= 6;
    for (const char digit : given->data()) {
      octal = octal && digit >= '0' && digit <= '7';
      bits = bits * 8 + static_cast<std::uint64_t>(digit - '0');
    }
    if (octal) return set(bits);
    out_.error(code::wrong_type, from_.at(), fmt::format("{} is octal: \"0644\"", what_));
  }

  void compile_opcode() {
    const auto given =
        in_.scope().read_constant(from_, value_type::integer | value_type::text, what_);
    if (!given) return;
    if (given->is(value_type::integer)) {
      if (check_width(given->integer())) set(static_cast<std::uint64_t>(given->integer()));
    } else if (const uring::op_row* op = uring::find_op(given->data())) {
      set(op->opcode);
    } else {
      out_.error(code::unknown_op, from_.at(),
                 fmt::format("there is no opcode {}", in_quotes(given->data())))
          .help = did_you_mean(given->data(), opcode_names());
    }
  }

  /// The id of an async step of this actor, or { "user_data": N }.
  void compile_target() {
    if (from_.is(node_kind::string)) {
      if (const async_step* target = in_.find_async(from_, "target"))
        made_.async_target = target->index;
      return;
    }
    static constexpr key_row rows[] = {
        {"user_data", json::number, key_state::required, "of the request, as a number"}};
    const key_table table{"target", what_, rows};
    const checked_object keys(from_, table, out_);
    if (const node* number = keys.find("user_data"))
      keep(in_.scope().read(*number, value_type::integer, "a user_data"));
  }

  void compile_number() {
    const bool may_be_size = row_.kind == field_kind::number || row_.kind == field_kind::offset;
    expression given = may_be_size ? in_.scope().read_count(from_, {INT64_MIN, INT64_MAX}, what_)
                                   : in_.scope().read(from_, value_type::integer, what_);
    if (given.is_constant() && given.constant().is(value_type::integer))
      check_width(given.constant().integer());
    keep(std::move(given));
  }

  /// Negative numbers in unsigned fields are two's complement.
  bool check_width(std::int64_t number) {
    const unsigned bits = uring::width(row_.at) * 8;
    if (bits >= 64) return true;
    const integer_range range{-(std::int64_t{1} << (bits - 1)), (std::int64_t{1} << bits) - 1};
    return check_range(number, range, from_.at(), what_, out_);
  }

  strand_context& in_;
  diagnostics& out_;
  const uring::field_row& row_;
  const node& from_;
  std::string what_;
  sqe_field made_;
};

}  // namespace

void compile_sqe(strand_context& in, const step_arguments& given, step_plan& into) {
  sqe_step made;
  // `on` was read before the op, and may have left a number here.
  if (auto* begun = std::get_if<sqe_step>(&into.body)) made = std::move(*begun);
  made.row = given.row().low_level;
  made.on_given = made.on_number.has_value() || into.handle != no_index;
  for (const uring::field_row& field : made.row->fields) {
    const node* from = given.find(field.name);
    if (from == nullptr) continue;
    made.fields.push_back(field_compiler(in, field, *from).compile());
    if (field.kind == field_kind::dirfd && made.on_given) {
      in.out().error(code::conflicting_keys, from->at(),
                     fmt::format("\"on\" and `{}` both name the directory", field.name));
    }
  }
  std::vector<std::uint8_t>& opcodes = in.in().into.opcodes;
  if (const auto at = std::ranges::lower_bound(opcodes, made.row->opcode);
      at == opcodes.end() || *at != made.row->opcode)
    opcodes.insert(at, made.row->opcode);
  if (into.note.empty() && !given.whole().members().empty())
    into.note = compact_text(given.whole(), 60);
  into.body = std::move(made);
}

}  // namespace scenarios
