// The compiled form of data: parts that are put one after the other.
//
// Private to payload.cpp and payload_compile.cpp. Built once, then never changed.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "scenarios/amount.hpp"
#include "scenarios/payload.hpp"

namespace scenarios {

struct payload_part;

struct repeat_part {
  payload data;
  amount times;
};

struct random_part {
  amount size;
  expression seed;  // an integer is the seed itself, text is a label for environment::seed_for
};

struct payload_part {
  std::variant<std::string, expression, repeat_part, random_part> source;

  const std::string* constant() const { return std::get_if<std::string>(&source); }
};

struct payload_tree {
  std::vector<payload_part> parts;  // constant data is at most one part
  std::vector<slot_ref> reads;
  span at;
  std::uint64_t limit = max_payload_bytes;
};

/// Appends the part's bytes; the message of what went wrong, or "".
std::string append_part(const payload_part& part, std::uint64_t limit, const environment& env,
                        std::string& bytes);

}  // namespace scenarios
