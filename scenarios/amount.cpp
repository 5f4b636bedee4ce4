#include "scenarios/amount.hpp"

#include <fmt/format.h>

#include <chrono>
#include <limits>
#include <vector>

#include "engine/errno_name.hpp"
#include "scenarios/diagnostic.hpp"
#include "scenarios/node.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/units.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

struct row {
  std::string_view name;
  std::string_view forms;  // what may be written
  code bad_text;           // for a string that spells none
  evaluation (*parse)(std::string_view text);
  std::string (*print)(std::int64_t number);
  bool bare_number;  // a JSON number will do
  bool negative;     // may be below 0
};

evaluation parse_integer(std::string_view text) {
  return evaluation::failure(fmt::format("{} is text, not an integer", in_quotes(text)));
}

evaluation parse_octets(std::string_view text) {
  parsed<std::uint64_t> found = parse_size(text);
  if (!found) return evaluation::failure(std::move(found.error));
  if (*found > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return evaluation::failure(fmt::format("{} is above 2^63 - 1", in_quotes(text)));
  return value(static_cast<std::int64_t>(*found));
}

evaluation parse_nanoseconds(std::string_view text) {
  parsed<std::chrono::nanoseconds> found = parse_duration(text);
  if (!found) return evaluation::failure(std::move(found.error));
  return value(static_cast<std::int64_t>(found.result->count()));
}

evaluation parse_errno(std::string_view text) {
  const int number = uring::errno_number(text);
  if (number == 0) return evaluation::failure(fmt::format("unknown errno {}", in_quotes(text)));
  return value(-number);
}

std::string print_integer(std::int64_t number) {
  return fmt::format("{}", number);
}

std::string print_octets(std::int64_t number) {
  return number < 0 ? print_integer(number) : format_size(static_cast<std::uint64_t>(number));
}

std::string print_nanoseconds(std::int64_t number) {
  return format_duration(std::chrono::nanoseconds(number));
}

std::string print_result(std::int64_t number) {
  const bool is_errno = number < 0 && number > std::numeric_limits<int>::min();
  const char* name = is_errno ? uring::errno_name(static_cast<int>(-number)) : nullptr;
  return name != nullptr ? name : print_integer(number);
}

// In the order of amount_kind.
constexpr row rows[] = {
    {"an integer", "an integer", code::wrong_type, parse_integer, print_integer, true, true},
    {"a size", "a number of bytes or a string such as \"64KiB\"", code::bad_quantity, parse_octets,
     print_octets, true, false},
    {"a duration", "a string such as \"250ms\" or \"1.5s\"", code::bad_quantity, parse_nanoseconds,
     print_nanoseconds, false, false},
    {"a result", "an integer or the name of an errno such as \"ECANCELED\"", code::unknown_constant,
     parse_errno, print_result, true, true},
};

const row& of(amount_kind kind) {
  return rows[static_cast<std::size_t>(kind)];
}

amount nothing(amount_kind kind) {
  return {kind, std::int64_t{0}};
}

/// A constant is converted now, so that what is wrong with it is an error at load.
amount from_constant(const value& known, amount_kind kind, const node& from, diagnostics& out) {
  const evaluation made = to_amount(kind, known);
  if (made) return {kind, made->integer()};
  const code id = known.is(value_type::text) ? of(kind).bad_text : code::value_out_of_range;
  diagnostic& told = out.error(id, from.at(), made.message());
  if (kind == amount_kind::result && known.is(value_type::text))
    told.help = suggestion(known.data(), uring::errno_names());
  if (kind == amount_kind::integer) told.help = "numbers stand without quotes";
  return nothing(kind);
}

}  // namespace

bool has_hole(std::string_view text) {
  return text.find("${") != std::string_view::npos;
}

evaluation to_amount(amount_kind kind, const value& from) {
  if (from.is(value_type::text)) return of(kind).parse(from.data());
  if (!from.is(value_type::integer))
    return evaluation::failure(
        fmt::format("expected {}, found {}", of(kind).name, from.type_name()));
  if (from.integer() < 0 && !of(kind).negative)
    return evaluation::failure(fmt::format("{} cannot be negative", of(kind).name));
  return from;
}

std::string describe_amount(amount_kind kind, std::int64_t number) {
  return of(kind).print(number);
}

evaluation amount::eval(const environment& env) const {
  if (source_.is_constant()) return source_.constant();
  const evaluation made = source_.eval(env);
  return made ? to_amount(kind_, *made) : made;
}

std::string amount::describe() const {
  return is_constant() ? describe_amount(kind_, constant()) : visible(at().text());
}

amount compile_amount(const node& from, amount_kind kind, std::string_view what,
                      name_resolver& names, diagnostics& out) {
  const row& wanted = of(kind);
  if (from.is(node_kind::integer) && wanted.bare_number)
    return from_constant(value(from.integer()), kind, from, out);
  if (!from.is(node_kind::string)) {
    out.error(code::wrong_type, from.at(),
              fmt::format("{} is {}, not {}", what, wanted.name, from.kind_name()))
        .help = fmt::format("write {}", wanted.forms);
    return nothing(kind);
  }
  const value_type spelled =
      kind == amount_kind::integer && has_hole(from.text()) ? value_type::none : value_type::text;
  expression made = compile_typed(from, value_type::integer | spelled, what, names, out);
  if (!made.is_valid()) return nothing(kind);
  if (made.is_constant()) return from_constant(made.constant(), kind, from, out);
  return {kind, std::move(made)};
}

}  // namespace scenarios
