// A JSON object that has been held against its table of keys.
//
// The constructor tells everything that the table knows to be wrong: unknown and reserved keys,
// missing ones, values of the wrong type. find() then gives only what is sound, so that whoever
// reads the object need not check again. Borrows the node; made and used within one function.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scenarios/diagnostic.hpp"
#include "scenarios/key_table.hpp"
#include "scenarios/node.hpp"

namespace scenarios {

class checked_object {
 public:
  /// A node that is no object is told, too, and has no members then.
  checked_object(const node& from, const key_table& table, diagnostics& out,
                 code unknown = code::unknown_key);

  /// Nothing when the key is absent, or what stands there was refused.
  const node* find(std::string_view key) const;
  const member* find_member(std::string_view key) const;
  bool has(std::string_view key) const { return from_.find(key) != nullptr; }
  /// Nothing was refused.
  bool sound() const { return sound_; }
  const node& whole() const { return from_; }

 private:
  void check(const member& m, code unknown, diagnostics& out);
  void check_missing(diagnostics& out);
  std::string suggest(std::string_view key);

  const node& from_;
  const key_table& table_;
  bool sound_ = true;
  bool uses_reserved_ = false;
  std::vector<std::string> meant_;  // what misspelt keys may have meant
};

/// It has no keys, or only such as nobody reads (`x-…`).
bool says_nothing(const node& object);
/// Whether a value is of one of these types.
bool takes(json_types wanted, const node& from);
/// Tells E0204 when it is not.
bool check_type(const node& from, json_types wanted, std::string_view what, diagnostics& out);

}  // namespace scenarios
