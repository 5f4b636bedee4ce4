// Data that is said as the fields of a message: `{ "message": "pg", "type": "Q", … }`.

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/diagnostic.hpp"
#include "scenarios/node.hpp"
#include "scenarios/payload_tree.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

/// Goes through the fields that are given, and those that should be.
class message_data_compiler {
 public:
  message_data_compiler(name_resolver& names, const payload_context& context, diagnostics& out)
      : names_(names), context_(context), out_(out) {}

  given_value::record compile_record(const node& from, const message_layout& layout, bool named);

 private:
  given_value compile_field(const node& from, const message_field& field, const message_slot& slot);
  given_value compile_number(const node& from, const message_element& as, std::string_view name);
  given_value compile_message(const node& from, const message_layout& inner, std::string_view name);
  given_value compile_list(const node& from, const message_field& field);
  void tell_missing(const node& from, const message_layout& layout);
  void check_range(const expression& number, std::int64_t most, span at, std::string_view name);

  name_resolver& names_;
  const payload_context& context_;
  diagnostics& out_;
};

given_value::record message_data_compiler::compile_record(const node& from,
                                                          const message_layout& layout,
                                                          bool named) {
  given_value::record made;
  bool misspelt = false;
  for (const member& m : from.members()) {
    if (m.key.starts_with("x-") || (named && m.key == "message")) continue;
    const message_slot* slot = layout.find_slot(m.key);
    if (slot == nullptr) {
      out_.error(code::unknown_key, m.key_at,
                 fmt::format("the message {} has no field {}", layout.name, in_quotes(m.key)))
          .help = suggestion(m.key, layout.slot_names());
      misspelt = true;
      continue;
    }
    made.push_back({m.key, compile_field(m.value, layout.fields[slot->field], *slot)});
  }
  // What is missing is most likely what was misspelt.
  if (!misspelt) tell_missing(from, layout);
  return made;
}

void message_data_compiler::tell_missing(const node& from, const message_layout& layout) {
  for (const message_field& field : layout.fields) {
    const bool needed = !field.value && !field.when && field.is.kind != message_kind::bits;
    if (needed && from.find(field.name) == nullptr)
      out_.error(
          code::missing_key, from.at(),
          fmt::format("the message {} needs the field {}", layout.name, in_quotes(field.name)));
  }
}

given_value message_data_compiler::compile_field(const node& from, const message_field& field,
                                                 const message_slot& slot) {
  switch (field.is.kind) {
    case message_kind::bits: {
      given_value made = compile_number(from, {message_kind::varint}, slot.name);
      const auto most = (std::int64_t{1} << field.parts[slot.part].width) - 1;
      check_range(std::get<expression>(made.source), most, from.at(), slot.name);
      return made;
    }
    case message_kind::bytes:
    case message_kind::text:
      return {compile_payload(from, names_, context_, out_), field.is.kind == message_kind::text};
    case message_kind::list:
      return compile_list(from, field);
    case message_kind::message:
      return compile_message(from, *field.is.layout, slot.name);
    default:
      return compile_number(from, field.is, slot.name);
  }
}

void message_data_compiler::check_range(const expression& number, std::int64_t most, span at,
                                        std::string_view name) {
  if (!number.is_valid() || !number.is_constant()) return;
  const value& known = number.constant();
  if (known.is(value_type::integer) && (known.integer() < 0 || known.integer() > most))
    out_.error(code::value_out_of_range, at,
               fmt::format("{} is from 0 to {}", in_quotes(name), most));
}

/// A text of one octet stands for it: protocols have letters where others have numbers.
given_value message_data_compiler::compile_number(const node& from, const message_element& as,
                                                  std::string_view name) {
  const bool is_octet = as.kind == message_kind::integer && as.width == 1;
  if (is_octet && from.is(node_kind::string) && from.text().size() == 1)
    return {expression(value(std::int64_t{static_cast<unsigned char>(from.text()[0])}))};
  expression number = compile_typed(from, value_type::integer, in_quotes(name), names_, out_);
  if (as.kind == message_kind::integer && as.width < 8)
    check_range(number, unsigned_max(as.width), from.at(), name);
  return {std::move(number)};
}

given_value message_data_compiler::compile_message(const node& from, const message_layout& inner,
                                                   std::string_view name) {
  if (from.is(node_kind::object)) return {compile_record(from, inner, false)};
  return {compile_typed(from, value_type::record, in_quotes(name), names_, out_)};
}

given_value message_data_compiler::compile_list(const node& from, const message_field& field) {
  if (!from.is(node_kind::array))
    return {compile_typed(from, value_type::list, in_quotes(field.name), names_, out_)};
  given_value::list items;
  for (const node& item : from.items()) {
    items.push_back(field.item.layout != nullptr
                        ? compile_message(item, *field.item.layout, field.name)
                        : compile_number(item, field.item, field.name));
  }
  return {std::move(items)};
}

template <class... Case>
struct overloaded : Case... {
  using Case::operator()...;
};

}  // namespace

evaluation given_value::eval(const environment& env) const {
  const auto from_data = [&](const payload& data) -> evaluation {
    evaluation made = data.eval(env);
    if (!made || !is_text) return made;
    return value::text(std::move(*std::move(made)).take_data());
  };
  const auto from_record = [&](const record& fields) -> evaluation {
    value::record_type all;
    for (const auto& [name, each] : fields) {
      evaluation made = each.eval(env);
      if (!made) return made;
      all.push_back({name, *std::move(made)});
    }
    return value::record(std::move(all));
  };
  const auto from_list = [&](const list& items) -> evaluation {
    value::list_type all;
    for (const given_value& each : items) {
      evaluation made = each.eval(env);
      if (!made) return made;
      all.push_back(*std::move(made));
    }
    return value::list(std::move(all));
  };
  return std::visit(overloaded{[&](const expression& from) { return from.eval(env); }, from_data,
                               from_record, from_list},
                    source);
}

bool given_value::is_constant() const {
  const auto fields_are = [](const record& fields) {
    return std::ranges::all_of(fields,
                               [](const given_field& each) { return each.is.is_constant(); });
  };
  const auto items_are = [](const list& items) {
    return std::ranges::all_of(items, [](const given_value& each) { return each.is_constant(); });
  };
  return std::visit(
      overloaded{[](const expression& from) { return from.is_constant(); },
                 [](const payload& data) { return data.is_constant(); }, fields_are, items_are},
      source);
}

void given_value::collect_reads(std::vector<slot_ref>& into) const {
  const auto add = [&](const auto& from) {
    into.insert(into.end(), from.reads().begin(), from.reads().end());
  };
  std::visit(overloaded{[&](const expression& from) { add(from); },
                        [&](const payload& data) { add(data); },
                        [&](const record& fields) {
                          for (const auto& [name, each] : fields) each.collect_reads(into);
                        },
                        [&](const list& items) {
                          for (const given_value& each : items) each.collect_reads(into);
                        }},
             source);
}

std::optional<message_part> compile_message_data(const node& from, name_resolver& names,
                                                 const payload_context& context, diagnostics& out) {
  const auto layout = read_layout(*from.find("message"), context.messages, out);
  // What would follow from the errors of a broken one is not told again.
  if (layout == nullptr || layout->broken) return std::nullopt;
  const std::size_t errors = out.error_count();
  message_part made{
      layout, {message_data_compiler(names, context, out).compile_record(from, *layout, true)}};
  if (out.error_count() != errors) return std::nullopt;
  return made;
}

}  // namespace scenarios
