// From JSON to matchers: bare values, matcher objects, and operands as their domain has them.

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "scenarios/codec.hpp"
#include "scenarios/diagnostic.hpp"
#include "scenarios/matcher_compiler.hpp"
#include "scenarios/node.hpp"
#include "scenarios/string_token.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

/// Data forms that are no matchers; {"hex"} and {"file"} are both and mean the same.
bool is_data_object(const node& from) {
  return std::ranges::any_of(from.members(), [](const member& m) {
    if (m.key == "message") return m.value.is(node_kind::string);
    return is_payload_key(m.key) && find_matcher_row(m.key) == nullptr;
  });
}

std::vector<std::string_view> names_in(match_domain domain) {
  std::vector<std::string_view> names;
  for (const matcher_info& info : matcher_table()) {
    if (info.allows(domain)) names.push_back(info.name);
  }
  return names;
}

}  // namespace

matcher_node matcher_compiler::compile(const node& from, match_domain domain, bool negated) {
  const bool is_data = domain == match_domain::data && is_data_object(from);
  return from.is(node_kind::object) && !is_data ? compile_object(from, domain, negated)
                                                : compile_bare(from, domain);
}

matcher_node matcher_compiler::compile_bare(const node& from, match_domain domain) {
  matcher_node made;
  made.row = find_matcher_row("eq");
  made.domain = domain;
  made.at = from.at();
  if (domain == match_domain::duration) {
    out_.error(code::wrong_type, from.at(), "no two runs take exactly the same time").help =
        R"(write bounds: { "ge": "20ms", "le": "60ms" })";
  } else if (from.is(node_kind::null) && domain != match_domain::value) {
    out_.error(code::wrong_type, from.at(), "null matches nothing here").help =
        R"(for what is not there, write { "absent": true })";
  } else {
    made.operands.push_back(compile_operand(from, *made.row, domain));
  }
  return made;
}

/// Several keys of one object must all hold.
matcher_node matcher_compiler::compile_object(const node& from, match_domain domain, bool negated) {
  std::vector<matcher_node> all;
  for (const member& m : from.members()) {
    if (!m.key.starts_with("x-")) all.push_back(compile_member(m, domain, negated));
  }
  // Upper bounds of times grow with --time-scale and `tolerance`, past any lower one.
  if (!negated && domain != match_domain::duration) check_bounds(all, from);
  if (all.size() == 1) return std::move(all[0]);
  if (all.empty()) {
    out_.error(code::empty_value, from.at(), "an empty matcher would match everything").help =
        R"(if that is meant, write { "any": true })";
  }
  matcher_node made;
  made.row = find_matcher_row("all_of");
  made.domain = domain;
  made.negated = negated;
  made.at = from.at();
  made.children = std::move(all);
  return made;
}

/// Constant bounds between which nothing lies.
void matcher_compiler::check_bounds(const std::vector<matcher_node>& all, const node& from) {
  const value* low = nullptr;
  const value* high = nullptr;
  bool strict = false;
  for (const matcher_node& each : all) {
    if (each.row == nullptr || each.row->bound == bound_side::none || each.operands.empty())
      continue;
    const auto* known = std::get_if<value>(&each.operands[0]);
    if (known == nullptr) continue;
    (each.row->bound == bound_side::lower ? low : high) = known;
    strict = strict || each.row->info.name == "gt" || each.row->info.name == "lt";
  }
  if (low == nullptr || high == nullptr) return;
  const std::optional<int> found = order_of(*low, *high);
  if (found && (*found > 0 || (*found == 0 && strict)))
    out_.error(code::value_out_of_range, from.at(), "nothing lies between these bounds").help =
        "the lower one is below the upper one";
}

const matcher_row* matcher_compiler::row_of(const member& from, match_domain domain) {
  const matcher_row* row = find_matcher_row(from.key);
  if (row != nullptr && row->info.allows(domain)) return row;
  if (row != nullptr) {
    out_.error(code::unknown_matcher, from.key_at,
               fmt::format("`{}` does not apply to {}", from.key, domain_name(domain)))
        .help = expected_one_of(names_in(domain), matcher_table().size());
  } else {
    out_.error(code::unknown_matcher, from.key_at,
               fmt::format("unknown matcher {}", in_quotes(from.key)))
        .help = suggestion(from.key, names_in(domain), matcher_table().size());
  }
  return nullptr;
}

matcher_node matcher_compiler::compile_member(const member& from, match_domain domain,
                                              bool negated) {
  matcher_node made;
  made.domain = domain;
  made.negated = negated;
  made.at = join(from.key_at, from.value.at());
  made.row = row_of(from, domain);
  if (made.row != nullptr) fill(made, from.value);
  return made;
}

void matcher_compiler::fill(matcher_node& made, const node& operand) {
  switch (made.row->shape) {
    case matcher_shape::truth:
      if (!operand.boolean())
        out_.error(code::wrong_type, operand.at(),
                   fmt::format("`{}` takes true", made.row->info.name));
      return;
    case matcher_shape::one:
      made.operands.push_back(compile_operand(operand, *made.row, made.domain));
      return;
    case matcher_shape::range:
      return fill_range(made, operand);
    case matcher_shape::text:
      return fill_text(made, operand);
    case matcher_shape::hex:
      return fill_hex(made, operand);
    case matcher_shape::regex:
      return fill_regex(made, operand);
    case matcher_shape::count:
      made.children.push_back(compile(operand, match_domain::number, made.negated));
      return;
    case matcher_shape::inverted:
      made.children.push_back(compile(operand, made.domain, !made.negated));
      return;
    case matcher_shape::several:
      return fill_several(made, operand);
    default:
      return fill_inside(made, operand);
  }
}

void matcher_compiler::fill_range(matcher_node& made, const node& operand) {
  if (!operand.is(node_kind::array) || operand.items().size() != 2) {
    out_.error(code::wrong_type, operand.at(), "`between` takes a list of two, [low, high]");
    return;
  }
  for (const node& bound : operand.items())
    made.operands.push_back(compile_operand(bound, *made.row, made.domain));
  const auto* low = std::get_if<value>(&made.operands[0]);
  const auto* high = std::get_if<value>(&made.operands[1]);
  if (low == nullptr || high == nullptr) return;
  const bool upside_down = order_of(*low, *high).value_or(0) > 0;
  if (upside_down)
    out_.error(code::value_out_of_range, operand.at(),
               "nothing lies between these: low is above high");
}

void matcher_compiler::fill_text(matcher_node& made, const node& operand) {
  made.operands.push_back(
      settled(compile_typed(operand, value_type::text, "`text`", names_, out_)));
}

void matcher_compiler::fill_hex(matcher_node& made, const node& operand) {
  if (!operand.is(node_kind::string)) {
    out_.error(code::wrong_type, operand.at(),
               fmt::format("`hex` takes a string, not {}", operand.kind_name()));
    return;
  }
  decoded bytes = from_hex(operand.text());
  if (!bytes)
    out_.error(code::bad_encoding, inside_string(operand, bytes.begin, bytes.end), bytes.error);
  made.operands.emplace_back(value::bytes(std::move(bytes.bytes)));
}

void matcher_compiler::fill_regex(matcher_node& made, const node& operand) {
  const expression pattern = compile_typed(operand, value_type::text, "`regex`", names_, out_);
  if (pattern.is_valid()) made.operands.push_back(settled(pattern));
  if (!pattern.is_constant()) return;
  made.regex = compile_regex(pattern.constant().data());
  if (made.regex->ok()) return;
  // RE2 quotes the part that it stumbled over; where that stands is for us to find.
  const std::string& part = made.regex->error_arg();
  const std::size_t found = part.empty() ? std::string::npos : operand.text().find(part);
  out_.error(code::bad_regex,
             found == std::string::npos ? operand.at()
                                        : inside_string(operand, found, found + part.size()),
             fmt::format("the pattern is not valid: {}", made.regex->error()));
}

void matcher_compiler::fill_several(matcher_node& made, const node& operand) {
  if (!operand.is(node_kind::array)) {
    out_.error(code::wrong_type, operand.at(),
               fmt::format("`{}` takes a list of matchers, not {}", made.row->info.name,
                           operand.kind_name()));
    return;
  }
  if (operand.items().empty()) {
    out_.error(code::empty_value, operand.at(),
               fmt::format("`{}` of no matchers says nothing", made.row->info.name));
  }
  const bool negates = made.row->info.name == "none_of";
  for (const node& each : operand.items())
    made.children.push_back(compile(each, made.domain, made.negated != negates));
}

matcher_operand matcher_compiler::compile_operand(const node& from, const matcher_row& row,
                                                  match_domain domain) {
  const std::string what = fmt::format("`{}`", row.info.name);
  const auto number = [&](amount_kind kind) -> matcher_operand {
    amount made = compile_amount(from, kind, what, names_, out_);
    if (made.is_constant()) return value(made.constant());
    return made;
  };
  switch (domain) {
    case match_domain::result:
      return number(amount_kind::result);
    case match_domain::number:
      return number(from.is(node_kind::string) ? amount_kind::size : amount_kind::integer);
    case match_domain::duration:
      return number(amount_kind::duration);
    case match_domain::data: {
      payload made = compile_payload(from, names_, options_.files, out_);
      if (made.is_constant()) return value::bytes(std::string(made.constant()));
      return made;
    }
    case match_domain::flags:
      return compile_flags(from, row);
    case match_domain::value:
      break;
  }
  return settled(compile_compared(from, names_, out_));
}

/// A list of names; for `contains` one name will do, since that cannot be taken for a whole set.
matcher_operand matcher_compiler::compile_flags(const node& from, const matcher_row& row) {
  const bool one_name =
      row.info.name == "contains" && from.is(node_kind::string) && !has_hole(from.text());
  if (one_name) {
    value names = value::list({value::text(from.text())});
    check_flags(names, from);
    return names;
  }
  const bool is_expression = from.is(node_kind::string) && has_hole(from.text());
  if (!from.is(node_kind::array) && !is_expression) {
    out_.error(code::wrong_type, from.at(),
               fmt::format("flags are a list of names, not {}", from.kind_name()))
        .help =
        R"(["MORE"] is exactly this flag, { "contains": "MORE" } this one and maybe others)";
    return value::list({});
  }
  const expression made = compile_typed(from, value_type::list, "a set of flags", names_, out_);
  if (made.is_constant()) check_flags(made.constant(), from);
  return settled(made);
}

void matcher_compiler::check_flags(const value& names, const node& from) {
  for (std::size_t i = 0; i < names.items().size(); ++i) {
    const value& name = names.items()[i];
    const span at = i < from.items().size() ? from.items()[i].at() : from.at();
    if (!name.is(value_type::text)) {
      out_.error(code::wrong_type, at, fmt::format("a flag is a name, not {}", name.type_name()));
    } else if (!options_.flag_names.empty() &&
               std::ranges::find(options_.flag_names, name.data()) == options_.flag_names.end()) {
      out_.error(code::unknown_constant, at, fmt::format("unknown flag {}", in_quotes(name.data())))
          .help = suggestion(name.data(), options_.flag_names);
    }
  }
}

namespace {

void collect_reads(const matcher_node& from, std::vector<slot_ref>& reads) {
  for (const matcher_operand& operand : from.operands) {
    const auto add = [&](const auto& source) {
      if constexpr (requires { source.reads(); })
        reads.insert(reads.end(), source.reads().begin(), source.reads().end());
    };
    std::visit(add, operand);
  }
  for (const matcher_node& child : from.children) collect_reads(child, reads);
}

}  // namespace

matcher compile_matcher(const node& from, match_domain domain, name_resolver& names,
                        const match_options& options, diagnostics& out) {
  const std::size_t errors = out.error_count();
  auto tree = std::make_shared<matcher_tree>();
  tree->root = matcher_compiler(names, options, out).compile(from, domain, false);
  if (out.error_count() != errors) return {};
  collect_reads(tree->root, tree->reads);
  tree->plain = plain_value_of(tree->root, from);
  std::ranges::sort(tree->reads);
  const auto repeated = std::ranges::unique(tree->reads);
  tree->reads.erase(repeated.begin(), repeated.end());
  return matcher(std::move(tree));
}

}  // namespace scenarios
