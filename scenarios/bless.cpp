#include "scenarios/bless.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/errno_name.hpp"
#include "scenarios/codec.hpp"
#include "scenarios/utf8.hpp"

namespace scenarios {
namespace {

bool is_plain_text(std::string_view octets) {
  const auto is_control = [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return (octet < 0x20 && c != '\r' && c != '\n' && c != '\t') || octet == 0x7f;
  };
  return is_utf8(octets) && std::ranges::none_of(octets, is_control);
}

/// A JSON string that means these octets: `${` would begin an expression.
std::string json_string(std::string_view text) {
  std::string made = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    switch (c) {
      case '"':
        made += "\\\"";
        break;
      case '\\':
        made += "\\\\";
        break;
      case '\r':
        made += "\\r";
        break;
      case '\n':
        made += "\\n";
        break;
      case '\t':
        made += "\\t";
        break;
      case '$':
        made += text.substr(i + 1).starts_with('{') ? "$$" : "$";
        break;
      default:
        made += c;
    }
  }
  return made + '"';
}

std::optional<std::string> written(const plain_value& as, const value& came) {
  using form = plain_value::form;
  if (as.how == form::result) {
    if (!came.is(value_type::integer)) return std::nullopt;
    const std::int64_t res = came.integer();
    const char* name = res < 0 && res > -4096 ? uring::errno_name(static_cast<int>(-res)) : nullptr;
    return name != nullptr ? fmt::format("\"{}\"", name) : fmt::format("{}", res);
  }
  if (!came.is(value_type::data)) return std::nullopt;
  const std::string& octets = came.data();
  switch (as.how) {
    case form::golden:
      return octets;
    case form::hex:
      return fmt::format("\"{}\"", to_hex(octets));
    case form::text:
      if (!is_plain_text(octets)) return std::nullopt;
      return json_string(octets);
    default:
      return is_plain_text(octets) ? json_string(octets)
                                   : fmt::format("{{ \"hex\": \"{}\" }}", to_hex(octets));
  }
}

}  // namespace

std::optional<blessing> bless(const matcher& expected, const value& came) {
  const std::optional<plain_value> place = expected.plain();
  if (!place || place->at.in == nullptr) return std::nullopt;
  std::optional<std::string> text = written(*place, came);
  if (!text) return std::nullopt;
  return blessing{place->at, place->golden, *std::move(text), place->at.in->shared_from_this(),
                  false};
}

}  // namespace scenarios
