// Which keys the objects of the language have: one table an object, one row a key.
//
// The checker, `explain`, the schema and the reference pages read these rows, so they can't
// disagree. Constant data, alive for ever, readable from any thread. Ops and modifiers have a table
// of their own, step_table.hpp, with arguments that are rows of this kind.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "scenarios/node.hpp"

namespace scenarios {

/// JSON types, one bit each, in the order of node_kind.
using json_types = std::uint8_t;
namespace json {
inline constexpr json_types null = 1, boolean = 2, integer = 4, real = 8, string = 16, array = 32,
                            object = 64, any = 127;
/// What an expression may stand for: `"${n}"` is a string in the file.
inline constexpr json_types number = integer | string;
inline constexpr json_types condition = boolean | string;
inline constexpr json_types list = array | string;
inline constexpr json_types data = string | array | object;
}  // namespace json

constexpr json_types json_type_of(node_kind kind) {
  return static_cast<json_types>(1U << static_cast<unsigned>(kind));
}
/// "a string or an array".
std::string json_types_text(json_types types);

/// `reserved`: a word of the language that this version does not act on; using it is E0207.
/// `elsewhere`: people write it here, but it belongs where `doc` says.
enum class key_state : std::uint8_t { optional, required, reserved, elsewhere };

struct key_row {
  std::string_view name;
  json_types accepts = json::any;
  key_state state = key_state::optional;
  std::string_view doc = {};
};

struct key_table {
  std::string_view title;    // "top level"
  std::string_view subject;  // in messages: "a scenario", "a service"
  std::span<const key_row> rows;
};

namespace keys {
extern const key_table top_level, teardown, actor, server, client, service, service_file, ready,
    stop, limits, exit_status, requires_, requires_not, expect, expect_cqe, capture_regex,
    capture_json, capture_at, capture_field, retry, macro, redact, secret, cases, included, suite,
    fault, fault_where, fault_when, fault_after, fault_require, ring, buffer_ring, on_object, stray,
    tls, peer, expect_datagram, fault_match, proxy;
}

/// All of the above, for `explain` and the schema.
std::span<const key_table* const> all_key_tables();
const key_row* find_key(std::span<const key_row> rows, std::string_view name);

}  // namespace scenarios
