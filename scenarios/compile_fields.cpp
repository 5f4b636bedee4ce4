#include "scenarios/compile_fields.hpp"

#include <fmt/format.h>
#include <liburing.h>

#include "engine/op_table.hpp"
#include "scenarios/sqe_parts.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

using uring::field_kind;
using uring::field_row;

constexpr std::int64_t buffer_bytes_max = std::int64_t{64} << 20;
constexpr std::size_t elements_max = 1024;
// Above it are the numbers that requests get by themselves.
constexpr std::int64_t user_data_max = UINT32_MAX;

class field_compiler {
 public:
  field_compiler(strand_context& in, const field_row& row, const node& from)
      : in_(in), out_(in.out()), row_(row), from_(from), what_(fmt::format("`{}`", row.name)) {
    made_.row = &row;
    made_.at = from.at();
  }

  sqe_field compile() {
    if (uring::is_pointer(row_.kind) && from_.find("address") != nullptr) {
      compile_bad_address();
    } else {
      compile_by_kind();
    }
    return std::move(made_);
  }

 private:
  void compile_by_kind() {
    if (takes_list()) {
      for (const node& item : from_.items()) made_.parts.push_back(compile_field(in_, row_, item));
      return;
    }
    switch (row_.kind) {
      case field_kind::data_out:
        made_.data = in_.scope().read_data(from_);
        return;
      case field_kind::buffer_in:
      case field_kind::epoll_events_out:
        if (refuse_object("a number, or { \"address\": N }")) return;
        return keep(in_.scope().read_count(from_, {0, buffer_bytes_max}, what_));
      case field_kind::path:
      case field_kind::text:
        return keep(in_.scope().read(from_, value_type::data, what_));
      case field_kind::address_in:
        return keep(in_.scope().read_address(from_, address_use::submit, what_));
      case field_kind::flags:
      case field_kind::choice:
        return compile_flags();
      case field_kind::mode:
        return compile_mode();
      case field_kind::opcode:
        return compile_opcode();
      case field_kind::user_data:
        return row_.name == "target" ? compile_target() : compile_user_data();
      case field_kind::flag_bit:
        return set(from_.boolean() ? 1 : 0);
      case field_kind::siginfo_out:
      case field_kind::address_out:
        if (!refuse_object("true, or { \"address\": N }")) set(from_.boolean() ? 1 : 0);
        return;
      case field_kind::statx_out:
      case field_kind::descriptor_pair:
        refuse_object("{ \"address\": N }");
        return;
      case field_kind::descriptor:
      case field_kind::dirfd:
        return compile_descriptor();
      case field_kind::futex_word:
        return compile_futex();
      case field_kind::file_index:
        return compile_file_index();
      case field_kind::buffer_group:
        return compile_group();
      case field_kind::address:
        return compile_address();
      default:
        return compile_made_of_parts();
    }
  }

  bool refuse_object(std::string_view wanted) {
    if (!from_.is(node_kind::object)) return false;
    out_.error(code::wrong_type, from_.at(), fmt::format("{} takes {}", what_, wanted));
    return true;
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

  // ---- Numbers ---------------------------------------------------------------------------------

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

  void compile_user_data() { keep(in_.scope().read_count(from_, {0, user_data_max}, what_)); }

  /// The id of a step of this actor, its link timeout, or { "user_data": N }.
  void compile_target() {
    if (from_.is(node_kind::string)) return compile_target_id(from_);
    static constexpr key_row rows[] = {
        {"user_data", json::number, key_state::optional, "of the request, as a number"},
        {"timeout_of", json::string, key_state::optional, "id of a step: its link timeout"}};
    const key_table table{"target", what_, rows};
    const checked_object keys(from_, table, out_);
    if (const node* id = keys.find("timeout_of")) {
      made_.timeout_of = true;
      compile_target_id(*id);
    } else if (const node* number = keys.find("user_data")) {
      keep(in_.scope().read_count(*number, {0, user_data_max}, "a user_data"));
    } else if (keys.sound()) {
      out_.error(code::missing_key, from_.at(), "a target is an id, or has `user_data`");
    }
  }

  void compile_target_id(const node& id) {
    if (in_.is_request(id.text()) || in_.find_async(id, "target") != nullptr)
      made_.target = id.text();
  }

  void compile_number() {
    const bool may_be_size = row_.kind == field_kind::number || row_.kind == field_kind::offset ||
                             row_.kind == field_kind::fixed_buffer;
    expression given = may_be_size ? in_.scope().read_count(from_, {INT64_MIN, INT64_MAX}, what_)
                                   : in_.scope().read(from_, value_type::integer, what_);
    if (given.is_constant() && given.constant().is(value_type::integer))
      check_width(given.constant().integer());
    keep(std::move(given));
  }

  /// Negative numbers in unsigned fields are two's complement.
  bool check_width(std::int64_t number) {
    const unsigned bits = uring::width(row_.at) * 8;
    if (bits >= 64 || bits == 0) return true;
    const integer_range range{-(std::int64_t{1} << (bits - 1)), (std::int64_t{1} << bits) - 1};
    return check_range(number, range, from_.at(), what_, out_);
  }

  /// 1-based, 0 for none; "alloc" lets the kernel pick.
  void compile_file_index() {
    if (from_.is(node_kind::string) && from_.text() == "alloc") return set(IORING_FILE_INDEX_ALLOC);
    compile_number();
  }

  /// A number, or the name that `rings` gives a group.
  void compile_group() {
    const bool named = from_.is(node_kind::string) && from_.text().find("${") == std::string::npos;
    if (!named) return compile_number();
    if (const auto id = in_.find_group(from_)) set(*id);
  }

  // ---- Names -----------------------------------------------------------------------------------

  void compile_descriptor() {
    if (from_.is(node_kind::object)) return compile_slot();
    const bool number =
        from_.is(node_kind::integer) || from_.text().find("${") != std::string::npos;
    if (number) return compile_number();
    if (const auto handle = in_.find_descriptor(from_)) made_.handle = *handle;
  }

  void compile_slot() {
    static constexpr key_row rows[] = {
        {"slot", json::number, key_state::optional, "of the ring's file table, from 0"},
        {"ring", json::string, key_state::optional, "the descriptor of a private ring"}};
    const key_table table{"descriptor", what_, rows};
    const checked_object keys(from_, table, out_);
    if (const node* ring = keys.find("ring")) {
      made_.own_ring = in_.find_ring(*ring);
    } else if (const node* slot = keys.find("slot")) {
      made_.is_slot = true;
      keep(in_.scope().read_count(*slot, {0, UINT32_MAX}, "a slot"));
    } else if (keys.sound()) {
      out_.error(code::missing_key, from_.at(), "a descriptor is a name, a number, or a `slot`");
    }
  }

  void compile_futex() {
    if (const auto handle = in_.find_descriptor(from_)) made_.handle = *handle;
  }

  // ---- What is made of several
  // -------------------------------------------------------------------

  /// Bytes to pass, or a number of bytes to make room for.
  void compile_address() {
    if (from_.is(node_kind::integer)) return compile_number();
    made_.data = in_.scope().read_data(from_);
  }

  /// A register call takes lists where a submission takes one.
  bool takes_list() const {
    const bool listed = row_.kind == field_kind::opcode || row_.kind == field_kind::choice ||
                        row_.kind == field_kind::index;
    return listed && row_.at == uring::sqe_member::none && from_.is(node_kind::array);
  }

  void compile_made_of_parts() {
    if (const field_row* element = element_of(row_.kind); element != nullptr) {
      // An element that is an object of parts has the kind of its list.
      if (from_.is(node_kind::array)) return compile_list(*element);
      if (element->kind != row_.kind || row_.name != element->name) {
        out_.error(code::wrong_type, from_.at(), fmt::format("{} takes a list", what_));
        return;
      }
    }
    const auto rows = parts_of(row_.kind);
    if (rows.empty()) return compile_number();
    if (row_.kind == field_kind::timespec_in && from_.is(node_kind::string))
      return keep(in_.scope().read_duration(from_, what_));
    compile_object(rows);
  }

  void compile_list(const field_row& element) {
    if (from_.items().size() > elements_max) {
      out_.error(code::value_out_of_range, from_.at(),
                 fmt::format("{} has at most {} elements", what_, elements_max));
      return;
    }
    for (const node& item : from_.items())
      if (check_type(item, element.kind == row_.kind ? json_types{json::object} : types_of(element),
                     fmt::format("an element of {}", what_), out_))
        made_.parts.push_back(compile_field(in_, element, item));
  }

  void compile_object(std::span<const field_row* const> rows) {
    std::vector<key_row> keys;
    for (const field_row* row : rows)
      keys.push_back({row->name, types_of(*row),
                      row->required ? key_state::required : key_state::optional, row->doc});
    const key_table table{row_.name, what_, keys};
    const checked_object object(from_, table, out_);
    for (const field_row* row : rows)
      if (const node* given = object.find(row->name))
        made_.parts.push_back(compile_field(in_, *row, *given));
  }

  strand_context& in_;
  diagnostics& out_;
  const field_row& row_;
  const node& from_;
  std::string what_;
  sqe_field made_;
};

}  // namespace

sqe_field compile_field(strand_context& in, const field_row& row, const node& from) {
  return field_compiler(in, row, from).compile();
}

std::vector<sqe_field> compile_fields(strand_context& in, std::span<const field_row> rows,
                                      const step_arguments& given) {
  std::vector<sqe_field> made;
  for (const field_row& row : rows)
    if (const node* from = given.find(row.name)) made.push_back(compile_field(in, row, *from));
  return made;
}

std::vector<key_row> field_keys(std::span<const field_row> rows) {
  std::vector<key_row> keys;
  for (const field_row& row : rows) {
    if (is_on(row)) {
      keys.push_back({row.name, json::any, key_state::elsewhere,
                      "the descriptor stands beside the op: \"on\": …"});
    } else {
      keys.push_back({row.name, types_of(row),
                      must_be_given(row) ? key_state::required : key_state::optional, row.doc});
    }
  }
  return keys;
}

}  // namespace scenarios
