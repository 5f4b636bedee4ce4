#include "scenarios/constant_nodes.hpp"

#include <optional>
#include <utility>

#include "scenarios/diagnostic.hpp"

namespace scenarios {
namespace {

std::optional<node::value_type> constant_of(const node& text, name_resolver& names) {
  if (text.text().find("${") == std::string::npos) return std::nullopt;
  diagnostics ignored;
  const expression made = compile_text(text, names, ignored);
  if (ignored.has_errors() || !made.is_valid() || !made.is_constant()) return std::nullopt;
  const value& known = made.constant();
  if (known.is(value_type::integer)) return known.integer();
  if (known.is(value_type::boolean)) return known.boolean();
  if (known.is(value_type::decimal)) return known.real();
  // A text in which `${` is no expression would be read as one the next time.
  if (!known.is(value_type::text) || known.data().find("${") != std::string::npos)
    return std::nullopt;
  return known.data();
}

}  // namespace

node with_constants(const node& from, name_resolver& names) {
  if (from.at().in != nullptr && from.at().text().find("${") == std::string_view::npos) return from;
  if (from.is(node_kind::string)) {
    auto known = constant_of(from, names);
    return known ? node(from.at(), *std::move(known)) : from;
  }
  node made = from;
  if (auto* items = std::get_if<node::array_type>(&made.value())) {
    for (node& each : *items) each = with_constants(each, names);
  } else if (auto* members = std::get_if<node::object_type>(&made.value())) {
    for (member& each : *members) each.value = with_constants(each.value, names);
  }
  return made;
}

}  // namespace scenarios
