#include "scenarios/wire/toxiproxy_words.hpp"

#include <algorithm>
#include <array>

namespace scenarios {
namespace {

constexpr std::string_view direction_hint =
    R"(Toxiproxy's upstream is "dir": "c2s", its downstream "dir": "s2c")";

constexpr std::array<toxiproxy_word, 15> table{{
    {"fault", "toxic", "type", R"(here it is "type": "wire.latency" and the like)"},
    {"fault", "toxicity", "when", R"(here it is "when": { "p": 0.5 }, decided once a connection)"},
    {"fault", "stream", "dir", direction_hint},
    {"fault", "direction", "dir", direction_hint},
    {"fault", "upstream", "dir", direction_hint},
    {"fault", "downstream", "dir", direction_hint},
    {"fault", "attributes", "",
     R"(here they stand beside "type": { "type": "wire.latency", "latency": )"
     R"("1s" })"},
    {"fault", "name", "id", R"(here it is "id")"},
    {"proxy", "upstream", "to", R"(here the server is "to": "tcp://127.0.0.1:6379")"},
    {"proxy", "name", "", R"(here the key is its name: "proxies": { "px": { … } })"},
    {"proxy", "enabled", "",
     R"(a proxy that is not enabled has the fault )"
     R"({ "type": "wire.refuse" })"},
    {"proxy", "toxics", "",
     R"("faults" stand beside "proxies", and )"
     R"("where": { "proxy": "px" } names one)"},
    {"proxy", "faults", "",
     R"("faults" stand beside "proxies", and )"
     R"("where": { "proxy": "px" } names one)"},
    {"proxy file", "toxics", "faults", R"(here they are "faults")"},
    {"top level", "toxics", "faults", R"(here they are "faults")"},
}};

}  // namespace

const toxiproxy_word* find_toxiproxy_word(std::string_view title, std::string_view key) {
  if (title.starts_with("wire.")) title = "fault";
  const auto* const found = std::ranges::find_if(
      table, [&](const toxiproxy_word& each) { return each.object == title && each.word == key; });
  return found == table.end() ? nullptr : found;
}

std::string_view toxiproxy_direction(std::string_view word) {
  if (word == "upstream") return "c2s";
  return word == "downstream" ? "s2c" : std::string_view();
}

}  // namespace scenarios
