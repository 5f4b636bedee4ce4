#include "scenarios/document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>

#include "scenarios/syntax.hpp"
#include "scenarios/utf8.hpp"

namespace scenarios {

namespace {

constexpr std::string_view integer_range = "-9223372036854775808 to 9223372036854775807";

/// Builds the tree from nlohmann_json's events. The library says what a value is, our scanner,
/// stepped along with it, says where.
class builder {
 public:
  builder(std::shared_ptr<const source> from, diagnostics& into)
      : from_(std::move(from)), into_(into), scanner_(from_->text()) {}

  // The events of nlohmann_json's SAX interface. False ends the parse.
  bool null() { return place(take(), nullptr); }
  bool boolean(bool value) { return place(take(), value); }
  bool number_integer(std::int64_t value) { return place(take(), value); }
  bool number_unsigned(std::uint64_t value) {
    if (std::in_range<std::int64_t>(value)) {
      return place(take(), static_cast<std::int64_t>(value));
    }
    return place_huge(take());
  }
  bool number_float(double value, const std::string& written) {
    // The library falls back to doubles for integers of more than 64 bits, and so would lose
    // digits.
    if (written.find_first_of(".eE") == std::string::npos) return place_huge(take());
    return place(take(), value);
  }
  bool string(std::string& value) { return place(take(), std::move(value)); }
  bool binary(nlohmann::json::binary_t&) { return false; }  // only from binary formats
  bool start_object(std::size_t) { return open(node::object_type{}); }
  bool start_array(std::size_t) { return open(node::array_type{}); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& value);
  bool parse_error(std::size_t offset, const std::string&, const nlohmann::json::exception& error) {
    constexpr int number_too_large = 406;
    if (error.id == number_too_large) {
      into_.error(code::number_out_of_range, take(), "the number is too large for a double").label =
          "out of range";
      told_ = true;
    }
    refused_at_ = offset;
    return false;
  }

  /// True when the reason for ending was already told as an error.
  bool told() const { return told_; }
  std::size_t refused_at() const { return refused_at_; }
  /// The tokens that were left after the last event; false if there is more than trivia.
  bool finish() {
    while (!scanner_.at_end()) {
      if (!advance().is_trivia()) return false;
    }
    return true;
  }
  document result() { return {from_, std::move(tokens_), std::move(root_)}; }

 private:
  /// An open object or array, under construction.
  struct level {
    node made;
    std::string key;
    span key_at;
    // Offsets of the keys' first places, once there are too many to compare with each.
    std::unordered_map<std::string, std::uint32_t> seen;
  };

  static std::optional<std::uint32_t> seen(level& in, const std::string& key, std::uint32_t at);

  token advance() {
    tokens_.push_back(scanner_.next());
    return tokens_.back();
  }

  /// The token of the event at hand: commas and colons make no events.
  span take() {
    while (!scanner_.at_end()) {
      const token found = advance();
      const bool silent =
          found.is_trivia() || found.kind == token_kind::comma || found.kind == token_kind::colon;
      if (!silent) return {from_.get(), found.begin, found.end};
    }
    const auto size = static_cast<std::uint32_t>(from_->text().size());
    return {from_.get(), size, size};
  }

  bool place(span at, node::value_type value) { return attach(node(at, std::move(value))); }

  bool place_huge(span at) {
    tell_huge(at, "the integer does not fit into 64 bits");
    return place(at, std::int64_t{0});
  }

  void tell_huge(span at, std::string message) {
    diagnostic& told = into_.error(code::number_out_of_range, at, std::move(message));
    told.label = "out of range";
    told.help =
        fmt::format("integers go from {}; longer ones can be written as strings", integer_range);
  }

  /// Gives a finished value to the container that is open, or makes it the document.
  bool attach(node made) {
    if (open_.empty()) {
      root_ = std::move(made);
      return true;
    }
    level& parent = open_.back();
    if (auto* items = std::get_if<node::array_type>(&parent.made.value())) {
      items->push_back(std::move(made));
    } else {
      std::get<node::object_type>(parent.made.value())
          .push_back({std::move(parent.key), parent.key_at, std::move(made)});
    }
    return count(tokens_.back());
  }

  bool count(const token& latest) {
    if (++nodes_ <= document_nodes_max) return true;
    into_.error(code::too_many_values, {from_.get(), latest.begin, latest.end},
                fmt::format("there are more than {} values in the file", document_nodes_max));
    told_ = true;
    return false;
  }

  bool open(node::value_type empty) {
    const span at = take();
    if (open_.size() == document_depth_max) {
      into_
          .error(code::too_deep, at,
                 fmt::format("nested more than {} levels deep", document_depth_max))
          .help = "flatten the file, or move inner steps into macros";
      told_ = true;
      return false;
    }
    open_.push_back({node(at, std::move(empty)), {}, {}, {}});
    return true;
  }

  bool close() {
    const span at = take();
    node made = std::move(open_.back().made);
    open_.pop_back();
    made.move_to(join(made.at(), at));
    return attach(std::move(made));
  }

  std::shared_ptr<const source> from_;
  diagnostics& into_;
  scanner scanner_;
  std::vector<token> tokens_;
  std::vector<level> open_;
  node root_;
  std::size_t nodes_ = 0;
  std::size_t refused_at_ = 0;
  bool told_ = false;
};

/// Where the object under construction has this key already.
std::optional<std::uint32_t> builder::seen(level& in, const std::string& key, std::uint32_t at) {
  constexpr std::size_t few = 16;
  const auto& members = std::get<node::object_type>(in.made.value());
  if (members.size() < few) {
    const auto same = std::ranges::find(members, key, &member::key);
    return same == members.end() ? std::nullopt : std::optional(same->key_at.begin);
  }
  if (in.seen.empty()) {
    for (const member& each : members) in.seen.try_emplace(each.key, each.key_at.begin);
  }
  const auto [first, fresh] = in.seen.try_emplace(key, at);
  return fresh ? std::nullopt : std::optional(first->second);
}

bool builder::key(std::string& value) {
  const span at = take();
  level& parent = open_.back();
  if (const auto first = seen(parent, value, at.begin)) {
    const position where = from_->locate(*first);
    diagnostic& told =
        into_.error(code::duplicate_key, at, fmt::format("duplicate key {}", in_quotes(value)));
    told.label = fmt::format("already at line {}, column {}", where.line, where.column);
    told.help = "remove one of them";
  }
  parent.key = std::move(value);
  parent.key_at = at;
  return true;
}

bool is_blank(std::string_view text) {
  scanner tokens(text);
  while (!tokens.at_end()) {
    if (!tokens.next().is_trivia()) return false;
  }
  return true;
}

/// What must hold before the bytes go to the library, which would read a NUL as the end of the
/// text.
bool is_parseable(const source& from, diagnostics& into) {
  const std::string_view text = from.text();
  const auto at = [&](std::size_t offset, std::size_t length) {
    const auto begin = static_cast<std::uint32_t>(offset);
    return span{&from, begin, begin + static_cast<std::uint32_t>(length)};
  };
  if (const auto bad = first_utf8_error(text)) {
    into.error(code::not_utf8, at(*bad, 1), "the text is not UTF-8").help = "save it as UTF-8";
    return false;
  }
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    into.error(code::nul_byte, at(nul, 1), "NUL byte in the text").help =
        "a NUL inside a string is written \\u0000";
    return false;
  }
  if (is_blank(text)) {
    const bool comments = text.find('/') != std::string_view::npos;
    into.error(code::empty_document, at(text.size(), 0),
               comments ? "there are only comments in the file" : "the file is empty")
        .help = "write a scenario into it: { \"format\": 1, … }";
    return false;
  }
  return true;
}

}  // namespace

std::optional<document> parse_document(const std::shared_ptr<const source>& from,
                                       diagnostics& into) {
  if (!is_parseable(*from, into)) return std::nullopt;
  builder events(from, into);
  const std::string_view text = from->text();
  const bool parsed = nlohmann::json::sax_parse(text.begin(), text.end(), &events,
                                                nlohmann::json::input_format_t::json, true, true);
  if (parsed && events.finish()) return events.result();
  if (events.told()) return std::nullopt;
  if (!explain_syntax_error(*from, document_depth_max, into)) {
    // The library refused what our grammar accepts: say at least where.
    const auto end = static_cast<std::uint32_t>(std::min(events.refused_at(), text.size()));
    into.error(code::syntax, {from.get(), end == 0 ? 0 : end - 1, end}, "this is not JSON");
  }
  return std::nullopt;
}

}  // namespace scenarios
