#include "scenarios/node.hpp"

#include <array>
#include <utility>

namespace scenarios {

node::node() = default;
node::node(span at, value_type value) : at_(at), value_(std::move(value)) {}
node::node(const node&) = default;
node::node(node&&) noexcept = default;
node& node::operator=(const node&) = default;
node& node::operator=(node&&) noexcept = default;
node::~node() = default;

std::string_view kind_name(node_kind kind) {
  static constexpr std::array<std::string_view, 7> names = {
      "null",     "a boolean", "an integer", "a number with a fraction",
      "a string", "an array",  "an object"};
  return names[static_cast<std::size_t>(kind)];
}

std::string_view node::kind_name() const {
  return scenarios::kind_name(kind());
}

bool node::boolean() const {
  const bool* held = std::get_if<bool>(&value_);
  return held != nullptr && *held;
}

std::int64_t node::integer() const {
  const auto* held = std::get_if<std::int64_t>(&value_);
  return held != nullptr ? *held : 0;
}

double node::real() const {
  const double* held = std::get_if<double>(&value_);
  return held != nullptr ? *held : static_cast<double>(integer());
}

const std::string& node::text() const {
  static const std::string none;
  const auto* held = std::get_if<std::string>(&value_);
  return held != nullptr ? *held : none;
}

const node::array_type& node::items() const {
  static const array_type none;
  const auto* held = std::get_if<array_type>(&value_);
  return held != nullptr ? *held : none;
}

const node::object_type& node::members() const {
  static const object_type none;
  const auto* held = std::get_if<object_type>(&value_);
  return held != nullptr ? *held : none;
}

const member* node::find_member(std::string_view key) const {
  for (const member& each : members()) {
    if (each.key == key) return &each;
  }
  return nullptr;
}

const node* node::find(std::string_view key) const {
  const member* found = find_member(key);
  return found != nullptr ? &found->value : nullptr;
}

}  // namespace scenarios
