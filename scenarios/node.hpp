// One JSON value and where it stands in its file.
//
// Nodes are values: a tree owns its parts, and may be copied and moved, also out of its document,
// as long as somebody keeps the source that the spans point into. Trees are at most
// `document_depth_max` levels deep, so recursion over them is safe. Accessors are total: asked for
// what it is not, a node answers with zero, "" or nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "scenarios/source.hpp"

namespace scenarios {

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

}  // namespace scenarios
