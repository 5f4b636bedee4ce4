// The compiled form of data: parts that are put one after the other.
//
// Private to payload.cpp and payload_compile.cpp. Built once, then never changed.
#pragma once

#include <optional>
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

/// A field of a message as the scenario gives it: a number, data, a record or a list of these.
struct given_field;
struct given_value {
  using record = std::vector<given_field>;
  using list = std::vector<given_value>;
  std::variant<expression, payload, record, list> source;
  bool is_text = false;  // of data

  evaluation eval(const environment& env) const;
  bool is_constant() const;
  void collect_reads(std::vector<slot_ref>& into) const;
};

struct given_field {
  std::string name;
  given_value is;
};

struct message_part {
  std::shared_ptr<const message_layout> layout;
  given_value given;  // a record
};

/// From `{ "message": NAME, …fields }`. Reports what is wrong.
std::optional<message_part> compile_message_data(const node& from, name_resolver& names,
                                                 const payload_context& context, diagnostics& out);

struct payload_part {
  std::variant<std::string, expression, repeat_part, random_part, message_part> source;

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
