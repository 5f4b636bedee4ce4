#include "scenarios/expression_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

/// Nesting of the text, checked on the way down: the tree's own limit is checked on the way up.
class nesting_guard {
 public:
  explicit nesting_guard(std::size_t& nesting) : nesting_(nesting) { ++nesting_; }
  nesting_guard(const nesting_guard&) = delete;
  nesting_guard& operator=(const nesting_guard&) = delete;
  ~nesting_guard() { --nesting_; }

 private:
  std::size_t& nesting_;
};

std::string shown(const lexeme& word) {
  return word.kind == lexeme_kind::end ? "the end of the string"
                                       : fmt::format("`{}`", visible(word.spelling));
}

}  // namespace

expression_parser::expression_parser(const node& json, expression_builder& builder)
    : text_(json.text()), builder_(builder), lexer_(text_, 0) {}

node_id expression_parser::parse_string() {
  std::vector<node_id> pieces;
  std::string literal;
  std::uint32_t literal_begin = 0;
  const auto size = static_cast<std::uint32_t>(text_.size());
  const auto flush = [&](std::uint32_t end) {
    if (!literal.empty())
      pieces.push_back(builder_.constant(value::text(std::move(literal)), {literal_begin, end}));
    literal.clear();
  };

  for (std::uint32_t at = 0; at < size;) {
    if (text_.substr(at).starts_with("$${")) {
      literal += "${";
      at += 3;
    } else if (text_.substr(at).starts_with("${")) {
      flush(at);
      hole_begin_ = at;
      pieces.push_back(parse_hole());
      at = literal_begin = resume_at_;
    } else {
      const std::size_t next = std::min<std::size_t>(text_.find('$', at + 1), size);
      literal += text_.substr(at, next - at);
      at = static_cast<std::uint32_t>(next);
    }
  }
  flush(size);
  if (pieces.empty()) return builder_.constant(value::text(""), {0, size});
  // One piece is either all literal, or exactly one `${…}`, which keeps its type.
  return pieces.size() == 1 ? pieces[0] : builder_.join(pieces, {0, size});
}

node_id expression_parser::parse_hole() {
  lexer_ = expression_lexer(text_, hole_begin_ + 2);
  broken_ = false;
  last_end_ = hole_begin_ + 2;
  advance();
  node_id top = 0;
  if (now_.is("}")) {
    top =
        builder_.refuse(code::expression_syntax, {hole_begin_, now_.end},
                        "there is no expression between the braces", "a literal ${ is written $${");
  } else {
    top = parse_choice();
    if (!broken_ && now_.kind == lexeme_kind::end) {
      broken_ = true;
      builder_.refuse(code::expression_syntax, {hole_begin_, hole_begin_ + 2},
                      "this `${` is not closed with `}`", "a literal ${ is written $${");
    }
    if (!broken_ && !now_.is("}")) {
      syntax_error(fmt::format("expected an operator or `}}`, found {}", shown(now_)));
    }
  }
  skip_hole();
  return top;
}

/// now_ may be anywhere: at the closing brace, or `end` after an error somewhere before it.
void expression_parser::skip_hole() {
  while (!now_.is("}")) {
    now_ = lexer_.next();
    if (now_.kind == lexeme_kind::end) break;
  }
  resume_at_ = now_.end;
}

void expression_parser::advance() {
  last_end_ = now_.end;
  now_ = lexer_.next();
  if (now_.kind == lexeme_kind::bad) syntax_error(now_.text, now_.help);
}

bool expression_parser::accept(std::string_view word) {
  if (!now_.is(word)) return false;
  advance();
  return true;
}

bool expression_parser::expect(std::string_view word) {
  if (accept(word)) return true;
  syntax_error(fmt::format("expected `{}`, found {}", word, shown(now_)));
  return false;
}

/// Tells only the first of a hole, and then pretends that the text ends here, so that every loop of
/// the parser does too.
node_id expression_parser::syntax_error(std::string message, std::string help) {
  const text_range at{now_.begin, now_.end};
  const bool first = !broken_;
  broken_ = true;
  // Not the brace that closes the hole: skip_hole must still find it.
  if (first && now_.is("}")) lexer_ = expression_lexer(text_, now_.begin);
  now_ = lexeme{};
  now_.begin = now_.end = at.end;
  if (!first) return builder_.poison();
  // At the very end there is nothing to underline but the `${` that was never closed.
  const bool at_end = at.begin >= text_.size();
  return builder_.refuse(code::expression_syntax,
                         at_end ? text_range{hole_begin_, hole_begin_ + 2} : at, std::move(message),
                         std::move(help));
}

node_id expression_parser::parse_choice() {
  const nesting_guard guard(nesting_);
  if (nesting_ > max_expression_depth) return syntax_error("the expression is nested too deeply");
  const std::uint32_t begin = now_.begin;
  const node_id condition = parse_binary(precedence_or);
  if (!accept("?")) return condition;
  const node_id yes = parse_choice();
  if (!expect(":")) return condition;
  const node_id no = parse_choice();
  return builder_.choose(condition, yes, no, since(begin));
}

node_id expression_parser::parse_binary(std::uint8_t precedence_min) {
  const std::uint32_t begin = now_.begin;
  node_id left = now_.is("not") ? parse_not(precedence_min) : parse_unary();
  for (;;) {
    const bool is_or = now_.is("or");
    if (is_or || now_.is("and")) {
      const std::uint8_t precedence = is_or ? precedence_or : precedence_and;
      if (precedence < precedence_min) return left;
      advance();
      const node_id right = parse_binary(precedence + 1);
      left = builder_.logical(is_or, left, right, since(begin));
      continue;
    }
    const binary_operator* op =
        now_.kind == lexeme_kind::sign ? find_operator(now_.spelling) : nullptr;
    if (op == nullptr || op->precedence < precedence_min) return left;
    advance();
    const node_id right = parse_binary(op->precedence + 1);
    left = builder_.binary(*op, left, right, since(begin));
    const binary_operator* next =
        now_.kind == lexeme_kind::sign ? find_operator(now_.spelling) : nullptr;
    if (!op->chains && next != nullptr && next->precedence == op->precedence)
      return syntax_error("comparisons cannot be chained", "write `a < b and b < c`");
  }
}

node_id expression_parser::parse_not(std::uint8_t precedence_min) {
  const nesting_guard guard(nesting_);
  if (nesting_ > max_expression_depth) return syntax_error("the expression is nested too deeply");
  if (precedence_min >= precedence_comparison)
    return syntax_error("`not` binds looser than this operator", "put it in parentheses: (not x)");
  const std::uint32_t begin = now_.begin;
  advance();
  const node_id x =
      now_.is("not") ? parse_not(precedence_min) : parse_binary(precedence_comparison);
  return builder_.logical_not(x, since(begin));
}

node_id expression_parser::parse_unary() {
  const nesting_guard guard(nesting_);
  if (nesting_ > max_expression_depth) return syntax_error("the expression is nested too deeply");
  const std::uint32_t begin = now_.begin;
  if (!accept("-")) return parse_postfix();
  // Only with its minus does the smallest integer fit.
  if (now_.kind == lexeme_kind::integer) return parse_integer(true, begin);
  const node_id x = parse_unary();
  return builder_.negate(x, since(begin));
}

node_id expression_parser::parse_integer(bool negative, std::uint32_t begin) {
  const std::uint64_t magnitude = now_.magnitude;
  if (!negative && magnitude == std::uint64_t{1} << 63)
    return syntax_error("the integer does not fit in 64 bits with a sign");
  advance();
  const auto bits = negative ? -magnitude : magnitude;
  return builder_.constant(value(static_cast<std::int64_t>(bits)), since(begin));
}

node_id expression_parser::parse_postfix() {
  const std::uint32_t begin = now_.begin;
  node_id x = parse_primary();
  for (;;) {
    if (accept("[")) {
      x = parse_brackets(x, begin);
    } else if (accept(".")) {
      x = parse_field(x, begin);
    } else {
      return x;
    }
  }
}

node_id expression_parser::parse_brackets(node_id container, std::uint32_t begin) {
  const auto left_out = [&] { return builder_.constant(value(), since(last_end_)); };
  const node_id first = now_.is(":") ? left_out() : parse_choice();
  if (!accept(":")) {
    expect("]");
    return broken_ ? container : builder_.index(container, first, since(begin));
  }
  const node_id last = now_.is("]") ? left_out() : parse_choice();
  expect("]");
  return broken_ ? container : builder_.slice(container, first, last, since(begin));
}

node_id expression_parser::parse_field(node_id whole, std::uint32_t begin) {
  if (now_.kind != lexeme_kind::name && now_.kind != lexeme_kind::keyword)
    return syntax_error(fmt::format("expected a field's name, found {}", shown(now_)));
  const std::string_view name = now_.spelling;
  advance();
  return builder_.field(whole, name, since(begin));
}

node_id expression_parser::parse_primary() {
  const std::uint32_t begin = now_.begin;
  if (now_.kind == lexeme_kind::integer) return parse_integer(false, begin);
  if (now_.kind == lexeme_kind::name) return parse_name();
  if (now_.kind == lexeme_kind::string) {
    std::string text = std::move(now_.text);
    advance();
    return builder_.constant(value::text(std::move(text)), since(begin));
  }
  if (accept("true")) return builder_.constant(value(true), since(begin));
  if (accept("false")) return builder_.constant(value(false), since(begin));
  if (accept("null")) return builder_.constant(value(), since(begin));
  if (accept("(")) return parse_parentheses();
  if (accept("[")) return parse_list();
  return syntax_error(fmt::format("expected a value, found {}", shown(now_)));
}

node_id expression_parser::parse_parentheses() {
  const node_id inside = parse_choice();
  expect(")");
  return inside;
}

node_id expression_parser::parse_list() {
  const std::uint32_t begin = last_end_ - 1;
  const std::vector<node_id> items = parse_items("]");
  return broken_ ? builder_.poison() : builder_.list_of(items, since(begin));
}

/// Behind the opening bracket; takes the closing one.
std::vector<node_id> expression_parser::parse_items(std::string_view closing) {
  std::vector<node_id> items;
  if (accept(closing)) return items;
  do items.push_back(parse_choice());
  while (accept(","));
  expect(closing);
  return items;
}

node_id expression_parser::parse_name() {
  const std::uint32_t begin = now_.begin;
  std::vector<std::string_view> path{now_.spelling};
  advance();
  const text_range name_at = since(begin);
  if (accept("(")) {
    const std::vector<node_id> arguments = parse_items(")");
    return broken_ ? builder_.poison() : builder_.call(path[0], name_at, arguments, since(begin));
  }
  while (accept(".")) {
    if (now_.kind != lexeme_kind::name && now_.kind != lexeme_kind::keyword)
      return syntax_error(fmt::format("expected a name after `.`, found {}", shown(now_)));
    path.push_back(now_.spelling);
    advance();
  }
  return builder_.name(path, since(begin));
}

}  // namespace scenarios
