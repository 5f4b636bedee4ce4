#include "scenarios/expression_builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "scenarios/builtin.hpp"
#include "scenarios/string_token.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

using enum value_type;

/// Mapping a place in a string to its source is linear, so a string full of errors tells a few.
constexpr std::size_t errors_per_string_max = 20;

std::string joined_path(std::span<const std::string_view> path) {
  return fmt::format("{}", fmt::join(path, "."));
}

std::vector<std::string_view> views_of(std::span<const std::string> words) {
  return {words.begin(), words.end()};
}

template <class Table>
std::vector<std::string_view> names_of(const Table& table) {
  std::vector<std::string_view> names;
  names.reserve(table.size());
  for (const auto& row : table) names.push_back(row.name);
  return names;
}

/// Only of what can be reached: a branch that was folded away must not be waited for.
void collect_reads(expression_tree& tree, node_id id) {
  const tree_node& n = tree.nodes[id];
  if (n.op == tree_op::slot) tree.reads.push_back(tree.slots[n.detail]);
  for (const node_id child : tree.children_of(n)) collect_reads(tree, child);
}

}  // namespace

void expression_builder::enter(const node& json) {
  current_ = &json;
  errors_here_ = 0;
  too_deep_here_ = false;
  base_ = static_cast<std::uint32_t>(tree_->text.size());
  if (json.text().find("${") != std::string::npos) tree_->text += json.text();
}

void expression_builder::leave(node_id top) {
  if (tree_->valid) report_failed(top);
}

/// Reports what is certain to fail whenever `id` is evaluated.
void expression_builder::report_failed(node_id id) {
  const tree_node& n = tree_->nodes[id];
  if (n.op == tree_op::failed) {
    refuse(code::constant_failed, range_of(id), tree_->constants[n.detail].data());
    return;
  }
  const bool only_first =
      n.op == tree_op::choose || n.op == tree_op::logical_and || n.op == tree_op::logical_or;
  const std::uint32_t certain = only_first ? 1 : n.child_count;
  for (std::uint32_t i = 0; i < certain; ++i)
    report_failed(tree_->children[tree_->nodes[id].first_child + i]);
}

node_id expression_builder::refuse(code id, text_range at, std::string message, std::string help) {
  tree_->valid = false;
  if (errors_here_++ < errors_per_string_max) {
    const span where = current_->is(node_kind::string) ? inside_string(*current_, at.begin, at.end)
                                                       : current_->at();
    out_.error(id, where, std::move(message)).help = std::move(help);
  }
  return poison();
}

node_id expression_builder::poison() {
  tree_node poisoned;
  poisoned.op = tree_op::failed;
  poisoned.begin = poisoned.end = base_;
  poisoned.detail = store(value::text("the expression has errors"));
  tree_->nodes.push_back(poisoned);
  return static_cast<node_id>(tree_->nodes.size() - 1);
}

text_range expression_builder::range_of(node_id id) const {
  const tree_node& n = tree_->nodes[id];
  return {n.begin - base_, n.end - base_};
}

std::uint32_t expression_builder::store(value v) {
  tree_->constants.push_back(std::move(v));
  return static_cast<std::uint32_t>(tree_->constants.size() - 1);
}

node_id expression_builder::add(tree_op op, text_range at, std::span<const node_id> children,
                                value_type type, std::uint32_t detail, bool foldable) {
  tree_node made;
  made.op = op;
  made.type = type;
  made.begin = base_ + at.begin;
  made.end = base_ + at.end;
  made.first_child = static_cast<std::uint32_t>(tree_->children.size());
  made.child_count = static_cast<std::uint32_t>(children.size());
  made.detail = detail;
  for (const node_id child : children)
    made.depth = std::max<std::uint16_t>(made.depth, tree_->nodes[child].depth + 1);
  if (made.depth > max_expression_depth) {
    if (std::exchange(too_deep_here_, true)) return poison();
    return refuse(code::expression_syntax, at, "the expression is nested too deeply");
  }
  tree_->children.insert(tree_->children.end(), children.begin(), children.end());
  tree_->nodes.push_back(made);
  const auto id = static_cast<node_id>(tree_->nodes.size() - 1);
  const auto constant_child = [&](node_id child) { return is_constant(child); };
  if (foldable && std::ranges::all_of(children, constant_child)) fold(id);
  return id;
}

/// Replaces a node whose children are all constant by its value, or by its failure: that may stand
/// in a branch that is never taken, so it is no error yet.
void expression_builder::fold(node_id id) {
  evaluation made = evaluate(*tree_, id, no_environment(), work_);
  tree_node& n = tree_->nodes[id];
  for (const node_id child : tree_->children_of(n))
    tree_->constants[tree_->nodes[child].detail] = value();  // or doubling would keep every step
  n.child_count = 0;
  n.depth = 1;
  n.op = made ? tree_op::constant : tree_op::failed;
  if (made) n.type = made->kind();
  n.detail = store(made ? *std::move(made) : value::text(made.message()));
}

bool expression_builder::require(node_id id, value_type wanted, std::string_view taker) {
  if (may_be(type_of(id), wanted)) return true;
  refuse(code::expression_type, range_of(id),
         fmt::format("{} takes {}, not {}", taker, type_name(wanted), type_name(type_of(id))));
  return false;
}

node_id expression_builder::constant(value v, text_range at) {
  const value_type type = v.kind();
  const std::uint32_t stored = store(std::move(v));
  return add(tree_op::constant, at, {}, type, stored, false);
}

node_id expression_builder::name(std::span<const std::string_view> path, text_range at) {
  std::optional<resolved_name> found = names_.resolve(path);
  if (!found) return unknown_name(path, at);
  const std::size_t used = std::clamp<std::size_t>(found->parts_used, 1, path.size());
  text_range so_far{at.begin, static_cast<std::uint32_t>(path[used - 1].data() - path[0].data() +
                                                         path[used - 1].size() + at.begin)};
  node_id top = 0;
  if (found->constant) {
    top = constant(*std::move(found->constant), so_far);
  } else {
    tree_->slots.push_back(found->slot);
    top = add(tree_op::slot, so_far, {}, found->type,
              static_cast<std::uint32_t>(tree_->slots.size() - 1), false);
  }
  for (const std::string_view part : path.subspan(used)) {
    so_far.end = static_cast<std::uint32_t>(part.data() - path[0].data() + part.size() + at.begin);
    top = field(top, part, so_far);
  }
  return top;
}

node_id expression_builder::unknown_name(std::span<const std::string_view> path, text_range at) {
  const std::string whole = joined_path(path);
  const std::vector<std::string> candidates = names_.candidates(path);
  std::string help = did_you_mean(whole, views_of(candidates));
  if (help.empty() && path.size() == 1 && find_function(whole) != nullptr)
    help = fmt::format("{} is a function: {}", whole, find_function(whole)->signature);
  // Between letters a minus belongs to the name; who wanted to subtract cannot know.
  if (whole.find('-') != std::string::npos && help.find('-') == std::string::npos)
    help = "to subtract, put blanks around the minus: a - b";
  return refuse(code::unknown_name, at, fmt::format("unknown name {}", in_quotes(whole)),
                std::move(help));
}

node_id expression_builder::field(node_id whole, std::string_view name, text_range at) {
  if (!may_be(type_of(whole), record)) {
    return refuse(
        code::expression_type, at,
        fmt::format("{} has no fields, so no {}", type_name(type_of(whole)), in_quotes(name)));
  }
  if (is_constant(whole)) {
    const value& known = tree_->constants[tree_->nodes[whole].detail];
    if (known.find(name) == nullptr) {
      return refuse(code::unknown_name, at, fmt::format("there is no field {}", in_quotes(name)),
                    suggestion(name, names_of(known.fields())));
    }
  }
  tree_->names.emplace_back(name);
  return add(tree_op::field, at, std::span(&whole, 1), any,
             static_cast<std::uint32_t>(tree_->names.size() - 1));
}

node_id expression_builder::negate(node_id x, text_range at) {
  if (!require(x, integer, "`-`")) return poison();
  return add(tree_op::negate, at, std::span(&x, 1), integer);
}

node_id expression_builder::logical_not(node_id x, text_range at) {
  if (!require(x, boolean, "`not`")) return poison();
  return add(tree_op::logical_not, at, std::span(&x, 1), boolean);
}

node_id expression_builder::logical(bool deciding, node_id left, node_id right, text_range at) {
  const std::string_view taker = deciding ? "`or`" : "`and`";
  const bool left_fits = require(left, boolean, taker);
  if (!require(right, boolean, taker) || !left_fits) return poison();
  if (is_constant(left)) {
    const bool decided = tree_->constants[tree_->nodes[left].detail].boolean() == deciding;
    return decided ? left : right;
  }
  const node_id sides[] = {left, right};
  return add(deciding ? tree_op::logical_or : tree_op::logical_and, at, sides, boolean);
}

node_id expression_builder::choose(node_id condition, node_id yes, node_id no, text_range at) {
  if (!require(condition, boolean, "the condition before `?`")) return poison();
  if (is_constant(condition))
    return tree_->constants[tree_->nodes[condition].detail].boolean() ? yes : no;
  const node_id parts[] = {condition, yes, no};
  return add(tree_op::choose, at, parts, type_of(yes) | type_of(no));
}

node_id expression_builder::binary(const binary_operator& op, node_id left, node_id right,
                                   text_range at) {
  const value_type type = result_type(op, type_of(left), type_of(right));
  if (type == none) {
    const bool number_and_text = may_be(type_of(left) | type_of(right), integer) &&
                                 may_be(type_of(left) | type_of(right), data);
    return refuse(
        code::expression_type, at,
        fmt::format("`{}` does not take {} and {}", op.spelling, type_name(type_of(left)),
                    type_name(type_of(right))),
        number_and_text ? "convert one of them: int(x) makes an integer, str(x) text" : "");
  }
  const node_id sides[] = {left, right};
  const auto detail = static_cast<std::uint32_t>(&op - binary_operators().data());
  return add(tree_op::binary, at, sides, type, detail);
}

node_id expression_builder::index(node_id container, node_id position, text_range at) {
  if (!require(container, list | data | record, "an index")) return poison();
  const value_type positions = (may_be(type_of(container), list | data) ? integer : none) |
                               (may_be(type_of(container), record) ? text : none);
  if (!require(position, positions, "this index")) return poison();
  value_type type = none;
  if (may_be(type_of(container), list | record)) type = any;
  if (may_be(type_of(container), text)) type = type | text;
  if (may_be(type_of(container), bytes)) type = type | integer;
  const node_id parts[] = {container, position};
  return add(tree_op::index, at, parts, type);
}

node_id expression_builder::slice(node_id container, node_id from, node_id to, text_range at) {
  const bool fits = require(container, list | data, "a slice");
  if (!require(from, integer | null, "a slice's start") ||
      !require(to, integer | null, "a slice's end") || !fits) {
    return poison();
  }
  const node_id parts[] = {container, from, to};
  return add(tree_op::slice, at, parts, type_of(container) & (list | data));
}

node_id expression_builder::unknown_function(std::string_view name, text_range at) {
  return refuse(code::unknown_function, at, fmt::format("unknown function {}", in_quotes(name)),
                suggestion(name, names_of(function_table()), function_table().size()));
}

node_id expression_builder::call(std::string_view function, text_range name_at,
                                 std::span<const node_id> arguments, text_range at) {
  const function_info* known = find_function(function);
  if (known == nullptr) return unknown_function(function, name_at);
  if (arguments.size() < known->parameters_min || arguments.size() > known->parameters_max) {
    return refuse(code::bad_arguments, at,
                  fmt::format("{} takes {} argument{}, not {}", function,
                              arguments.size() < known->parameters_min ? known->parameters_min
                                                                       : known->parameters_max,
                              known->parameters_max == 1 ? "" : "s", arguments.size()),
                  std::string(known->signature));
  }
  bool fits = true;
  for (std::size_t i = 0; i < arguments.size(); ++i)
    fits = require(arguments[i], known->parameter[i], fmt::format("{}()", function)) && fits;
  if (!fits) return poison();
  const value_type type =
      known->same_kind ? type_of(arguments[0]) & known->parameter[0] : known->result;
  const auto detail = static_cast<std::uint32_t>(known - function_table().data());
  return add(tree_op::call, at, arguments, type, detail, known->pure);
}

node_id expression_builder::list_of(std::span<const node_id> items, text_range at) {
  return add(tree_op::list, at, items, value_type::list);
}

node_id expression_builder::record_of(std::span<const std::string> names,
                                      std::span<const node_id> contents) {
  const auto first = static_cast<std::uint32_t>(tree_->names.size());
  tree_->names.insert(tree_->names.end(), names.begin(), names.end());
  return add(tree_op::record, {}, contents, value_type::record, first);
}

node_id expression_builder::join(std::span<const node_id> pieces, text_range at) {
  bool may_be_bytes = false;
  bool is_bytes = false;
  for (const node_id piece : pieces) {
    if (!require(piece, data | integer | boolean, "a string")) return poison();
    may_be_bytes = may_be_bytes || may_be(type_of(piece), bytes);
    is_bytes = is_bytes || type_of(piece) == bytes;
  }
  return add(tree_op::join, at, pieces, is_bytes ? bytes : may_be_bytes ? data : text);
}

std::shared_ptr<const expression_tree> expression_builder::finish(node_id root, span at,
                                                                  value_type wanted,
                                                                  std::string_view what) {
  auto made = std::exchange(tree_, std::make_shared<expression_tree>());
  made->root = root;
  made->at = at;
  if (made->valid && made->nodes[root].op == tree_op::constant) {
    // What it was folded from is of no more use.
    tree_node only = made->nodes[root];
    value v = std::move(made->constants[only.detail]);
    *made = {};
    only.detail = only.begin = only.end = 0;
    made->nodes.push_back(only);
    made->constants.push_back(std::move(v));
    made->at = at;
    return made;
  }
  made->wanted = wanted;
  made->what = what;
  collect_reads(*made, root);
  std::ranges::sort(made->reads);
  const auto repeated = std::ranges::unique(made->reads);
  made->reads.erase(repeated.begin(), repeated.end());
  return made;
}

}  // namespace scenarios
