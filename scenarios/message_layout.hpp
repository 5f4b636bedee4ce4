// Binary layouts: what `messages` describes, compiled.
//
// One description for sending, receiving and matching. A layout is a list of fields; each has a
// value in a record (a group of bits: one for each part), which expressions of the same layout read
// as slots: `message_space` holds the fields' values, `wire_space` the octets that they take.
// message_compile.cpp makes layouts when a file is loaded; encoding (message_encoder.hpp) and
// decoding (message_decoder.hpp) walk them. Built once, then never changed, readable from any
// thread. A table owns its layouts, which point at each other; whoever holds one keeps the table.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/expression.hpp"

namespace scenarios {

inline constexpr std::uint32_t message_space = 2;
inline constexpr std::uint32_t wire_space = 3;

/// Of a field's octets, unless its `max` says otherwise.
inline constexpr std::uint64_t message_field_bytes_max = std::uint64_t{1} << 20;
/// Of a list's items, likewise.
inline constexpr std::uint64_t message_items_max = std::uint64_t{1} << 16;
/// Of a whole message that is received, unless the step's `max` says otherwise.
inline constexpr std::uint64_t message_bytes_max = std::uint64_t{16} << 20;
/// Messages inside each other.
inline constexpr std::size_t message_depth_max = 32;

enum class message_kind : std::uint8_t { integer, varint, bits, bytes, text, list, message };

struct message_layout;

/// What a field, or an item of a list, is made of.
struct message_element {
  message_kind kind = message_kind::integer;
  unsigned width = 1;                      // octets, of integer and bits
  bool big_endian = true;                  // of integer
  const message_layout* layout = nullptr;  // of message
};

struct bit_part {
  std::string name;
  unsigned width = 1;  // bits
};

struct message_field {
  std::string name;  // of bits: "fin, rsv, op"
  span at;
  message_element is;
  message_element item;              // of a list
  std::vector<bit_part> parts;       // of bits, most significant first
  std::optional<expression> value;   // computed when sent, checked when received
  std::optional<expression> length;  // octets
  std::optional<expression> count;   // items
  std::optional<expression> when;    // there only then
  std::optional<std::string> until;  // delimiter, not part of the value
  std::uint64_t max = message_field_bytes_max;
  std::uint32_t slot = 0;  // of its value; of bits: of the first part
};

/// A named value of a layout.
struct message_slot {
  std::string name;
  std::uint32_t field = 0;
  std::uint32_t part = 0;  // of bits
  value_type type = value_type::integer;
};

struct message_layout {
  std::string name;
  span at;
  std::vector<message_field> fields;
  std::vector<message_slot> slots;
  bool uses_wire = false;    // an expression reads octets of a field
  bool says_its_end = true;  // a reader of a stream knows where it ends
  bool broken = false;       // something was told about it, or about one that it contains

  const message_slot* find_slot(std::string_view slot_name) const;
  std::vector<std::string_view> slot_names() const;
};

/// All layouts of a scenario file, by name.
class message_table {
 public:
  message_layout* add(const std::string& name);
  const message_layout* find(std::string_view name) const;
  message_layout* find(std::string_view name);
  std::vector<std::string_view> names() const;

 private:
  std::map<std::string, std::unique_ptr<message_layout>, std::less<>> layouts_;
};

/// The layout of that name, sharing ownership of the table; null when there is none.
std::shared_ptr<const message_layout> find_layout(const std::shared_ptr<const message_table>& in,
                                                  std::string_view name);

class diagnostics;
class name_resolver;
class node;

/// Compiles the object under `messages`. Reports everything that is wrong; what is left of a bad
/// layout can still be looked up. `constants` resolves names that are no fields, of which only
/// constants may be used.
std::shared_ptr<const message_table> compile_messages(const node& from, name_resolver& constants,
                                                      diagnostics& out);

/// The layout that a node names; tells E0315 when there is none.
std::shared_ptr<const message_layout> read_layout(const node& name,
                                                  const std::shared_ptr<const message_table>& from,
                                                  diagnostics& out);

struct member;
struct parsed_path;
class value_path;
/// The path of a field that a key names ("len", "head.kind", "items[0]"), its first part looked up
/// in the layout; tells when there is none.
parsed_path read_field_path(const message_layout& layout, const member& key, diagnostics& out);
/// What is expected of a u8, where a text of one octet stands for its number ("Z" for 90).
node letters_as_numbers(const message_layout& layout, const value_path& path, const node& wanted);

/// The keys that fields can have, for `explain` and the schema.
struct message_field_info {
  std::string_view key;  // "u16be", "len"
  std::string_view doc;
};
std::span<const message_field_info> message_field_table();

/// The highest number that so many octets hold, as far as an integer goes.
constexpr std::int64_t unsigned_max(unsigned octets) {
  return octets >= 8 ? INT64_MAX : (std::int64_t{1} << (8 * octets)) - 1;
}

}  // namespace scenarios
