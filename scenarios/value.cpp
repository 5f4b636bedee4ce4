#include "scenarios/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "scenarios/codec.hpp"
#include "scenarios/utf8.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr std::string_view type_names[] = {"null",  "boolean", "integer", "text",
                                           "bytes", "list",    "record",  "decimal"};

/// By name, because a record's order does not matter; sorted, because a hostile one is large.
std::vector<const field*> by_name(const value::record_type& fields) {
  std::vector<const field*> sorted;
  sorted.reserve(fields.size());
  for (const field& f : fields) sorted.push_back(&f);
  std::ranges::sort(sorted, {}, [](const field* f) { return std::string_view(f->name); });
  return sorted;
}

bool same_fields(const value::record_type& a, const value::record_type& b) {
  return std::ranges::equal(by_name(a), by_name(b), [](const field* x, const field* y) {
    return x->name == y->name && same_content(x->content, y->content);
  });
}

/// \r \n \t are welcome in text; other control characters would be lost on the reader.
bool reads_as_text(std::string_view octets) {
  const auto is_control = [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return (octet < 0x20 && c != '\r' && c != '\n' && c != '\t') || octet == 0x7f;
  };
  return std::ranges::none_of(octets, is_control) && is_utf8(octets);
}

/// As it would stand in a JSON string, but for invisible characters, which are shown.
std::string quote(std::string_view octets, std::size_t width) {
  std::string shown = "\"";
  std::size_t columns = 0;
  std::size_t at = 0;
  for (; at < octets.size() && columns < width;) {
    const char c = octets[at];
    if (c == '"' || c == '\\') {
      shown += '\\';
      shown += c;
      columns += 2;
      ++at;
      continue;
    }
    const glyph next = glyph_at(octets, at);
    shown += next.text;
    columns += next.width;
    at += next.bytes;
  }
  if (at == octets.size()) return shown + '"';
  return fmt::format("{}…\" ({} bytes)", shown, octets.size());
}

std::string describe_hex(std::string_view octets, std::size_t width) {
  const std::size_t shown = std::min(octets.size(), std::max<std::size_t>(width / 3, 1));
  std::string text = "hex";
  for (const char c : octets.substr(0, shown))
    text += fmt::format(" {:02x}", static_cast<unsigned char>(c));
  return shown == octets.size() ? text : fmt::format("{} … ({} bytes)", text, octets.size());
}

std::string describe_items(const value::list_type& items, std::size_t width) {
  std::string text = "[";
  for (const value& item : items) {
    if (text.size() > 1) text += ", ";
    if (text.size() >= width) return fmt::format("{}… ({} items)]", text, items.size());
    text += describe(item, width - text.size());
  }
  return text + "]";
}

std::string describe_fields(const value::record_type& fields, std::size_t width) {
  std::string text = "{";
  for (const auto& [name, content] : fields) {
    if (text.size() > 1) text += ", ";
    if (text.size() >= width) return fmt::format("{}… ({} fields)}}", text, fields.size());
    text += fmt::format("{}: {}", visible(name), describe(content, width - text.size()));
  }
  return text + "}";
}

}  // namespace

value::value() noexcept = default;
value::value(held contents) : held_(std::move(contents)) {}
value::value(const value&) = default;
value::value(value&&) noexcept = default;
value& value::operator=(const value&) = default;
value& value::operator=(value&&) noexcept = default;
value::~value() = default;

value value::decimal(double number) {
  constexpr double exact_max = 9007199254740992.0;  // 2^53
  if (std::abs(number) <= exact_max && std::trunc(number) == number)
    return value(static_cast<std::int64_t>(number));
  return value(held(number));
}
value value::text(std::string utf8) {
  return value(held(held_text{std::move(utf8)}));
}
value value::bytes(std::string octets) {
  return value(held(held_bytes{std::move(octets)}));
}
value value::list(list_type items) {
  return value(held(std::move(items)));
}
value value::record(record_type fields) {
  return value(held(std::move(fields)));
}
bool operator==(const value& a, const value& b) {
  return a.held_ == b.held_;
}

std::string type_name(value_type type) {
  if (type == value_type::any) return "anything";
  if (type == value_type::none) return "nothing";
  std::string text;
  for (std::size_t bit = 0; bit < std::size(type_names); ++bit) {
    if (!may_be(type, static_cast<value_type>(1U << bit))) continue;
    if (!text.empty()) text += " or ";
    text += type_names[bit];
  }
  return text;
}

value_type value::kind() const {
  return static_cast<value_type>(1U << held_.index());
}

const std::string& value::data() const {
  const auto* written = std::get_if<held_text>(&held_);
  return written != nullptr ? written->utf8 : std::get<held_bytes>(held_).octets;
}

std::string value::take_data() && {
  auto* written = std::get_if<held_text>(&held_);
  return std::move(written != nullptr ? written->utf8 : std::get<held_bytes>(held_).octets);
}

const value* value::find(std::string_view name) const {
  const auto* record = std::get_if<record_type>(&held_);
  if (record == nullptr) return nullptr;
  const auto found = std::ranges::find(*record, name, &field::name);
  return found == record->end() ? nullptr : &found->content;
}

std::size_t value::footprint() const {
  std::size_t total = sizeof(value);
  if (is(value_type::data)) total += data().size();
  if (is(value_type::list)) {
    for (const value& item : items()) total += item.footprint();
  }
  if (is(value_type::record)) {
    for (const field& f : fields()) total += sizeof(f.name) + f.name.size() + f.content.footprint();
  }
  return total;
}

std::size_t value::depth() const {
  std::size_t inner = 0;
  if (is(value_type::list)) {
    for (const value& item : items()) inner = std::max(inner, item.depth());
  }
  if (is(value_type::record)) {
    for (const field& f : fields()) inner = std::max(inner, f.content.depth());
  }
  return inner + 1;
}

std::optional<int> order_of(const value& a, const value& b) {
  if (a.is(value_type::data) && b.is(value_type::data)) return a.data().compare(b.data());
  if (!a.is(value_type::number) || !b.is(value_type::number)) return std::nullopt;
  const auto sign = [](auto x, auto y) { return x < y ? -1 : x > y ? 1 : 0; };
  if (a.is(value_type::integer) && b.is(value_type::integer)) return sign(a.integer(), b.integer());
  // Holds every 64-bit integer and every double exactly.
  const auto wide = [](const value& v) {
    return v.is(value_type::integer) ? static_cast<long double>(v.integer())
                                     : static_cast<long double>(v.real());
  };
  return sign(wide(a), wide(b));
}

bool same_content(const value& a, const value& b) {
  if (a.is(value_type::number) && b.is(value_type::number)) return order_of(a, b) == 0;
  if (a.is(value_type::data) && b.is(value_type::data)) return a.data() == b.data();
  if (a.kind() != b.kind()) return false;
  if (a.is(value_type::list)) return std::ranges::equal(a.items(), b.items(), same_content);
  if (a.is(value_type::record)) return same_fields(a.fields(), b.fields());
  return a == b;
}

nlohmann::json bytes_to_json(std::string_view octets) {
  if (reads_as_text(octets)) return {{"text", octets}};
  return {{"hex", to_hex(octets)}};
}

nlohmann::json to_json(const value& v) {
  switch (v.kind()) {
    case value_type::boolean:
      return v.boolean();
    case value_type::integer:
      return v.integer();
    case value_type::decimal:
      return v.real();
    case value_type::text:
      if (is_utf8(v.data())) return v.data();
      [[fallthrough]];  // a dump of anything else would throw
    case value_type::bytes:
      return bytes_to_json(v.data());
    case value_type::list: {
      auto list = nlohmann::json::array();
      for (const value& item : v.items()) list.push_back(to_json(item));
      return list;
    }
    case value_type::record: {
      auto object = nlohmann::json::object();
      for (const field& f : v.fields()) object[f.name] = to_json(f.content);
      return object;
    }
    default:
      return nullptr;
  }
}

std::string describe_data(std::string_view octets, std::size_t width) {
  return reads_as_text(octets) ? quote(octets, width) : describe_hex(octets, width);
}

std::string describe(const value& v, std::size_t width) {
  switch (v.kind()) {
    case value_type::boolean:
      return v.boolean() ? "true" : "false";
    case value_type::integer:
      return fmt::format("{}", v.integer());
    case value_type::decimal:
      return fmt::format("{}", v.real());
    case value_type::text:
      return quote(v.data(), width);
    case value_type::bytes:
      return describe_data(v.data(), width);
    case value_type::list:
      return describe_items(v.items(), width);
    case value_type::record:
      return describe_fields(v.fields(), width);
    default:
      return "null";
  }
}

}  // namespace scenarios
