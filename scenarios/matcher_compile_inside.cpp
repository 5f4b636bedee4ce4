// From JSON to the matchers that look inside: parts of data, numbers in it, JSON, lists, messages.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "scenarios/codec.hpp"
#include "scenarios/matcher_compiler.hpp"
#include "scenarios/message_layout.hpp"
#include "scenarios/string_token.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr std::int64_t far_away = std::int64_t{1} << 40;  // no data is as long
constexpr std::int64_t bits_max = 63;
constexpr std::size_t md5_digits = 32;
constexpr std::size_t sha256_digits = 64;

/// The pattern of RE2 that a glob stands for; nothing when a bracket is not closed.
std::optional<std::string> regex_of(std::string_view glob) {
  std::string made = "(?s)\\A";
  for (std::size_t i = 0; i < glob.size(); ++i) {
    const char c = glob[i];
    if (c == '*') {
      made += ".*";
    } else if (c == '?') {
      made += '.';
    } else if (c == '[') {
      const bool inverted = i + 1 < glob.size() && (glob[i + 1] == '!' || glob[i + 1] == '^');
      const std::size_t first = i + (inverted ? 2 : 1);
      // As in shells, a bracket that comes first stands for itself.
      const std::size_t end = glob.find(']', first + 1);
      if (end == std::string_view::npos) return std::nullopt;
      made += inverted ? "[^" : "[";
      for (const char each : glob.substr(first, end - first)) {
        if (each == '\\' || each == '[' || each == ']' || each == '^') made += '\\';
        made += each;
      }
      made += ']';
      i = end;
    } else {
      const bool escaped = c == '\\' && i + 1 < glob.size();
      if (escaped) ++i;
      made += RE2::QuoteMeta(re2::StringPiece(&glob[i], 1));
    }
  }
  return made + "\\z";
}

}  // namespace

void matcher_compiler::fill_inside(matcher_node& made, const node& operand) {
  switch (made.row->shape) {
    case matcher_shape::near:
      return fill_near(made, operand);
    case matcher_shape::glob:
      return fill_glob(made, operand);
    case matcher_shape::part:
      return fill_part(made, operand);
    case matcher_shape::bit_range:
      return fill_bits(made, operand);
    case matcher_shape::derived:
      made.children.push_back(compile(operand, match_domain::number, made.negated));
      if (!made.negated) check_width(made, operand);
      return;
    case matcher_shape::paths:
      return fill_paths(made, operand);
    case matcher_shape::digest:
      return fill_digest(made, operand);
    case matcher_shape::items:
      made.children.push_back(compile(operand, match_domain::value, made.negated));
      return;
    case matcher_shape::counted:
      return fill_counted(made, operand);
    case matcher_shape::unordered:
      return fill_several(made, operand);
    case matcher_shape::file:
      return fill_file(made, operand);
    default:
      return fill_message(made, operand);
  }
}

/// Tells what an operand that is an object lacks, or has too much.
bool matcher_compiler::check_keys(const node& from, std::string_view matcher,
                                  std::span<const std::string_view> required,
                                  std::span<const std::string_view> optional) {
  std::vector<std::string_view> known(required.begin(), required.end());
  known.insert(known.end(), optional.begin(), optional.end());
  if (!from.is(node_kind::object)) {
    out_.error(code::wrong_type, from.at(),
               fmt::format("`{}` takes an object with {}, not {}", matcher, fmt::join(known, ", "),
                           from.kind_name()));
    return false;
  }
  bool good = true;
  for (const member& m : from.members()) {
    if (m.key.starts_with("x-") || std::ranges::find(known, m.key) != known.end()) continue;
    out_.error(code::unknown_key, m.key_at,
               fmt::format("`{}` has no {}", matcher, in_quotes(m.key)))
        .help = suggestion(m.key, known);
    good = false;
  }
  for (const std::string_view key : required) {
    if (from.find(key) != nullptr) continue;
    out_.error(code::missing_key, from.at(), fmt::format("`{}` needs `{}`", matcher, key));
    good = false;
  }
  return good;
}

/// An operand that is an offset or a length.
bool matcher_compiler::add_place(matcher_node& made, const node& from, std::string_view what,
                                 std::int64_t least, std::int64_t most) {
  const amount place =
      compile_amount(from,
                     from.is(node_kind::string) && !has_hole(from.text()) ? amount_kind::size
                                                                          : amount_kind::integer,
                     what, names_, out_);
  if (!place.is_constant()) {
    made.operands.emplace_back(place);
    return true;
  }
  const std::int64_t number = place.constant();
  made.operands.emplace_back(value(number));
  if (number >= least && number <= most) return true;
  out_.error(code::value_out_of_range, from.at(),
             most == far_away ? fmt::format("{} is at least {}", what, least)
                              : fmt::format("{} is from {} to {}", what, least, most));
  return false;
}

void matcher_compiler::fill_near(matcher_node& made, const node& operand) {
  constexpr std::string_view keys[] = {"value", "within"};
  if (!check_keys(operand, "approx", keys)) return;
  const node& within = *operand.find("within");
  made.operands.push_back(compile_operand(*operand.find("value"), *made.row, made.domain));
  const bool share = within.is(node_kind::string) && within.text().ends_with('%');
  if (share) {
    std::int64_t percent = -1;
    const std::string& text = within.text();
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size() - 1, percent);
    if (wrong != std::errc{} || *end != '%' || percent < 0 || percent > 100) {
      out_.error(code::bad_quantity, within.at(), "a share is a whole number of percent: \"10%\"");
      return;
    }
    // Text, so that it can be told from an amount.
    made.operands.emplace_back(value::text(text));
    return;
  }
  made.operands.push_back(compile_operand(within, *made.row, made.domain));
  const auto* known = std::get_if<value>(&made.operands[1]);
  if (known != nullptr && order_of(*known, value(0)).value_or(0) < 0)
    out_.error(code::value_out_of_range, within.at(), "`within` cannot be negative");
}

void matcher_compiler::fill_glob(matcher_node& made, const node& operand) {
  if (!operand.is(node_kind::string) || has_hole(operand.text())) {
    out_.error(code::wrong_type, operand.at(),
               "`glob` takes a string without ${…}: it is read when the file is loaded");
    return;
  }
  const std::optional<std::string> pattern = regex_of(operand.text());
  if (!pattern) {
    out_.error(code::bad_regex, operand.at(), "a [ is not closed").help =
        "a [ that stands for itself is written \\\\[";
    return;
  }
  made.operands.emplace_back(value::text(operand.text()));
  made.regex = compile_regex(*pattern);
  if (!made.regex->ok())
    out_.error(code::bad_regex, operand.at(),
               fmt::format("the wildcards are not valid: {}", made.regex->error()));
}

void matcher_compiler::fill_part(matcher_node& made, const node& operand) {
  constexpr std::string_view required[] = {"offset", "is"};
  constexpr std::string_view optional[] = {"len"};
  if (!check_keys(operand, "at", required, optional)) return;
  add_place(made, *operand.find("offset"), "an offset", -far_away, far_away);
  if (const node* length = operand.find("len")) add_place(made, *length, "a length", 0, far_away);
  made.children.push_back(compile(*operand.find("is"), match_domain::data, made.negated));
}

void matcher_compiler::fill_bits(matcher_node& made, const node& operand) {
  constexpr std::string_view required[] = {"offset", "len", "is"};
  if (!check_keys(operand, "bits", required)) return;
  add_place(made, *operand.find("offset"), "a bit's offset", 0, far_away);
  add_place(made, *operand.find("len"), "a number of bits", 1, bits_max);
  made.children.push_back(compile(*operand.find("is"), match_domain::number, made.negated));
}

void matcher_compiler::fill_paths(matcher_node& made, const node& operand) {
  if (!operand.is(node_kind::object)) {
    out_.error(code::wrong_type, operand.at(),
               fmt::format("`json` takes paths and matchers, not {}", operand.kind_name()))
        .help = R"({ "json": { "$.a.b": 5 } })";
    return;
  }
  if (operand.members().empty())
    out_.error(code::empty_value, operand.at(), "`json` of no paths says nothing");
  for (const member& m : operand.members()) {
    if (m.key.starts_with("x-")) continue;
    parsed_path path = parse_json_path(m.key);
    if (!path) {
      out_.error(code::bad_path, m.key_at, path.error).help =
          "paths are $.name, $.list[0], $['a name']";
      continue;
    }
    made.children.push_back(compile(m.value, match_domain::value, made.negated));
    made.paths.push_back(std::move(path.path));
  }
}

/// A number that so few octets never hold.
void matcher_compiler::check_width(const matcher_node& made, const node& operand) {
  struct width {
    std::string_view name;
    unsigned octets;
  };
  constexpr width widths[] = {{"u8", 1},    {"u16be", 2}, {"u16le", 2},
                              {"u32be", 4}, {"u32le", 4}, {"crc32", 4}};
  const auto* known = std::ranges::find(widths, made.row->info.name, &width::name);
  const matcher_node& child = made.children[0];
  if (known == std::end(widths) || child.row == nullptr || child.row->info.name != "eq" ||
      child.operands.empty())
    return;
  const auto* wanted = std::get_if<value>(&child.operands[0]);
  if (wanted == nullptr || !wanted->is(value_type::integer)) return;
  const std::int64_t most = unsigned_max(known->octets);
  if (wanted->integer() >= 0 && wanted->integer() <= most) return;
  out_.error(code::value_out_of_range, operand.at(),
             fmt::format("`{}` is from 0 to {}", known->name, most));
}

void matcher_compiler::fill_digest(matcher_node& made, const node& operand) {
  const bool is_md5 = made.row->info.name == "md5";
  const std::size_t digits_wanted = is_md5 ? md5_digits : sha256_digits;
  const expression digest = compile_typed(operand, value_type::data,
                                          fmt::format("`{}`", made.row->info.name), names_, out_);
  if (!digest.is_valid()) return;
  made.operands.push_back(settled(digest));
  if (!operand.is(node_kind::string) || has_hole(operand.text())) return;
  std::string digits = operand.text();
  for (char& c : digits)
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c | 0x20);
  made.operands[0] = value::text(digits);
  const decoded octets = from_hex(digits);
  if (!octets || digits.size() != digits_wanted) {
    out_.error(
        code::bad_encoding, operand.at(),
        fmt::format("{} is {} hex digits, this is {}", is_md5 ? "an MD5" : "a SHA-256",
                    digits_wanted, octets ? fmt::format("{}", digits.size()) : "something else"));
  }
}

void matcher_compiler::fill_counted(matcher_node& made, const node& operand) {
  constexpr std::string_view required[] = {"of", "is"};
  if (!check_keys(operand, "count", required)) return;
  made.children.push_back(compile(*operand.find("of"), match_domain::value, made.negated));
  made.children.push_back(compile(*operand.find("is"), match_domain::number, made.negated));
}

/// The file is read as data is, so that limits and the sandbox are the same.
void matcher_compiler::fill_file(matcher_node& made, const node& operand) {
  diagnostics told;
  const node whole(operand.at(), node::object_type{{"file", operand.at(), operand}});
  const payload bytes = compile_payload(whole, names_, options_.files, told);
  if (operand.is(node_kind::string))
    made.golden = path_of_file(options_.files, operand, operand.text()).native();
  const bool missing = told.error_count() == 1 && told.all().front().id == code::file_not_found &&
                       !made.golden.empty();
  if (!told.has_errors()) {
    made.operands.emplace_back(value::bytes(std::string(bytes.constant())));
  } else if (missing && options_.files.bless) {
    made.operands.emplace_back(value::bytes(""));
    made.missing = true;
  } else {
    for (diagnostic each : told.all()) {
      if (each.id == code::file_not_found) each.help = "`run --bless` makes it of what comes";
      out_.add(std::move(each));
    }
  }
}

void matcher_compiler::fill_message(matcher_node& made, const node& operand) {
  constexpr std::string_view required[] = {"name"};
  constexpr std::string_view optional[] = {"fields"};
  if (!check_keys(operand, "message", required, optional)) return;
  made.layout = read_layout(*operand.find("name"), options_.files.messages, out_);
  const node* fields = operand.find("fields");
  if (made.layout != nullptr && fields != nullptr) fill_fields(made, *fields);
}

void matcher_compiler::fill_fields(matcher_node& made, const node& fields) {
  if (!fields.is(node_kind::object)) {
    out_.error(code::wrong_type, fields.at(),
               fmt::format("`fields` is an object, not {}", fields.kind_name()));
    return;
  }
  for (const member& m : fields.members()) {
    if (m.key.starts_with("x-")) continue;
    parsed_path path = read_field_path(*made.layout, m, out_);
    if (!path) continue;
    const node wanted = letters_as_numbers(*made.layout, path.path, m.value);
    made.children.push_back(compile(wanted, match_domain::value, made.negated));
    made.paths.push_back(std::move(path.path));
  }
}

std::optional<plain_value> plain_value_of(const matcher_node& root, const node& from) {
  using form = plain_value::form;
  if (root.row == nullptr) return std::nullopt;
  if (root.row->shape == matcher_shape::file)
    return plain_value{form::golden, root.at, root.golden};
  const node* written = &from;
  // {"eq": X}, {"hex": X}: the value is X.
  if (from.is(node_kind::object)) {
    const member* only = from.find_member(root.row->info.name);
    if (only == nullptr) return std::nullopt;
    written = &only->value;
  }
  const bool literal = written->is(node_kind::integer) ||
                       (written->is(node_kind::string) && !has_hole(written->text()));
  if (!literal) return std::nullopt;
  const std::string_view name = root.row->info.name;
  if (root.domain == match_domain::result && name == "eq")
    return plain_value{form::result, written->at(), {}};
  if (root.domain != match_domain::data || (name != "eq" && name != "hex" && name != "text"))
    return std::nullopt;
  const form how = name == "eq" ? form::data : name == "hex" ? form::hex : form::text;
  return plain_value{how, written->at(), {}};
}

}  // namespace scenarios
