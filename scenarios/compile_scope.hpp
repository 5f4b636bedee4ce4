// Reading the parts of a scenario in one place of it: values, data, durations, addresses, matchers.
//
// A scope joins the names that are visible there with the diagnostics to tell and the futures that
// are read. Every read_* function reports what is wrong and then returns something harmless, so
// that checking goes on. Lives while one part of a case is compiled.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/flag_sets.hpp"
#include "engine/socket_address.hpp"
#include "scenarios/diagnostic.hpp"
#include "scenarios/expression.hpp"
#include "scenarios/matcher.hpp"
#include "scenarios/names.hpp"
#include "scenarios/node.hpp"
#include "scenarios/payload.hpp"

namespace scenarios {

/// What an address is for: whom one connects or sends to needs a port, who listens makes a stream,
/// who receives datagrams does not, and a send goes where datagrams go. A single submission takes
/// any: what is wrong with it the kernel is to say.
enum class address_use : std::uint8_t { listen, bind, connect, receive, send, submit };

struct integer_range {
  std::int64_t min = 0;
  std::int64_t max = INT64_MAX;
};

/// "an integer", "text": for sentences.
std::string with_article(value_type type);

class compile_scope {
 public:
  compile_scope(name_scope names, const payload_context& files, diagnostics& out)
      : names_(std::move(names)), files_(files), out_(out) {}

  diagnostics& out() { return out_; }
  name_scope& names() { return names_; }
  /// Shared slots that are read from here on are added to `reads`, which must outlive that.
  void note_reads(std::vector<slot_ref>* reads) { reads_ = reads; }
  std::vector<slot_ref>* reads() const { return reads_; }

  expression read(const node& from, value_type wanted, std::string_view what);
  payload read_data(const node& from);
  matcher read_matcher(const node& from, match_domain domain,
                       std::span<const std::string_view> flag_names = {});
  /// Text, where a constant is turned into nanoseconds.
  expression read_duration(const node& from, std::string_view what);
  /// An integer or a size; a constant must be in the range.
  expression read_count(const node& from, integer_range range, std::string_view what);
  /// Text; a constant must be an address.
  expression read_address(const node& from, address_use use, std::string_view what);

  // Things that must be known at load.
  std::optional<value> read_constant(const node& from, value_type wanted, std::string_view what);
  std::optional<std::int64_t> read_integer(const node& from, integer_range range,
                                           std::string_view what);
  std::optional<std::string> read_text(const node& from, std::string_view what);
  std::optional<std::chrono::nanoseconds> read_fixed_duration(const node& from,
                                                              std::string_view what);
  std::optional<std::int64_t> read_fixed_count(const node& from, integer_range range,
                                               std::string_view what);
  std::optional<std::vector<std::string>> read_texts(const node& from, std::string_view what);
  /// Names of a set, or a number. With `wanted` choice: one name.
  std::optional<std::uint64_t> read_flags(const node& from, const uring::flag_set& set,
                                          std::string_view what);
  /// Positive.
  std::optional<int> read_errno(const node& from);

 private:
  void finish(const node& from, std::span<const slot_ref> reads);
  /// What must be known when the file is loaded.
  std::optional<std::int64_t> fixed(const expression& made, const node& from,
                                    std::string_view what);
  void check_use(const uring::socket_address& address, address_use use, const node& from);
  std::optional<std::uint64_t> find_flag(const value& word, const node& from,
                                         const uring::flag_set& set, std::string_view what);

  name_scope names_;
  const payload_context& files_;
  diagnostics& out_;
  std::vector<slot_ref>* reads_ = nullptr;
  bool had_problem_ = false;  // in what was read last, with a name
};

/// Tells E0209 and returns false when `number` is outside.
bool check_range(std::int64_t number, integer_range range, span at, std::string_view what,
                 diagnostics& out);

/// A value as it is written, without comments and line breaks between its tokens: for people.
std::string compact_text(const node& from, std::size_t bytes_max = 200);
/// The same for what was read from it: its value where that is known.
std::string shown(const expression& read, const node& from);
std::string shown_duration(const expression& read, const node& from);

}  // namespace scenarios
