// A scenario file as a tree of JSON values, each of which knows where it stands.
//
// nlohmann_json parses; beside it our scanner is stepped along, because the library keeps neither
// positions nor comments. A document owns its tree and its tokens and shares its source. Nodes are
// values: they may be copied and moved, also out of the document, as long as somebody keeps the
// source. Accessors are total: asked for what it is not, a node answers with zero, "" or nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "scenarios/diagnostic.hpp"
#include "scenarios/scanner.hpp"
#include "scenarios/source.hpp"

namespace scenarios {

/// Objects and arrays inside each other. Deeper documents are refused, so recursion over nodes is
/// safe.
inline constexpr std::size_t document_depth_max = 200;
/// Values and containers in one document.
inline constexpr std::size_t document_nodes_max = 1'000'000;

enum class node_kind : std::uint8_t { null, boolean, integer, real, string, array, object };

struct member;

class node {
 public:
  using array_type = std::vector<node>;
  using object_type = std::vector<member>;
  /// Alternatives in the order of node_kind.
  using value_type = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string,
                                  array_type, object_type>;

  node();
  node(span at, value_type value);
  node(const node&);
  node(node&&) noexcept;
  node& operator=(const node&);
  node& operator=(node&&) noexcept;
  ~node();

  node_kind kind() const { return static_cast<node_kind>(value_.index()); }
  bool is(node_kind wanted) const { return kind() == wanted; }
  /// "null", "a boolean", "an integer", "a number with a fraction", "a string", "an array", "an
  /// object".
  std::string_view kind_name() const;
  /// The whole value, with its quotes or brackets.
  span at() const { return at_; }

  bool boolean() const;
  std::int64_t integer() const;
  /// An integer is converted.
  double real() const;
  /// Decoded, UTF-8, may hold NUL.
  const std::string& text() const;
  const array_type& items() const;
  /// In file order.
  const object_type& members() const;
  /// Linear; for a key that stands twice (an error already told), the first.
  const member* find_member(std::string_view key) const;
  const node* find(std::string_view key) const;

  /// For those who build or extend trees (the parser, macro expansion).
  value_type& value() { return value_; }
  void move_to(span at) { at_ = at; }

 private:
  span at_;
  value_type value_;
};

struct member {
  std::string key;
  span key_at;  ///< with its quotes
  node value;
};

std::string_view kind_name(node_kind kind);

struct document {
  std::shared_ptr<const source> from;
  std::vector<token> tokens;  ///< joined, they are from->text()
  node root;
};

/// Nothing when there is no tree to speak of: at most one syntax error, told in `into`. Duplicate
/// keys and integers that don't fit are told too, but still give a document, so that checks can go
/// on: ask into.has_errors(). `from` must not be null.
std::optional<document> parse_document(std::shared_ptr<const source> from, diagnostics& into);

/// Maps a range of a string's decoded text to the source bytes that spell it, escapes included: for
/// carets inside strings. Ranges past the end are clamped; an empty range gives an empty span. For
/// a node that is no string in a source, the whole node.
span inside_string(const node& string_node, std::size_t decoded_begin, std::size_t decoded_end);
/// The same for a key: `string_at` is the span of a string with its quotes.
span inside_string(span string_at, std::size_t decoded_begin, std::size_t decoded_end);

}  // namespace scenarios
