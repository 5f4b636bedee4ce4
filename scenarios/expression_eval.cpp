// Evaluates compiled expressions: one function a kind of node, dispatched by a table.

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/builtin.hpp"
#include "scenarios/expression_tree.hpp"
#include "scenarios/operators.hpp"
#include "scenarios/utf8.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

/// A value in flight: seen where it lives (a slot, a constant), so that `len(body)` copies no body,
/// or made on the way.
class operand {
 public:
  void see(const value& lives_elsewhere) { seen_ = &lives_elsewhere; }
  void make(value made) {
    made_ = std::move(made);
    seen_ = nullptr;
  }
  const value& get() const { return seen_ != nullptr ? *seen_ : made_; }
  value take() && {
    if (seen_ != nullptr) return *seen_;
    return std::move(made_);
  }

 private:
  const value* seen_ = nullptr;
  value made_;
};

/// What looking at a value once, or copying it, costs.
std::uint64_t cost_of(const value& v) {
  return v.is(value_type::data) ? v.data().size() : v.footprint();
}

class evaluator {
 public:
  evaluator(const expression_tree& tree, const environment& env, std::uint64_t& work)
      : tree_(tree), env_(env), work_(work) {}

  bool run(node_id id, operand& result);
  std::string& error() { return error_; }

 private:
  using step = bool (evaluator::*)(const tree_node&, operand&);
  static const step steps[];

  bool constant(const tree_node& n, operand& result);
  bool failed(const tree_node& n, operand& result);
  bool slot(const tree_node& n, operand& result);
  bool negation(const tree_node& n, operand& result);
  bool logical_not(const tree_node& n, operand& result);
  bool logical_and(const tree_node& n, operand& result) { return short_circuit(n, false, result); }
  bool logical_or(const tree_node& n, operand& result) { return short_circuit(n, true, result); }
  bool short_circuit(const tree_node& n, bool decides, operand& result);
  bool choose(const tree_node& n, operand& result);
  bool binary(const tree_node& n, operand& result);
  bool indexing(const tree_node& n, operand& result);
  bool slicing(const tree_node& n, operand& result);
  bool field_of(const tree_node& n, operand& result);
  bool call(const tree_node& n, operand& result);
  bool list(const tree_node& n, operand& result);
  bool record(const tree_node& n, operand& result);
  bool join(const tree_node& n, operand& result);

  bool boolean(node_id id, bool& result);
  bool fail(const tree_node& n, std::string_view why);
  bool finish(const tree_node& n, evaluation made, operand& result);
  bool spend(const tree_node& n, std::uint64_t octets);
  bool spend_aggregate(const tree_node& n, std::uint64_t& total, const value& part);

  const expression_tree& tree_;
  const environment& env_;
  std::uint64_t& work_;
  std::string error_;
};

// In the order of tree_op.
const evaluator::step evaluator::steps[] = {
    &evaluator::constant,    &evaluator::failed,      &evaluator::slot,       &evaluator::negation,
    &evaluator::logical_not, &evaluator::logical_and, &evaluator::logical_or, &evaluator::choose,
    &evaluator::binary,      &evaluator::indexing,    &evaluator::slicing,    &evaluator::field_of,
    &evaluator::call,        &evaluator::list,        &evaluator::record,     &evaluator::join,
};

bool evaluator::run(node_id id, operand& result) {
  const tree_node& n = tree_.nodes[id];
  return (this->*steps[static_cast<std::size_t>(n.op)])(n, result);
}

bool evaluator::fail(const tree_node& n, std::string_view why) {
  const std::string_view where = std::string_view(tree_.text).substr(n.begin, n.end - n.begin);
  error_ = where.empty() ? std::string(why) : fmt::format("{} in {}", why, in_quotes(where));
  return false;
}

bool evaluator::finish(const tree_node& n, evaluation made, operand& result) {
  if (!made) return fail(n, made.message());
  result.make(*std::move(made));
  return spend(n, cost_of(result.get()));
}

bool evaluator::spend(const tree_node& n, std::uint64_t octets) {
  work_ += octets;
  return work_ <= max_evaluation_work || fail(n, "the expression works on more than 1 GiB of data");
}

bool evaluator::constant(const tree_node& n, operand& result) {
  result.see(tree_.constants[n.detail]);
  return true;
}

bool evaluator::failed(const tree_node& n, operand&) {
  error_ = tree_.constants[n.detail].data();
  return false;
}

bool evaluator::slot(const tree_node& n, operand& result) {
  const value* found = env_.read(tree_.slots[n.detail]);
  if (found == nullptr) return fail(n, "no value yet");
  result.see(*found);
  return true;
}

bool evaluator::negation(const tree_node& n, operand& result) {
  operand x;
  if (!run(tree_.children_of(n)[0], x)) return false;
  if (!x.get().is(value_type::integer))
    return fail(n, fmt::format("`-` does not take {}", x.get().type_name()));
  return finish(n, negate(x.get()), result);
}

bool evaluator::boolean(node_id id, bool& result) {
  operand x;
  if (!run(id, x)) return false;
  if (!x.get().is(value_type::boolean))
    return fail(tree_.nodes[id], fmt::format("expected a boolean, found {}", x.get().type_name()));
  result = x.get().boolean();
  return true;
}

bool evaluator::logical_not(const tree_node& n, operand& result) {
  bool x = false;
  if (!boolean(tree_.children_of(n)[0], x)) return false;
  result.make(value(!x));
  return true;
}

bool evaluator::short_circuit(const tree_node& n, bool decides, operand& result) {
  bool x = false;
  for (const node_id side : tree_.children_of(n)) {
    if (!boolean(side, x)) return false;
    if (x == decides) break;
  }
  result.make(value(x));
  return true;
}

bool evaluator::choose(const tree_node& n, operand& result) {
  const auto parts = tree_.children_of(n);
  bool condition = false;
  return boolean(parts[0], condition) && run(condition ? parts[1] : parts[2], result);
}

bool evaluator::binary(const tree_node& n, operand& result) {
  operand left;
  operand right;
  const auto sides = tree_.children_of(n);
  if (!run(sides[0], left) || !run(sides[1], right)) return false;
  return spend(n, cost_of(left.get()) + cost_of(right.get())) &&
         finish(n, apply(binary_operators()[n.detail], left.get(), right.get()), result);
}

bool evaluator::indexing(const tree_node& n, operand& result) {
  operand container;
  operand position;
  const auto parts = tree_.children_of(n);
  if (!run(parts[0], container) || !run(parts[1], position)) return false;
  return finish(n, index(container.get(), position.get()), result);
}

bool evaluator::slicing(const tree_node& n, operand& result) {
  operand container;
  operand from;
  operand to;
  const auto parts = tree_.children_of(n);
  if (!run(parts[0], container) || !run(parts[1], from) || !run(parts[2], to)) return false;
  return finish(n, slice(container.get(), from.get(), to.get()), result);
}

bool evaluator::field_of(const tree_node& n, operand& result) {
  operand whole;
  if (!run(tree_.children_of(n)[0], whole)) return false;
  const std::string& name = tree_.names[n.detail];
  if (!whole.get().is(value_type::record))
    return fail(
        n, fmt::format("{} has no fields, so no {}", whole.get().type_name(), in_quotes(name)));
  const value* found = whole.get().find(name);
  if (found == nullptr) return fail(n, fmt::format("there is no field {}", in_quotes(name)));
  return finish(n, *found, result);
}

bool evaluator::call(const tree_node& n, operand& result) {
  const function_info& function = function_table()[n.detail];
  const auto parts = tree_.children_of(n);
  operand arguments[max_function_parameters];
  const value* seen[max_function_parameters] = {};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!run(parts[i], arguments[i])) return false;
    seen[i] = &arguments[i].get();
    if (!seen[i]->is(function.parameter[i])) {
      return fail(n, fmt::format("{} does not take {}", function.signature, seen[i]->type_name()));
    }
    if (!spend(n, cost_of(*seen[i]))) return false;
  }
  return finish(n, function.call({seen, parts.size()}, env_), result);
}

/// A list or record grows by a part: what it holds altogether is limited, nested copies included.
bool evaluator::spend_aggregate(const tree_node& n, std::uint64_t& total, const value& part) {
  total += part.footprint();
  if (total > max_value_bytes) return fail(n, too_large().message());
  if (part.depth() >= max_value_depth) return fail(n, "lists are nested too deeply");
  return spend(n, part.footprint());
}

bool evaluator::list(const tree_node& n, operand& result) {
  value::list_type items;
  items.reserve(n.child_count);
  std::uint64_t total = 0;
  for (const node_id id : tree_.children_of(n)) {
    operand item;
    if (!run(id, item) || !spend_aggregate(n, total, item.get())) return false;
    items.push_back(std::move(item).take());
  }
  result.make(value::list(std::move(items)));
  return true;
}

bool evaluator::record(const tree_node& n, operand& result) {
  value::record_type fields;
  fields.reserve(n.child_count);
  std::uint64_t total = 0;
  const std::string* name = tree_.names.data() + n.detail;
  for (const node_id id : tree_.children_of(n)) {
    operand content;
    if (!run(id, content) || !spend_aggregate(n, total, content.get())) return false;
    fields.push_back({*name++, std::move(content).take()});
  }
  result.make(value::record(std::move(fields)));
  return true;
}

bool evaluator::join(const tree_node& n, operand& result) {
  std::string joined;
  bool is_bytes = false;
  for (const node_id id : tree_.children_of(n)) {
    operand piece;
    if (!run(id, piece)) return false;
    const value& v = piece.get();
    if (v.is(value_type::data)) {
      joined += v.data();
      is_bytes = is_bytes || v.is(value_type::bytes);
    } else if (v.is(value_type::number | value_type::boolean)) {
      joined += describe(v);
    } else {
      return fail(tree_.nodes[id], fmt::format("{} cannot stand inside a string", v.type_name()));
    }
    if (joined.size() > max_value_bytes) return fail(n, too_large().message());
  }
  value made = is_bytes ? value::bytes(std::move(joined)) : value::text(std::move(joined));
  return finish(n, std::move(made), result);
}

}  // namespace

evaluation evaluate(const expression_tree& tree, node_id from, const environment& env,
                    std::uint64_t& work) {
  evaluator run(tree, env, work);
  operand result;
  if (!run.run(from, result)) return evaluation::failure(std::move(run.error()));
  return std::move(result).take();
}

}  // namespace scenarios
