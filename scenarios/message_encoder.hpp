// From a record of fields to the octets of a message.
//
// Fields that have a `value` and were not given are computed from the others, in whatever order
// they need each other. Pure, never throws; for records from a scenario, checked or not.
#pragma once

#include <string>

#include "scenarios/message_layout.hpp"

namespace scenarios {

struct encoded_message {
  std::string bytes;
  value fields;       // a record: those that were given, and those that were computed
  std::string error;  // empty: all is well; "pg.len: 70000 is above 65535"

  explicit operator bool() const { return error.empty(); }
};

/// `given` is a record; `limit` bounds the octets.
encoded_message encode_message(const message_layout& layout, const value& given,
                               std::uint64_t limit);

}  // namespace scenarios
