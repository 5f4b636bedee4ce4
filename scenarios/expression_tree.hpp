// The compiled form of an expression: nodes in one vector, children before parents.
//
// Private to the expression's compiler and evaluator. Built by expression_builder, then never
// changed, so that threads may share it. No node is deeper than max_expression_depth: walking the
// tree by recursion is safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "scenarios/expression.hpp"

namespace scenarios {

enum class tree_op : std::uint8_t {
  constant,     // constants[detail]
  failed,       // cannot be evaluated; the message is constants[detail]
  slot,         // slots[detail]
  negate,       // -x
  logical_not,  // not x
  logical_and,  // a and b
  logical_or,   // a or b
  choose,       // condition ? a : b
  binary,       // binary_operators()[detail]
  index,        // x[i]
  slice,        // x[from:to]; null where an end is left out
  field,        // x.name; the name is names[detail]
  call,         // function_table()[detail]
  list,         // [a, b]
  record,       // contents; their names are names[detail] and the ones after it
  join,         // pieces of a string
};

using node_id = std::uint32_t;

struct tree_node {
  tree_op op = tree_op::constant;
  std::uint16_t depth = 1;
  value_type type = value_type::any;
  std::uint32_t begin = 0;  // offsets into expression_tree::text
  std::uint32_t end = 0;
  std::uint32_t first_child = 0;  // into expression_tree::children
  std::uint32_t child_count = 0;
  std::uint32_t detail = 0;
};

struct expression_tree {
  std::vector<tree_node> nodes;
  std::vector<node_id> children;
  std::vector<value> constants;
  std::vector<slot_ref> slots;
  std::vector<std::string> names;
  std::vector<slot_ref> reads;
  std::string text;  // every string that holds a `${…}`, for messages
  span at;
  node_id root = 0;
  bool valid = true;
  // What its value must be, whatever is known when it is built; `what` is for the message if not.
  value_type wanted = value_type::any;
  std::int64_t min = INT64_MIN, max = INT64_MAX;
  std::string what;

  std::span<const node_id> children_of(const tree_node& n) const {
    return {children.data() + n.first_child, n.child_count};
  }
};

/// Work that one evaluation may do, counted in octets looked at or made.
inline constexpr std::uint64_t max_evaluation_work = std::uint64_t{1} << 30;

/// Evaluates the part of the tree below `from`; adds to `work` and fails when it is too much.
evaluation evaluate(const expression_tree& tree, node_id from, const environment& env,
                    std::uint64_t& work);

}  // namespace scenarios
