// From JSON to layouts: the fields of each message, then the expressions between them.

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "scenarios/diagnostic.hpp"
#include "scenarios/message_layout.hpp"
#include "scenarios/message_names.hpp"
#include "scenarios/names.hpp"
#include "scenarios/node.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/units.hpp"
#include "scenarios/value_path.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

using kind = message_kind;

struct kind_row {
  std::string_view key;
  message_element is;
  std::string_view doc;
};
constexpr kind_row kinds[] = {
    {"u8", {kind::integer, 1, true}, "an octet"},
    {"u16be", {kind::integer, 2, true}, "2 octets, the most significant first"},
    {"u16le", {kind::integer, 2, false}, "2 octets, the least significant first"},
    {"u24be", {kind::integer, 3, true}, "3 octets, the most significant first"},
    {"u24le", {kind::integer, 3, false}, "3 octets, the least significant first"},
    {"u32be", {kind::integer, 4, true}, "4 octets, the most significant first"},
    {"u32le", {kind::integer, 4, false}, "4 octets, the least significant first"},
    {"u64be", {kind::integer, 8, true}, "8 octets, the most significant first"},
    {"u64le", {kind::integer, 8, false}, "8 octets, the least significant first"},
    {"varint", {kind::varint}, "LEB128, as in protobuf and MQTT: 1 to 10 octets"},
    {"bits", {kind::bits}, "{name: width, …}, the most significant first; 8, 16 or 32 together"},
    {"bytes", {kind::bytes}, "octets: so many (`len`), up to a delimiter (`until`), or the rest"},
    {"text", {kind::text}, "the same, which must be UTF-8"},
    {"list",
     {kind::list},
     "items, each as `of` says: so many (`count`), or to the end of its `len`"},
    {"message", {kind::message}, "the message that `of` names"},
};

constexpr message_field_info options[] = {
    {"value", "computed when the message is sent, unless given; checked when it is received"},
    {"len", "octets that the field takes: an integer or an expression over earlier fields"},
    {"count", "items of the list, likewise"},
    {"when", "the field is there only if this holds of earlier fields"},
    {"until", "the delimiter behind the field: data; it is not part of the value"},
    {"of", "what the list's items, or the message, are: a layout's name, u16be, varint …"},
    {"max", "octets, or items of a list, that may be received (1MiB, 65536)"},
};

const kind_row* find_kind(std::string_view key) {
  const auto* found = std::ranges::find(kinds, key, &kind_row::key);
  return found == std::end(kinds) ? nullptr : found;
}

bool is_option(std::string_view key) {
  return std::ranges::find(options, key, &message_field_info::key) != std::end(options);
}

value_type type_of(kind of) {
  switch (of) {
    case kind::bytes:
      return value_type::bytes;
    case kind::text:
      return value_type::text;
    case kind::list:
      return value_type::list;
    case kind::message:
      return value_type::record;
    default:
      return value_type::integer;
  }
}

/// One layout: first its fields, and when all layouts have theirs, the expressions.
class layout_compiler {
 public:
  layout_compiler(message_table& all, message_layout& made, const node& from,
                  name_resolver& constants, diagnostics& out)
      : all_(all), made_(made), from_(from), constants_(constants), out_(out) {}

  void compile_fields();
  void compile_expressions();

 private:
  using accepts = std::uint16_t;
  void compile_field(const node& from);
  const kind_row* find_the_kind(const node& from, const member*& at);
  void compile_bits(const node& parts, message_field& field);
  void compile_options(const node& from, const kind_row& row, message_field& field);
  void compile_max(const node& max, message_field& field);
  void compile_until(const node& until, message_field& field);
  void compile_of(const node& from, const node* of, message_field& field);
  bool applies(std::string_view option, kind to) const;
  bool add_slot(const std::string& name, span at, value_type type, std::uint32_t part);
  std::optional<expression> compile_expression(const node& field, std::string_view key,
                                               value_type wanted, const message_field& of);

  message_table& all_;
  message_layout& made_;
  const node& from_;
  name_resolver& constants_;
  diagnostics& out_;
  std::vector<const node*> written_;  // of each field
};

void layout_compiler::compile_fields() {
  made_.at = from_.at();
  if (!from_.is(node_kind::array)) {
    out_.error(code::wrong_type, from_.at(),
               fmt::format("a message is a list of fields, not {}", from_.kind_name()))
        .help = R"([ { "u8": "type" }, { "u32be": "len" } ])";
    return;
  }
  if (from_.items().empty())
    out_.error(code::empty_value, from_.at(), "a message has at least one field");
  for (const node& field : from_.items()) compile_field(field);
}

const kind_row* layout_compiler::find_the_kind(const node& from, const member*& at) {
  const kind_row* row = nullptr;
  std::vector<std::string_view> words;
  for (const kind_row& each : kinds) words.push_back(each.key);
  for (const member& m : from.members()) {
    if (m.key.starts_with("x-") || is_option(m.key)) continue;
    const kind_row* found = find_kind(m.key);
    if (found == nullptr) {
      for (const message_field_info& each : options) words.push_back(each.key);
      out_.error(code::unknown_key, m.key_at, fmt::format("a field has no {}", in_quotes(m.key)))
          .help = suggestion(m.key, words, words.size());
      return nullptr;
    }
    if (row != nullptr) {
      out_.error(code::conflicting_keys, m.key_at,
                 fmt::format("a field is one thing; this is {} and {}", row->key, found->key));
      return nullptr;
    }
    row = found;
    at = &m;
  }
  if (row == nullptr)
    out_.error(code::missing_key, from.at(), "the field does not say what it is").help =
        fmt::format("one of {}", fmt::join(words, ", "));
  return row;
}

bool layout_compiler::add_slot(const std::string& name, span at, value_type type,
                               std::uint32_t part) {
  if (!check_name(name, at, "a field", out_)) return false;
  if (name == "message" || name == "wire" || is_reserved_name(name)) {
    out_.error(code::bad_name, at, fmt::format("{} cannot name a field", in_quotes(name))).help =
        "the word has a meaning of its own";
    return false;
  }
  if (made_.find_slot(name) != nullptr) {
    out_.error(code::duplicate_name, at,
               fmt::format("{} has a field {} already", made_.name, in_quotes(name)));
    return false;
  }
  const auto field = static_cast<std::uint32_t>(made_.fields.size());
  made_.slots.push_back({name, field, part, type});
  return true;
}

void layout_compiler::compile_field(const node& from) {
  if (!from.is(node_kind::object)) {
    out_.error(code::wrong_type, from.at(),
               fmt::format("a field is an object, not {}", from.kind_name()))
        .help = R"({ "u8": "type" })";
    return;
  }
  const member* at = nullptr;
  const kind_row* row = find_the_kind(from, at);
  if (row == nullptr) return;
  message_field field;
  field.is = row->is;
  field.at = from.at();
  field.slot = static_cast<std::uint32_t>(made_.slots.size());
  if (field.is.kind == kind::list) field.max = message_items_max;
  if (field.is.kind == kind::bits) {
    compile_bits(at->value, field);
  } else if (!at->value.is(node_kind::string)) {
    out_.error(code::wrong_type, at->value.at(),
               fmt::format("`{}` takes the field's name, not {}", row->key, at->value.kind_name()));
    return;
  } else {
    field.name = at->value.text();
    if (!add_slot(field.name, at->value.at(), type_of(field.is.kind), 0)) return;
  }
  compile_options(from, *row, field);
  made_.fields.push_back(std::move(field));
  written_.push_back(&from);
}

void layout_compiler::compile_bits(const node& parts, message_field& field) {
  if (!parts.is(node_kind::object)) {
    out_.error(code::wrong_type, parts.at(),
               fmt::format("`bits` takes names and widths, not {}", parts.kind_name()))
        .help = R"({ "bits": { "fin": 1, "rsv": 3, "op": 4 } })";
    return;
  }
  std::int64_t total = 0;
  for (const member& m : parts.members()) {
    if (m.key.starts_with("x-")) continue;
    const bool good =
        m.value.is(node_kind::integer) && m.value.integer() >= 1 && m.value.integer() <= 32;
    if (!good) {
      out_.error(code::value_out_of_range, m.value.at(), "a part has 1 to 32 bits");
      continue;
    }
    total += m.value.integer();
    const auto part = static_cast<std::uint32_t>(field.parts.size());
    if (!add_slot(m.key, m.key_at, value_type::integer, part)) continue;
    if (!field.name.empty()) field.name += ", ";
    field.name += m.key;
    field.parts.push_back({m.key, static_cast<unsigned>(m.value.integer())});
  }
  if (total != 8 && total != 16 && total != 32) {
    out_.error(code::value_out_of_range, parts.at(),
               fmt::format("these are {} bits; a group has 8, 16 or 32", total));
    total = 32;
  }
  field.is.width = static_cast<unsigned>(total / 8);
}

bool layout_compiler::applies(std::string_view option, kind to) const {
  const bool is_data = to == kind::bytes || to == kind::text;
  if (option == "when") return true;
  if (option == "value") return to == kind::integer || to == kind::varint || is_data;
  if (option == "len") return is_data || to == kind::list || to == kind::message;
  if (option == "count") return to == kind::list;
  if (option == "of") return to == kind::list || to == kind::message;
  if (option == "until") return is_data;
  return is_data || to == kind::list;  // max
}

void layout_compiler::compile_options(const node& from, const kind_row& row, message_field& field) {
  for (const member& m : from.members()) {
    if (!is_option(m.key) || applies(m.key, field.is.kind)) continue;
    out_.error(code::conflicting_keys, m.key_at,
               fmt::format("`{}` has no meaning for a field that is `{}`", m.key, row.key));
  }
  const member* until = from.find_member("until");
  if (until != nullptr && from.find("len") != nullptr)
    out_.error(code::conflicting_keys, until->key_at, "a field ends in one way: `len` or `until`");
  if (until != nullptr) compile_until(until->value, field);
  if (const node* max = from.find("max")) compile_max(*max, field);
  const bool has_of = field.is.kind == kind::list || field.is.kind == kind::message;
  if (has_of) compile_of(from, from.find("of"), field);
}

void layout_compiler::compile_max(const node& max, message_field& field) {
  std::int64_t most = max.is(node_kind::integer) ? max.integer() : -1;
  if (max.is(node_kind::string)) {
    const auto size = parse_size(max.text());
    if (!size) {
      out_.error(code::bad_quantity, max.at(), "`max` is a size").help = size.error;
      return;
    }
    most = static_cast<std::int64_t>(std::min<std::uint64_t>(*size, INT64_MAX));
  }
  const auto highest = static_cast<std::int64_t>(max_value_bytes);
  if (most < 1 || most > highest) {
    out_.error(code::value_out_of_range, max.at(),
               fmt::format("`max` is from 1 to {}", format_size(max_value_bytes)));
    return;
  }
  field.max = static_cast<std::uint64_t>(most);
}

void layout_compiler::compile_until(const node& until, message_field& field) {
  const payload delimiter = compile_payload(until, no_names(), payload_context(), out_);
  if (!delimiter.is_constant()) return;
  field.until = std::string(delimiter.constant());
  if (field.until->empty() && until.is(node_kind::string))
    out_.error(code::empty_value, until.at(), "`until` needs at least one octet").help =
        "a NUL is \"\\u0000\"";
}

void layout_compiler::compile_of(const node& from, const node* of, message_field& field) {
  message_element& item = field.is.kind == kind::list ? field.item : field.is;
  if (of == nullptr || !of->is(node_kind::string)) {
    out_.error(
        of == nullptr ? code::missing_key : code::wrong_type, of == nullptr ? from.at() : of->at(),
        fmt::format(
            "a {} needs \"of\", which names {}", field.is.kind == kind::list ? "list" : "message",
            field.is.kind == kind::list ? "a layout, or a scalar such as u16be" : "a layout"));
    return;
  }
  const kind_row* scalar = find_kind(of->text());
  const bool is_number =
      scalar != nullptr && (scalar->is.kind == kind::integer || scalar->is.kind == kind::varint);
  if (field.is.kind == kind::list && is_number) {
    item = scalar->is;
    return;
  }
  item.kind = kind::message;
  item.layout = all_.find(of->text());
  if (item.layout == nullptr) {
    out_.error(code::unknown_message, of->at(),
               fmt::format("there is no message {}", in_quotes(of->text())))
        .help = suggestion(of->text(), all_.names());
  }
}

std::optional<expression> layout_compiler::compile_expression(const node& field,
                                                              std::string_view key,
                                                              value_type wanted,
                                                              const message_field& of) {
  const node* from = field.find(key);
  if (from == nullptr || !applies(key, of.is.kind)) return std::nullopt;
  const auto here = static_cast<std::uint32_t>(&of - made_.fields.data());
  message_names names(made_, constants_, key == "value" ? whole_message : here);
  expression made = compile_typed(*from, wanted, fmt::format("`{}`", key), names, out_);
  names.tell_problems(*from, out_);
  if (!made.is_valid()) return std::nullopt;
  for (const slot_ref slot : made.reads()) {
    if (slot.space == wire_space) made_.uses_wire = true;
    if (key == "value" && slot.index < made_.slots.size() &&
        made_.slots[slot.index].field == here) {
      out_.error(code::expression_type, from->at(),
                 "the value of a field cannot follow from itself");
      return std::nullopt;
    }
  }
  if (made.is_constant() && made.constant().is(value_type::integer) && key != "value" &&
      made.constant().integer() < 0)
    out_.error(code::value_out_of_range, from->at(), fmt::format("`{}` cannot be negative", key));
  return made;
}

void layout_compiler::compile_expressions() {
  for (std::size_t i = 0; i < made_.fields.size(); ++i) {
    message_field& field = made_.fields[i];
    const node& from = *written_[i];
    const bool is_data = field.is.kind == kind::bytes || field.is.kind == kind::text;
    field.when = compile_expression(from, "when", value_type::boolean, field);
    field.length = compile_expression(from, "len", value_type::integer, field);
    field.count = compile_expression(from, "count", value_type::integer, field);
    field.value =
        compile_expression(from, "value", is_data ? value_type::data : value_type::integer, field);
  }
}

}  // namespace

std::shared_ptr<const message_table> compile_messages(const node& from, name_resolver& constants,
                                                      diagnostics& out) {
  auto made = std::make_shared<message_table>();
  std::vector<message_layout*> layouts;
  std::vector<layout_compiler> compilers;
  for (const member& m : from.members()) {
    if (m.key.starts_with("x-") || !check_name(m.key, m.key_at, "a message", out)) continue;
    if (find_kind(m.key) != nullptr) {
      out.error(code::bad_name, m.key_at,
                fmt::format("{} is a kind of field already", in_quotes(m.key)));
    } else if (made->find(m.key) == nullptr) {
      made->add(m.key);
    }
  }
  for (const member& m : from.members()) {
    message_layout* layout = made->find(m.key);
    if (layout == nullptr || layout->at.in != nullptr) continue;
    const std::size_t errors = out.error_count();
    compilers.emplace_back(*made, *layout, m.value, constants, out).compile_fields();
    layout->broken = out.error_count() != errors;
    layouts.push_back(layout);
  }
  for (std::size_t i = 0; i < layouts.size(); ++i) {
    const std::size_t errors = out.error_count();
    compilers[i].compile_expressions();
    layouts[i]->broken |= out.error_count() != errors;
  }
  check_layouts(layouts, out);
  return made;
}

std::span<const message_field_info> message_field_table() {
  static const std::vector<message_field_info> all = [] {
    std::vector<message_field_info> made;
    for (const kind_row& row : kinds) made.push_back({row.key, row.doc});
    made.insert(made.end(), std::begin(options), std::end(options));
    return made;
  }();
  return all;
}

}  // namespace scenarios
