// Data, wherever the language takes data: what to send, what to expect, what to write to a file.
//
// A string (its UTF-8, `${…}` included), {hex}, {b64}, {file}, {random: {len, seed}},
// {repeat: {data, times}}, {message, …fields}, or an array of these = one after the other. Constant
// data is bytes when the file has been loaded; the rest is put together by eval. Immutable and
// shared: copying one copies a pointer. Nothing is read from a file after load.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/expression.hpp"
#include "scenarios/message_layout.hpp"

namespace scenarios {

inline constexpr std::uint64_t max_payload_bytes = std::uint64_t{256} << 20;

/// What all the data of one scenario file may take while it is loaded, so that a small file cannot
/// fill the memory. Counts down.
struct payload_budget {
  /// Made by {repeat} and {random}; what is above is made anew by each eval instead.
  std::uint64_t generated = max_payload_bytes;
  /// Read by {file}; what is above is an error.
  std::uint64_t read = std::uint64_t{1} << 30;
};

/// One for a scenario file; copies share the budget.
struct payload_context {
  std::filesystem::path directory = ".";  // {file} is relative to it: where the scenario is
  std::uint64_t limit = max_payload_bytes;
  bool by_source = false;  // …: where the file is that names it
  bool confined = false;   // --sandbox: {file} may not lead out of the directory
  std::shared_ptr<payload_budget> budget = std::make_shared<payload_budget>();
  std::shared_ptr<const message_table> messages;  // the file's layouts; null: there are none
  bool bless = false;                             // a golden file that is missing will be written
  std::shared_ptr<std::vector<std::string>> read_files;  // paths of what was read; null: not noted
};

struct payload_tree;

class payload {
 public:
  /// No bytes.
  payload() = default;
  explicit payload(std::shared_ptr<const payload_tree> tree);

  bool is_constant() const;
  /// Needs is_constant(). Valid as long as a copy of this payload lives.
  std::string_view constant() const;
  std::span<const slot_ref> reads() const;
  span at() const;

  /// Bytes, or why there are none: an expression failed or the limit was passed.
  evaluation eval(const environment& env) const;
  /// The bytes if known, else what was written; for people.
  std::string describe() const;

 private:
  std::shared_ptr<const payload_tree> tree_;
};

/// Reports everything that is wrong and then returns an empty payload.
payload compile_payload(const node& from, name_resolver& names, const payload_context& context,
                        diagnostics& out);

/// Where the file is that `from` names.
std::filesystem::path path_of_file(const payload_context& context, const node& from,
                                   const std::string& name);

/// The keys that make an object data: "hex", "b64", "file", "random", "repeat", "message".
std::span<const std::string_view> payload_keys();
/// Whether an object with this key is data.
bool is_payload_key(std::string_view key);

}  // namespace scenarios
