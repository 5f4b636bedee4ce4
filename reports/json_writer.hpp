// Writes JSON as it goes, laid out exactly as nlohmann::json::dump(1, ' ', true) would.
//
// nlohmann_json can only write a finished tree, and for a large run that tree costs several times
// the report in memory and most of its time. Keys must come in ascending order within their object,
// as a tree would have sorted them (asserted). The text is plain ASCII; bytes that are not UTF-8
// become U+FFFD. One writer appends to one string that it does not own.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace reports {

class json_writer {
 public:
  explicit json_writer(std::string& out) : out_(out) {}

  void open_object() { open('{'); }
  void open_array() { open('['); }
  /// Ends the innermost object or array.
  void close();
  /// An object whose members `members` writes; nothing at all if it writes none.
  template <std::invocable Members>
  void object_unless_empty(std::string_view name, Members members) {
    const std::size_t before = out_.size();
    const level outer = levels_.back();
    key(name);
    open_object();
    members();
    const bool empty = levels_.back().count == 0;
    close();
    if (!empty) return;
    out_.resize(before);
    levels_.back() = outer;
  }

  /// Before each value of an object.
  void key(std::string_view name);

  void text(std::string_view utf8);
  void number(std::int64_t value);
  void number(std::uint64_t value);
  void boolean(bool value);
  void tree(const nlohmann::json& value);

  // Key and value in one.
  void put(std::string_view name, std::string_view utf8) { key(name), text(utf8); }
  void put(std::string_view name, const char* utf8) { key(name), text(utf8); }
  void put(std::string_view name, bool value) { key(name), boolean(value); }
  void put(std::string_view name, std::signed_integral auto value) {
    key(name), number(std::int64_t{value});
  }
  void put(std::string_view name, std::unsigned_integral auto value)
    requires(!std::same_as<decltype(value), bool>)
  {
    key(name), number(std::uint64_t{value});
  }

 private:
  struct level {
    char closer;
    std::size_t count = 0;
    std::string_view last_key;  // of the text that was passed in: constants, in a report
  };
  void open(char bracket);
  void separate();
  void quoted(std::string_view utf8);

  std::string& out_;
  std::vector<level> levels_;
  bool after_key_ = false;
};

}  // namespace reports
