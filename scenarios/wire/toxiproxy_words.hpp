// What Toxiproxy calls what has another name here: for who brings its words along.
//
// One table, read by the check of keys and of a few values. Constant data.
#pragma once

#include <string_view>

namespace scenarios {

struct toxiproxy_word {
  std::string_view object;  // the title of the key table where people write it
  std::string_view word;
  std::string_view ours;  // the key that it stands for; empty: none alone
  std::string_view hint;  // a phrase, for a diagnostic's help
};

/// Of an object with this title ("fault", "wire.latency", "proxy"); nullptr when nobody says so.
const toxiproxy_word* find_toxiproxy_word(std::string_view title, std::string_view key);
/// "upstream" → "c2s"; empty for what is none of its directions.
std::string_view toxiproxy_direction(std::string_view word);

}  // namespace scenarios
