// A document as the layout sees it: values, and comments that belong to them.
//
// Borrows the document's text. Trees are as deep as documents, so recursion is safe.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "scenarios/document.hpp"

namespace scenarios::layout {

struct comment {
  std::string_view text;
  bool is_line = false;   // ends with its line
  bool own_line = false;  // nothing stands before it on its line
  bool ends_line = false;
  bool blank_before = false;
};

struct entry;

inline constexpr std::size_t never = 1'000'000;

struct value {
  std::string_view scalar;  // empty for a container
  char open = 0;            // '{', '[', or 0
  std::vector<entry> entries;
  std::vector<comment> at_open;   // on the line of the opening bracket, which they end
  std::vector<comment> at_close;  // after the last entry
  bool is_step_list = false;
  std::size_t width = 0;  // on one line; `never` if it can't be on one
};

struct entry {
  std::vector<comment> before;
  std::string_view key;  // with its quotes; empty in an array
  value held;
  std::vector<comment> after;  // on the same line, which they end
  bool blank_before = false;
};

struct tree {
  entry root;
  std::vector<comment> at_end;
};

/// Measured.
tree read_tree(const document& from);

/// `{ "a": 1 }` and `[ { … } ]`, but `[1, 2]`.
bool is_spaced(const value& of);

/// Columns of a text on a terminal, roughly: its code points.
std::size_t columns_of(std::string_view text);

}  // namespace scenarios::layout
