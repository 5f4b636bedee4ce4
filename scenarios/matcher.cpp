#include "scenarios/matcher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "scenarios/matcher_tree.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr std::size_t operands_max = 2;
/// Of a list in a description; a hostile one has a hundred thousand.
constexpr std::size_t listed_max = 12;

std::optional<amount_kind> amount_kind_of(match_domain domain) {
  switch (domain) {
    case match_domain::result:
      return amount_kind::result;
    case match_domain::number:
      return amount_kind::integer;
    case match_domain::duration:
      return amount_kind::duration;
    default:
      return std::nullopt;
  }
}

std::string describe_flags(const value& names) {
  std::string text = "[";
  for (const value& name : names.items()) {
    if (text.size() > 1) text += ", ";
    text += name.is(value_type::data) ? visible(name.data()) : describe(name);
  }
  return text + "]";
}

std::string describe_value(match_domain domain, const value& v) {
  const std::optional<amount_kind> kind = amount_kind_of(domain);
  if (kind && v.is(value_type::integer)) return describe_amount(*kind, v.integer());
  if (domain == match_domain::flags && v.is(value_type::list)) return describe_flags(v);
  return describe(v);
}

std::string describe_operand(match_domain domain, const matcher_operand& operand) {
  if (const auto* known = std::get_if<value>(&operand)) return describe_value(domain, *known);
  if (const auto* number = std::get_if<amount>(&operand)) return number->describe();
  if (const auto* data = std::get_if<payload>(&operand)) return data->describe();
  return visible(std::get<expression>(operand).at().text());
}

std::string describe_node(const matcher_node& n);

std::string describe_children(const matcher_node& n) {
  const std::string_view separator = n.row->info.name == "all_of" ? " and " : ", ";
  std::string text;
  for (const matcher_node& child : n.children) {
    if (!text.empty()) text += separator;
    if (static_cast<std::size_t>(&child - n.children.data()) == listed_max)
      return fmt::format("{}… ({} altogether)", text, n.children.size());
    const bool has_list = child.row->shape == matcher_shape::several && child.children.size() > 1;
    text += has_list ? fmt::format("({})", describe_node(child)) : describe_node(child);
  }
  return text;
}

std::string describe_pattern(std::string_view text) {
  // A pattern is shown between slashes, not as a quoted string with its backslashes doubled.
  return fmt::format("/{}/", visible(text));
}

/// `shown` are the operands as text, in place of what the node would say about them.
std::string describe_with(const matcher_node& n, std::span<const std::string> shown) {
  switch (n.row->shape) {
    case matcher_shape::truth:
      return std::string(n.row->prefix);
    case matcher_shape::range:
      return fmt::format("{} to {}", shown[0], shown[1]);
    case matcher_shape::near:
      return fmt::format("{} ± {}", shown[0], shown[1]);
    case matcher_shape::file:
      return n.missing ? fmt::format("what {} will hold", n.golden)
                       : fmt::format("what {} holds", n.golden);
    case matcher_shape::part:
    case matcher_shape::bit_range:
    case matcher_shape::derived:
    case matcher_shape::paths:
    case matcher_shape::items:
    case matcher_shape::counted:
    case matcher_shape::unordered:
    case matcher_shape::message:
      return describe_inside(n, shown, describe_node);
    case matcher_shape::count:
    case matcher_shape::inverted:
    case matcher_shape::several:
      return std::string(n.row->prefix) + describe_children(n);
    default:
      return std::string(n.row->prefix) + shown[0];
  }
}

std::string describe_node(const matcher_node& n) {
  std::vector<std::string> shown;
  for (const matcher_operand& operand : n.operands) {
    const auto* known = std::get_if<value>(&operand);
    const bool pattern =
        n.row->shape == matcher_shape::regex || n.row->shape == matcher_shape::glob;
    // Places inside data are plain numbers, whatever the domain; a share is text.
    const match_domain domain =
        !n.children.empty() || (known != nullptr && known->is(value_type::text) &&
                                n.row->shape == matcher_shape::near)
            ? match_domain::value
            : n.domain;
    shown.push_back(pattern && known != nullptr ? describe_pattern(known->data())
                    : n.row->shape == matcher_shape::near && domain == match_domain::value &&
                            known != nullptr && known->is(value_type::text)
                        ? known->data()
                        : describe_operand(domain, operand));
  }
  return describe_with(n, shown);
}

std::size_t common_length(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

std::int64_t scaled(std::int64_t bound, double scale) {
  const double product = static_cast<double>(bound) * scale;
  // 2^63 as a double is the first that does not fit.
  if (!(product < 9223372036854775808.0)) return std::numeric_limits<std::int64_t>::max();
  return std::max<std::int64_t>(0, std::llround(product));
}

/// One check: operands evaluated, durations scaled, children asked.
class checker {
 public:
  explicit checker(const match_context& context) : context_(context) {}

  std::optional<mismatch> check(const matcher_node& n, const value& got) const;

 private:
  struct evaluated {
    value made[operands_max];
    const value* seen[operands_max] = {};
    std::string shown[operands_max];
  };

  std::optional<mismatch> check_several(const matcher_node& n, const value& got) const;
  std::optional<mismatch> check_inverted(const matcher_node& n, const value& got) const;
  std::optional<mismatch> check_count(const matcher_node& n, const value& got) const;
  std::optional<mismatch> check_regex(const matcher_node& n, const value& got,
                                      const evaluated& with) const;
  std::optional<mismatch> check_near(const matcher_node& n, const value& got,
                                     const evaluated& with) const;
  std::optional<mismatch> check_file(const matcher_node& n, const value& got,
                                     const evaluated& with) const;
  std::string evaluate(const matcher_node& n, evaluated& result) const;
  void scale(const matcher_node& n, std::size_t which, evaluated& result) const;
  mismatch explain(const matcher_node& n, const value& got, const evaluated& with) const;

  const match_context& context_;
};

mismatch failure(const matcher_node& n, std::string error) {
  mismatch made = plain_mismatch(n);
  made.error = std::move(error);
  return made;
}

bool is_order(const matcher_row& row) {
  return row.bound != bound_side::none || row.shape == matcher_shape::range;
}

std::string described_kind(const value& of) {
  if (of.is_null()) return "nothing";
  return fmt::format("{} ({})", describe(of, 40), of.type_name());
}

std::string no_order(const matcher_node& n, const value& got, const value& operand) {
  return fmt::format("`{}` does not compare {} with {}", n.row->info.name, described_kind(got),
                     described_kind(operand));
}

std::optional<mismatch> checker::check(const matcher_node& n, const value& got) const {
  switch (n.row->shape) {
    case matcher_shape::several:
      return check_several(n, got);
    case matcher_shape::inverted:
      return check_inverted(n, got);
    case matcher_shape::count:
      return check_count(n, got);
    default:
      break;
  }
  evaluated with;
  if (std::string error = evaluate(n, with); !error.empty()) return failure(n, std::move(error));
  const std::span seen(with.seen, n.operands.size());
  switch (n.row->shape) {
    case matcher_shape::regex:
    case matcher_shape::glob:
      return check_regex(n, got, with);
    case matcher_shape::near:
      return check_near(n, got, with);
    case matcher_shape::file:
      return check_file(n, got, with);
    case matcher_shape::part:
    case matcher_shape::bit_range:
    case matcher_shape::derived:
    case matcher_shape::paths:
    case matcher_shape::items:
    case matcher_shape::counted:
    case matcher_shape::unordered:
    case matcher_shape::message:
      return check_inside(n, got, seen, [this](const matcher_node& child, const value& part) {
        return check(child, part);
      });
    default:
      break;
  }
  if (n.row->holds(n.domain, got, std::span(with.seen, n.operands.size()))) return std::nullopt;
  mismatch wrong = explain(n, got, with);
  if (is_order(*n.row)) {
    for (const value* operand : seen)
      if (wrong.undecided.empty() && !order_of(got, *operand))
        wrong.undecided = no_order(n, got, *operand);
  }
  return wrong;
}

/// all_of, any_of and none_of are one question: does a child say what decides?
std::optional<mismatch> checker::check_several(const matcher_node& n, const value& got) const {
  const bool all = n.row->info.name == "all_of";
  const bool any = n.row->info.name == "any_of";
  miss_side side = miss_side::unknown;
  std::string undecided;
  for (const matcher_node& child : n.children) {
    std::optional<mismatch> wrong = check(child, got);
    if (wrong && !wrong->error.empty()) return wrong;
    if (all && wrong) return wrong;
    if (any && !wrong) return std::nullopt;
    if (!all && !any && !wrong) return plain_mismatch(n);
    if (wrong && undecided.empty()) undecided = wrong->undecided;
    if (wrong)
      side = &child == n.children.data() || side == wrong->side ? wrong->side : miss_side::unknown;
  }
  if (!any) {
    if (undecided.empty()) return std::nullopt;
    return failure(n, std::move(undecided));
  }
  mismatch none = plain_mismatch(n);
  none.undecided = std::move(undecided);
  none.side = side;
  return none;
}

std::optional<mismatch> checker::check_inverted(const matcher_node& n, const value& got) const {
  std::optional<mismatch> wrong = check(n.children[0], got);
  if (!wrong) return plain_mismatch(n);
  // What could not be evaluated has not been shown to differ.
  if (!wrong->error.empty()) return wrong;
  if (!wrong->undecided.empty()) return failure(n, std::move(wrong->undecided));
  return std::nullopt;
}

std::optional<mismatch> checker::check_count(const matcher_node& n, const value& got) const {
  if (!got.is(value_type::data | value_type::list | value_type::record)) {
    mismatch wrong = plain_mismatch(n);
    wrong.undecided = fmt::format("{} has no length", described_kind(got));
    return wrong;
  }
  const std::size_t length = got.is(value_type::list)     ? got.items().size()
                             : got.is(value_type::record) ? got.fields().size()
                                                          : got.data().size();
  std::optional<mismatch> wrong = check(n.children[0], value(static_cast<std::int64_t>(length)));
  if (!wrong) return std::nullopt;
  wrong->expected = fmt::format("{}{}", n.row->prefix, wrong->expected);
  return wrong;
}

std::optional<mismatch> checker::check_regex(const matcher_node& n, const value& got,
                                             const evaluated& with) const {
  std::shared_ptr<const RE2> pattern = n.regex;
  if (pattern == nullptr) pattern = compile_regex(with.seen[0]->data());
  if (!pattern->ok()) return failure(n, "the pattern is not valid: " + pattern->error());
  if (got.is(value_type::data) &&
      RE2::PartialMatch({got.data().data(), got.data().size()}, *pattern)) {
    return std::nullopt;
  }
  mismatch wrong = plain_mismatch(n);
  const std::string shown[] = {describe_pattern(with.seen[0]->data())};
  wrong.expected = describe_with(n, shown);
  return wrong;
}

/// With fractions nothing is said in whole numbers.
std::optional<mismatch> check_near_decimal(const matcher_node& n, const value& got,
                                           const value& wanted, const value& within) {
  const auto wide = [](const value& v) {
    return v.is(value_type::integer) ? static_cast<double>(v.integer()) : v.real();
  };
  const double middle = wide(wanted);
  const double reach = within.is(value_type::text)
                           ? std::abs(middle) * std::strtod(within.data().c_str(), nullptr) / 100.0
                           : wide(within);
  if (reach < 0) return failure(n, "`within` of `approx` is negative");
  const double came = wide(got);
  if (std::abs(came - middle) <= reach) return std::nullopt;
  mismatch wrong = plain_mismatch(n);
  wrong.side = came < middle ? miss_side::below : miss_side::above;
  return wrong;
}

/// How far from the value it may be: an amount, or a share of the value.
std::int64_t reach_of(std::int64_t middle, const value& within) {
  if (within.is(value_type::integer)) return within.integer();
  std::int64_t percent = 0;
  const std::string& text = within.data();
  std::from_chars(text.data(), text.data() + text.size(), percent);
  return static_cast<std::int64_t>(
      std::llround(std::abs(static_cast<double>(middle)) * static_cast<double>(percent) / 100.0));
}

/// Durations: the lower bound is exact, the upper one grows on slow machines.
std::optional<mismatch> checker::check_near(const matcher_node& n, const value& got,
                                            const evaluated& with) const {
  if (!with.seen[0]->is(value_type::number) ||
      !with.seen[1]->is(value_type::number | value_type::text))
    return failure(n, "`approx` is about numbers");
  if (!got.is(value_type::number)) {
    mismatch wrong = plain_mismatch(n);
    wrong.undecided = no_order(n, got, *with.seen[0]);
    return wrong;
  }
  const auto is_decimal = [](const value& v) { return v.is(value_type::decimal); };
  if (is_decimal(got) || is_decimal(*with.seen[0]) || is_decimal(*with.seen[1]))
    return check_near_decimal(n, got, *with.seen[0], *with.seen[1]);
  const std::int64_t middle = with.seen[0]->integer();
  const std::int64_t reach = reach_of(middle, *with.seen[1]);
  std::int64_t low = 0;
  std::int64_t high = 0;
  if (reach < 0 || __builtin_sub_overflow(middle, reach, &low) ||
      __builtin_add_overflow(middle, reach, &high))
    return failure(n, "the bounds of `approx` are no integers");
  if (n.domain == match_domain::duration && !n.negated) high = scaled(high, context_.time_scale);
  if (got.integer() >= low && got.integer() <= high) return std::nullopt;
  mismatch wrong = plain_mismatch(n);
  wrong.side = got.integer() < low ? miss_side::below : miss_side::above;
  return wrong;
}

std::optional<mismatch> checker::check_file(const matcher_node& n, const value& got,
                                            const evaluated& with) const {
  const std::string& wanted = with.seen[0]->data();
  if (!n.missing && got.is(value_type::data) && got.data() == wanted) return std::nullopt;
  mismatch wrong = plain_mismatch(n);
  if (!got.is(value_type::data)) return wrong;
  wrong.first_difference = common_length(got.data(), wanted);
  wrong.expected_data = wanted;
  return wrong;
}

/// The message of what went wrong, or "".
std::string checker::evaluate(const matcher_node& n, evaluated& result) const {
  for (std::size_t i = 0; i < n.operands.size(); ++i) {
    const matcher_operand& operand = n.operands[i];
    if (const auto* known = std::get_if<value>(&operand)) {
      result.seen[i] = known;
    } else {
      const auto run = [&](const auto& source) -> evaluation {
        if constexpr (requires { source.eval(context_.env); })
          return source.eval(context_.env);
        else
          return source;
      };
      evaluation made = std::visit(run, operand);
      if (!made) return made.message();
      result.made[i] = *std::move(made);
      result.seen[i] = &result.made[i];
    }
    const bool is_place =
        n.row->shape == matcher_shape::part || n.row->shape == matcher_shape::bit_range;
    if (is_place && !result.seen[i]->is(value_type::integer))
      return fmt::format("a place is an integer, not {}", result.seen[i]->type_name());
    const bool needs_text = n.row->shape == matcher_shape::regex;
    if (needs_text && !result.seen[i]->is(value_type::data))
      return fmt::format("a pattern is text, not {}", result.seen[i]->type_name());
    if (n.domain == match_domain::duration && n.row->shape != matcher_shape::near)
      scale(n, i, result);
  }
  return {};
}

/// Upper bounds of durations grow on slow machines. Below a `not`, a lower bound is an upper one.
void checker::scale(const matcher_node& n, std::size_t which, evaluated& result) const {
  const bool is_upper =
      n.row->shape == matcher_shape::range ? which == 1 : n.row->bound == bound_side::upper;
  if (is_upper == n.negated || context_.time_scale == 1.0 ||
      !result.seen[which]->is(value_type::integer)) {
    return;
  }
  const std::int64_t written = result.seen[which]->integer();
  const std::int64_t bound = scaled(written, context_.time_scale);
  result.made[which] = value(bound);
  result.seen[which] = &result.made[which];
  result.shown[which] =
      fmt::format("{} ({} × {})", describe_amount(amount_kind::duration, bound),
                  describe_amount(amount_kind::duration, written), context_.time_scale);
}

mismatch checker::explain(const matcher_node& n, const value& got, const evaluated& with) const {
  std::vector<std::string> shown;
  shown.reserve(n.operands.size());
  for (std::size_t i = 0; i < n.operands.size(); ++i)
    shown.push_back(with.shown[i].empty() ? describe_value(n.domain, *with.seen[i])
                                          : with.shown[i]);
  mismatch wrong;
  wrong.expected = describe_with(n, shown);
  wrong.where = n.at;
  if (n.operands.empty()) return wrong;

  const value& low = *with.seen[0];
  const value& high = *with.seen[n.operands.size() - 1];
  if (got.is(value_type::number) && low.is(value_type::number) && high.is(value_type::number)) {
    // A strict bound can be missed by being equal to it.
    const int from_low = order_of(got, low).value_or(0);
    const int from_high = order_of(got, high).value_or(0);
    if (from_low < 0 || (n.row->info.name == "gt" && from_low == 0)) wrong.side = miss_side::below;
    if (from_high > 0 || (n.row->info.name == "lt" && from_high == 0))
      wrong.side = miss_side::above;
  }
  const std::string_view name = n.row->info.name;
  const bool compares_from_start =
      name == "eq" || name == "prefix" || name == "hex" || name == "text";
  if (compares_from_start && got.is(value_type::data) && low.is(value_type::data)) {
    wrong.first_difference = common_length(got.data(), low.data());
    if (name != "prefix") wrong.expected_data = low.data();
  }
  return wrong;
}

}  // namespace

mismatch plain_mismatch(const matcher_node& n) {
  mismatch made;
  made.expected = describe_node(n);
  made.where = n.at;
  return made;
}

std::shared_ptr<const RE2> compile_regex(std::string_view pattern) {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);  // octets are not always UTF-8
  options.set_log_errors(false);
  return std::make_shared<const RE2>(std::string(pattern), options);
}

matcher::matcher(std::shared_ptr<const matcher_tree> tree) : tree_(std::move(tree)) {}

std::optional<mismatch> matcher::check(const value& got, const match_context& context) const {
  if (tree_ == nullptr) return std::nullopt;
  return checker(context).check(tree_->root, got);
}

std::string matcher::describe() const {
  return tree_ == nullptr ? "anything" : describe_node(tree_->root);
}

bool matcher::names_one_value() const {
  if (tree_ == nullptr) return false;
  const std::string_view name = tree_->root.row->info.name;
  return name == "eq" || name == "hex" || name == "text" || name == "file";
}

std::optional<plain_value> matcher::plain() const {
  return tree_ == nullptr ? std::nullopt : tree_->plain;
}

span matcher::at() const {
  return tree_ == nullptr ? span{} : tree_->root.at;
}

std::span<const slot_ref> matcher::reads() const {
  return tree_ == nullptr ? std::span<const slot_ref>() : tree_->reads;
}

}  // namespace scenarios
