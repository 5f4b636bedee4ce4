// Builds expression trees: names resolved, types checked, constant parts folded as they are added.
//
// Private to the compiler of expressions; lives for one compile_* call. It reports every error at
// its place inside the JSON string that it was told last (enter), and hands out a poisoned
// node of type `any` instead, so that one mistake is one error.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "scenarios/codes.hpp"
#include "scenarios/diagnostic.hpp"
#include "scenarios/expression_tree.hpp"
#include "scenarios/node.hpp"
#include "scenarios/operators.hpp"

namespace scenarios {

/// Octets of the decoded text of the current string.
struct text_range {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

class expression_builder {
 public:
  expression_builder(name_resolver& names, diagnostics& out) : names_(names), out_(out) {}

  /// From here on, ranges mean this node's text (the whole node if it is no string).
  void enter(const node& json);
  /// Reports constants that cannot be computed in the part that was built for this string, unless a
  /// condition keeps them from being evaluated.
  void leave(node_id top);

  node_id constant(value v, text_range at);
  node_id name(std::span<const std::string_view> path, text_range at);
  node_id field(node_id whole, std::string_view name, text_range at);
  node_id negate(node_id x, text_range at);
  node_id logical_not(node_id x, text_range at);
  /// `and` if the deciding value is false, `or` if it is true.
  node_id logical(bool deciding, node_id left, node_id right, text_range at);
  node_id choose(node_id condition, node_id yes, node_id no, text_range at);
  node_id binary(const binary_operator& op, node_id left, node_id right, text_range at);
  node_id index(node_id container, node_id position, text_range at);
  node_id slice(node_id container, node_id from, node_id to, text_range at);
  node_id call(std::string_view function, text_range name_at, std::span<const node_id> arguments,
               text_range at);
  node_id list_of(std::span<const node_id> items, text_range at);
  node_id record_of(std::span<const std::string> names, std::span<const node_id> contents);
  node_id join(std::span<const node_id> pieces, text_range at);

  /// Reports, and returns a poisoned node.
  node_id refuse(code id, text_range at, std::string message, std::string help = {});

  /// What stands for a part that has an error: of type any, never constant.
  node_id poison();

  text_range range_of(node_id id) const;
  value_type type_of(node_id id) const { return tree_->nodes[id].type; }
  /// The finished tree; the builder is empty afterwards. A value of another type than `wanted` is a
  /// run-time error of `what`.
  std::shared_ptr<const expression_tree> finish(node_id root, span at, value_type wanted,
                                                std::string_view what);

 private:
  node_id add(tree_op op, text_range at, std::span<const node_id> children, value_type type,
              std::uint32_t detail = 0, bool foldable = true);
  bool is_constant(node_id id) const { return tree_->nodes[id].op == tree_op::constant; }
  bool require(node_id id, value_type wanted, std::string_view taker);
  void fold(node_id id);
  void report_failed(node_id id);
  std::uint32_t store(value v);
  node_id unknown_name(std::span<const std::string_view> path, text_range at);
  node_id unknown_function(std::string_view name, text_range at);

  name_resolver& names_;
  diagnostics& out_;
  std::shared_ptr<expression_tree> tree_ = std::make_shared<expression_tree>();
  const node* current_ = nullptr;  // the string that ranges mean
  std::uint32_t base_ = 0;         // where its text begins in tree_->text
  std::size_t errors_here_ = 0;    // in the current string
  bool too_deep_here_ = false;     // told once: every further level would be the same error
  std::uint64_t work_ = 0;         // of all folding: hostile constants must not stall the load
};

}  // namespace scenarios
