// The names that expressions inside a layout can use: its fields, their octets, and constants.
//
// A field's name stands for its value, `wire.NAME` for the octets that it takes. `len`, `count` and
// `when` are read before the field is, so they see earlier fields only. Made for one expression.
#pragma once

#include <string>
#include <vector>

#include "scenarios/diagnostic.hpp"
#include "scenarios/message_layout.hpp"

namespace scenarios {

/// In place of a field's number: all fields may be used.
inline constexpr std::uint32_t whole_message = UINT32_MAX;

/// The last part of compile_messages, in message_checks.cpp: whether layouts end, and say where.
void check_layouts(std::vector<message_layout*>& all, diagnostics& out);

class message_names final : public name_resolver {
 public:
  message_names(const message_layout& layout, name_resolver& constants, std::uint32_t before)
      : layout_(layout), constants_(constants), before_(before) {}

  std::optional<resolved_name> resolve(std::span<const std::string_view> path) override;
  std::vector<std::string> candidates(std::span<const std::string_view> path) override;

  /// Names that exist, but not here.
  void tell_problems(const node& from, diagnostics& out);

 private:
  std::optional<resolved_name> resolve_field(std::span<const std::string_view> path,
                                             std::string_view name, std::uint32_t space,
                                             std::size_t parts);

  const message_layout& layout_;
  name_resolver& constants_;
  std::uint32_t before_;
  struct problem {
    code id;
    std::string message;
    std::string help;
  };
  std::vector<problem> problems_;
};

}  // namespace scenarios
