#include "scenarios/compile_scope.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/errno_name.hpp"
#include "scenarios/endpoint.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/units.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

expression from_duration(std::chrono::nanoseconds time) {
  return expression(value(std::int64_t{time.count()}));
}

constexpr std::size_t shown_bytes_max = 60;

std::string cut(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "…";
}

void append_compact(const node& from, std::string& text, std::size_t bytes_max) {
  if (text.size() > bytes_max) return;
  if (from.is(node_kind::array)) {
    text += '[';
    for (const node& item : from.items()) {
      if (text.back() != '[') text += ", ";
      append_compact(item, text, bytes_max);
    }
    text += ']';
  } else if (from.is(node_kind::object)) {
    bool first = true;
    for (const member& m : from.members()) {
      text += first ? "{ " : ", ";
      first = false;
      text += in_quotes(m.key) + ": ";
      append_compact(m.value, text, bytes_max);
    }
    text += first ? "{}" : " }";
  } else {
    text += from.at().text().substr(0, bytes_max + 1);
  }
}

}  // namespace

std::string with_article(value_type type) {
  const std::string name = type_name(type);
  if (type == value_type::integer) return "an integer";
  return type == value_type::boolean || type == value_type::list || type == value_type::record
             ? "a " + name
             : name;
}

bool check_range(std::int64_t number, integer_range range, span at, std::string_view what,
                 diagnostics& out) {
  if (number >= range.min && number <= range.max) return true;
  if (range.max == INT64_MAX) {
    out.error(code::value_out_of_range, at, fmt::format("{} is at least {}", what, range.min));
  } else {
    out.error(code::value_out_of_range, at,
              fmt::format("{} is from {} to {}", what, range.min, range.max));
  }
  return false;
}

std::string compact_text(const node& from, std::size_t bytes_max) {
  std::string text;
  append_compact(from, text, bytes_max);
  return cut(std::move(text), bytes_max);
}

std::string shown(const expression& read, const node& from) {
  if (!read.is_constant()) return compact_text(from, shown_bytes_max);
  const value& known = read.constant();
  return cut(known.is(value_type::text) ? known.data() : describe(known), shown_bytes_max);
}

std::string shown_duration(const expression& read, const node& from) {
  if (!read.is_constant() || !read.constant().is(value_type::integer)) return shown(read, from);
  return format_duration(std::chrono::nanoseconds(read.constant().integer()));
}

void compile_scope::finish(const node& from, std::span<const slot_ref> reads) {
  had_problem_ = names_.tell_problems(from, out_);
  if (reads_ != nullptr) reads_->insert(reads_->end(), reads.begin(), reads.end());
}

expression compile_scope::read(const node& from, value_type wanted, std::string_view what) {
  expression made = compile_typed(from, wanted, what, names_, out_);
  finish(from, made.reads());
  return made;
}

payload compile_scope::read_data(const node& from) {
  payload made = compile_payload(from, names_, files_, out_);
  finish(from, made.reads());
  return made;
}

matcher compile_scope::read_matcher(const node& from, match_domain domain,
                                    std::span<const std::string_view> flag_names) {
  matcher made = compile_matcher(from, domain, names_, {flag_names, files_}, out_);
  finish(from, made.reads());
  return made;
}

expression compile_scope::read_duration(const node& from, std::string_view what) {
  expression made = read(from, value_type::any, what);
  if (!made.is_valid()) return made;
  if (!may_be(made.type(), value_type::text)) {
    out_.error(code::bad_quantity, from.at(),
               fmt::format("{} is a duration, not {}", what, with_article(made.type())))
        .help = "a duration is text: \"250ms\"";
  } else if (made.is_constant()) {
    const auto time = parse_duration(made.constant().data());
    if (time) return from_duration(*time);
    out_.error(code::bad_quantity, from.at(),
               fmt::format("{} is a duration, not {}", what, in_quotes(made.constant().data())))
        .help = time.error;
  }
  return made;
}

expression compile_scope::read_count(const node& from, integer_range range, std::string_view what) {
  expression made = read(from, value_type::any, what);
  if (!made.is_valid()) return made;
  const bool literal = made.is_constant() && made.constant().is(value_type::text);
  if (!literal && !may_be(made.type(), value_type::integer)) {
    out_.error(code::wrong_type, from.at(),
               fmt::format("{} is an integer, not {}", what, with_article(made.type())));
    return made;
  }
  if (!made.is_constant()) return made.within(range.min, range.max, what);
  std::int64_t number = 0;
  if (literal) {
    const auto size = parse_size(made.constant().data());
    if (!size) {
      out_.error(code::bad_quantity, from.at(),
                 fmt::format("{} is an integer or a size, not {}", what,
                             in_quotes(made.constant().data())))
          .help = size.error;
      return made;
    }
    number = static_cast<std::int64_t>(std::min<std::uint64_t>(*size, INT64_MAX));
  } else {
    number = made.constant().integer();
  }
  check_range(number, range, from.at(), what, out_);
  return expression(value(number));
}

void compile_scope::check_use(const uring::socket_address& address, address_use use,
                              const node& from) {
  const bool reaches = use == address_use::connect || use == address_use::send;
  const bool datagrams = use == address_use::receive || use == address_use::send;
  if (reaches && (address.is_any_port() || address.is_nameless())) {
    out_.error(code::bad_address, from.at(),
               address.is_unix() ? "nobody can be reached without a name"
                                 : "nobody can be reached at port 0")
        .help = "the kernel chooses when listening; what it chose is ${NAME.addr}";
  } else if (use == address_use::listen && address.is_datagram()) {
    out_.error(code::bad_address, from.at(), "nobody connects to a socket for datagrams").help =
        "a \"peer\" receives them: { \"peer\": \"udp://127.0.0.1:0\" }";
  } else if (datagrams && !address.is_datagram()) {
    out_.error(code::bad_address, from.at(), "this is the address of a stream, not of datagrams")
        .help = "addresses of datagrams begin with udp:// or unixgram://";
  }
}

expression compile_scope::read_address(const node& from, address_use use, std::string_view what) {
  expression made = read(from, value_type::data, what);
  if (!made.is_valid() || !made.is_constant()) return made;
  const std::string& url = made.constant().data();
  std::string reason;
  const auto parsed = parse_endpoint(url, reason);
  if (!parsed) {
    out_.error(code::bad_address, from.at(),
               fmt::format("{} is not an address: {}", in_quotes(url), reason));
  } else if (use == address_use::bind && parsed->tls) {
    out_.error(code::bad_address, from.at(), "the local end of a socket is a tcp:// address");
  } else if (use == address_use::submit && parsed->tls) {
    out_.error(code::bad_address, from.at(), "a single submission speaks no TLS").help =
        "write tcp://, and lay TLS over the connection with `start_tls`";
  } else {
    check_use(parsed->address, use, from);
  }
  return made;
}

// ---- Constants ---------------------------------------------------------------------------------

std::optional<value> compile_scope::read_constant(const node& from, value_type wanted,
                                                  std::string_view what) {
  const expression made = read(from, wanted, what);
  if (!made.is_valid()) return std::nullopt;
  if (made.is_constant()) return made.constant();
  if (had_problem_) return std::nullopt;
  out_.error(code::not_yet_available, from.at(),
             fmt::format("{} must be known when the file is loaded", what))
      .help = made.reads().empty() ? "random() is drawn when the scenario runs"
                                   : "only ${matrix.NAME} and `vars` are";
  return std::nullopt;
}

std::optional<std::int64_t> compile_scope::read_integer(const node& from, integer_range range,
                                                        std::string_view what) {
  const auto number = read_constant(from, value_type::integer, what);
  if (!number || !check_range(number->integer(), range, from.at(), what, out_)) return std::nullopt;
  return number->integer();
}

std::optional<std::string> compile_scope::read_text(const node& from, std::string_view what) {
  const auto text = read_constant(from, value_type::text, what);
  if (!text) return std::nullopt;
  if (text->data().empty()) {
    out_.error(code::empty_value, from.at(), fmt::format("{} is empty", what));
    return std::nullopt;
  }
  return text->data();
}

std::optional<std::chrono::nanoseconds> compile_scope::read_fixed_duration(const node& from,
                                                                           std::string_view what) {
  const auto read = fixed(read_duration(from, what), from, what);
  return read ? std::optional(std::chrono::nanoseconds(*read)) : std::nullopt;
}

std::optional<std::int64_t> compile_scope::read_fixed_count(const node& from, integer_range range,
                                                            std::string_view what) {
  return fixed(read_count(from, range, what), from, what);
}

std::optional<std::int64_t> compile_scope::fixed(const expression& made, const node& from,
                                                 std::string_view what) {
  if (!made.is_valid() || had_problem_) return std::nullopt;
  if (!made.is_constant()) {
    out_.error(code::not_yet_available, from.at(),
               fmt::format("{} must be known when the file is loaded", what));
    return std::nullopt;
  }
  if (!made.constant().is(value_type::integer)) return std::nullopt;  // told above
  return made.constant().integer();
}

std::optional<std::vector<std::string>> compile_scope::read_texts(const node& from,
                                                                  std::string_view what) {
  std::vector<std::string> texts;
  bool sound = !from.items().empty();
  if (!sound) out_.error(code::empty_value, from.at(), fmt::format("{} is empty", what));
  for (const node& item : from.items()) {
    std::optional<std::string> text = read_text(item, fmt::format("an entry of {}", what));
    sound = sound && text.has_value();
    if (text) texts.push_back(*std::move(text));
  }
  if (!sound) return std::nullopt;
  return texts;
}

std::optional<std::uint64_t> compile_scope::find_flag(const value& word, const node& from,
                                                      const uring::flag_set& set,
                                                      std::string_view what) {
  if (word.is(value_type::integer)) return static_cast<std::uint64_t>(word.integer());
  if (word.is(value_type::text)) {
    if (const auto bits = uring::find_flag(set, word.data())) return bits;
    std::vector<std::string_view> names;
    for (const uring::flag_name& known : set.names) names.push_back(known.name);
    out_.error(code::unknown_constant, from.at(),
               fmt::format("{} has no {}", what, in_quotes(word.data())))
        .help = suggestion(word.data(), names, 24);
    return std::nullopt;
  }
  out_.error(code::wrong_type, from.at(),
             fmt::format("{} takes names, not {}", what, word.type_name()));
  return std::nullopt;
}

std::optional<std::uint64_t> compile_scope::read_flags(const node& from, const uring::flag_set& set,
                                                       std::string_view what) {
  const bool is_choice = set.kind == uring::set_kind::choice;
  const value_type wanted = is_choice ? value_type::integer | value_type::text
                                      : value_type::integer | value_type::list | value_type::text;
  const std::optional<value> given = read_constant(from, wanted, what);
  if (!given) return std::nullopt;
  if (is_choice || given->is(value_type::integer)) return find_flag(*given, from, set, what);
  if (given->is(value_type::text)) {
    out_.error(code::wrong_type, from.at(),
               fmt::format("{} takes a list of names or an integer, not a string", what))
        .help = fmt::format("write [{}]", in_quotes(given->data()));
    return std::nullopt;
  }
  std::uint64_t bits = 0;
  bool sound = true;
  for (std::size_t i = 0; i < given->items().size(); ++i) {
    const bool written = from.items().size() == given->items().size();
    const auto found = find_flag(given->items()[i], written ? from.items()[i] : from, set, what);
    sound = sound && found.has_value();
    bits |= found.value_or(0);
  }
  if (!sound) return std::nullopt;
  return bits;
}

std::optional<int> compile_scope::read_errno(const node& from) {
  const std::optional<std::string> name = read_text(from, "an errno");
  if (!name) return std::nullopt;
  if (const int number = uring::errno_number(*name); number != 0) return number;
  out_.error(code::unknown_constant, from.at(),
             fmt::format("there is no errno {}", in_quotes(*name)))
      .help = did_you_mean(*name, uring::errno_names());
  return std::nullopt;
}

}  // namespace scenarios
