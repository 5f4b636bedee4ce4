#include "scenarios/expression.hpp"

#include <fmt/format.h>

#include <set>

#include "scenarios/expression_builder.hpp"
#include "scenarios/expression_parser.hpp"
#include "scenarios/expression_tree.hpp"

namespace scenarios {
namespace {

constexpr std::size_t shown_bytes_max = 60;

/// Compiles one JSON value, with everything in it, into one tree.
class value_compiler {
 public:
  value_compiler(name_resolver& names, diagnostics& out, bool decimals)
      : builder_(names, out), decimals_(decimals) {}

  expression compile(const node& from, value_type wanted = value_type::any,
                     std::string_view what = {}) {
    const node_id root = build(from, 1);
    return expression(builder_.finish(root, from.at(), wanted, what));
  }

 private:
  node_id build(const node& from, std::size_t depth);
  node_id build_array(const node& from, std::size_t depth);
  node_id build_object(const node& from, std::size_t depth);

  expression_builder builder_;
  const bool decimals_;
};

node_id value_compiler::build(const node& from, std::size_t depth) {
  builder_.enter(from);
  if (depth > max_value_depth) {
    return builder_.refuse(code::value_out_of_range, {},
                           fmt::format("a value is at most {} levels deep", max_value_depth));
  }
  switch (from.kind()) {
    case node_kind::null:
      return builder_.constant(value(), {});
    case node_kind::boolean:
      return builder_.constant(value(from.boolean()), {});
    case node_kind::integer:
      return builder_.constant(value(from.integer()), {});
    case node_kind::real:
      if (decimals_) return builder_.constant(value::decimal(from.real()), {});
      return builder_.refuse(code::wrong_type, {}, "numbers are integers here",
                             "write a fraction as a string");
    case node_kind::string: {
      const node_id made = expression_parser(from, builder_).parse_string();
      builder_.leave(made);
      return made;
    }
    case node_kind::array:
      return build_array(from, depth);
    case node_kind::object:
      return build_object(from, depth);
  }
  return builder_.poison();
}

node_id value_compiler::build_array(const node& from, std::size_t depth) {
  std::vector<node_id> items;
  items.reserve(from.items().size());
  for (const node& item : from.items()) items.push_back(build(item, depth + 1));
  builder_.enter(from);
  return builder_.list_of(items, {});
}

node_id value_compiler::build_object(const node& from, std::size_t depth) {
  std::vector<std::string> names;
  std::vector<node_id> contents;
  for (const member& m : from.members()) {
    names.push_back(m.key);
    contents.push_back(build(m.value, depth + 1));
  }
  builder_.enter(from);
  return builder_.record_of(names, contents);
}

class knows_no_names final : public name_resolver {
 public:
  std::optional<resolved_name> resolve(std::span<const std::string_view>) override {
    return std::nullopt;
  }
  std::vector<std::string> candidates(std::span<const std::string_view>) override { return {}; }
};

class holds_nothing final : public environment {
 public:
  const value* read(slot_ref) const override { return nullptr; }
  std::uint64_t seed_for(std::string_view) const override { return 0; }
};

const expression_tree& null_tree() {
  static const expression_tree tree = [] {
    expression_tree made;
    made.nodes.emplace_back().type = value_type::null;
    made.constants.emplace_back();
    return made;
  }();
  return tree;
}

const expression_tree& of(const std::shared_ptr<const expression_tree>& tree) {
  return tree != nullptr ? *tree : null_tree();
}

}  // namespace

expression::expression(value constant) {
  auto made = std::make_shared<expression_tree>();
  made->nodes.emplace_back().type = constant.kind();
  made->constants.push_back(std::move(constant));
  tree_ = std::move(made);
}

expression::expression(std::shared_ptr<const expression_tree> tree) : tree_(std::move(tree)) {}

bool expression::is_valid() const {
  return of(tree_).valid;
}

bool expression::is_constant() const {
  const expression_tree& tree = of(tree_);
  return tree.valid && tree.nodes[tree.root].op == tree_op::constant;
}

const value& expression::constant() const {
  const expression_tree& tree = of(tree_);
  return tree.constants[tree.nodes[tree.root].detail];
}

value_type expression::type() const {
  const expression_tree& tree = of(tree_);
  return tree.valid ? tree.nodes[tree.root].type : value_type::any;
}

std::span<const slot_ref> expression::reads() const {
  return of(tree_).reads;
}

span expression::at() const {
  return of(tree_).at;
}

evaluation expression::eval(const environment& env) const {
  const expression_tree& tree = of(tree_);
  if (!tree.valid) return evaluation::failure("the expression has errors");
  std::uint64_t work = 0;
  evaluation made = evaluate(tree, tree.root, env, work);
  // What a name holds is often known only now.
  if (!made || tree.wanted == value_type::any) return made;
  if (!made->is(tree.wanted))
    return evaluation::failure(
        fmt::format("{} is {}, not {}", tree.what, type_name(tree.wanted),
                    made->is(value_type::null) ? "nothing" : describe(*made, shown_bytes_max)));
  if (tree.wanted == value_type::integer &&
      (made->integer() < tree.min || made->integer() > tree.max))
    return evaluation::failure(
        fmt::format("{} is from {} to {}, not {}", tree.what, tree.min, tree.max, made->integer()));
  return made;
}

expression expression::within(std::int64_t min, std::int64_t max, std::string_view what) const {
  auto made = std::make_shared<expression_tree>(of(tree_));
  made->wanted = value_type::integer;
  made->min = min;
  made->max = max;
  made->what = what;
  return expression(std::move(made));
}

std::string expression::describe_names(const environment& env) const {
  std::string text;
  if (!tree_) return text;
  std::set<std::string_view> told;
  for (const tree_node& node : tree_->nodes) {
    if (node.op != tree_op::slot) continue;
    const std::string_view name =
        std::string_view(tree_->text).substr(node.begin, node.end - node.begin);
    if (!told.insert(name).second) continue;
    const value* held = env.read(tree_->slots[node.detail]);
    if (!text.empty()) text += ", ";
    text += fmt::format("{} = {}", name, held != nullptr ? describe(*held) : "not assigned");
  }
  return text;
}

expression compile_text(const node& from, name_resolver& names, diagnostics& out) {
  return compile_typed(from, value_type::any, "", names, out);
}

expression compile_value(const node& from, name_resolver& names, diagnostics& out) {
  return value_compiler(names, out, false).compile(from);
}

expression compile_compared(const node& from, name_resolver& names, diagnostics& out) {
  return value_compiler(names, out, true).compile(from);
}

expression compile_typed(const node& from, value_type wanted, std::string_view what,
                         name_resolver& names, diagnostics& out) {
  expression made = value_compiler(names, out, false).compile(from, wanted, what);
  if (!made.is_valid() || may_be(made.type(), wanted)) return made;
  out.error(code::wrong_type, from.at(),
            fmt::format("{} is {}, not {}", what, type_name(wanted), type_name(made.type())));
  auto refused = std::make_shared<expression_tree>();
  refused->valid = false;
  refused->at = from.at();
  refused->nodes.emplace_back().op = tree_op::failed;
  return expression(std::shared_ptr<const expression_tree>(std::move(refused)));
}

name_resolver& no_names() {
  static knows_no_names none;
  return none;
}

const environment& no_environment() {
  static const holds_nothing nothing;
  return nothing;
}

}  // namespace scenarios
