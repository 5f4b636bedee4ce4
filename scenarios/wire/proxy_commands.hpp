// The commands that a running proxy takes: who sends them and who answers them read this table.
//
// A command is a line of JSON: {"command": NAME}, and its argument under a key of its own. Constant
// data, used by proxy_host and by `proxyctl`.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace scenarios {

enum class proxy_verb : unsigned char { list, counters, add, remove, heal };

struct proxy_command {
  proxy_verb verb{};
  std::string_view name;
  std::string_view argument;  ///< the key of its argument; empty: none
  bool needs_argument = false;
  std::string_view argument_is;  ///< in words
  std::string_view example;      ///< of the argument, for a shell
};

inline constexpr std::array<proxy_command, 5> proxy_commands{{
    {proxy_verb::list, "list", {}, false, {}, {}},
    {proxy_verb::counters, "counters", {}, false, {}, {}},
    {proxy_verb::add, "add", "fault", true, "a fault, as JSON",
     R"('{"id":"slow","type":"wire.latency","latency":"1s"}')"},
    {proxy_verb::remove, "remove", "id", true, "the fault's id", "slow"},
    {proxy_verb::heal, "heal", "id", false, "the fault's id", "slow"},
}};

/// nullptr when there is none of that name.
inline const proxy_command* find_proxy_command(std::string_view name) {
  const auto* const found = std::ranges::find(proxy_commands, name, &proxy_command::name);
  return found == proxy_commands.end() ? nullptr : found;
}

}  // namespace scenarios
