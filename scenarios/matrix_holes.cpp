#include "scenarios/matrix_holes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "scenarios/codec.hpp"
#include "scenarios/expression_lexer.hpp"
#include "scenarios/value.hpp"

namespace scenarios {
namespace {

namespace j = scenarios::json;

/// As an expression writes it; nothing for a record.
std::optional<std::string> literal(const value& of) {
  switch (of.kind()) {
    case value_type::boolean:
      return of.boolean() ? "true" : "false";
    case value_type::integer:
      return of.integer() < 0 ? fmt::format("({})", of.integer()) : std::to_string(of.integer());
    case value_type::text: {
      std::string made = "'";
      for (const char c : of.data()) {
        static constexpr std::string_view special("\\'\n\r\t\0", 6);
        const std::size_t which = special.find(c);
        if (which == std::string_view::npos) {
          made += c;
        } else {
          made += '\\';
          made += "\\'nrt0"[which];
        }
      }
      return made + "'";
    }
    case value_type::bytes:
      return fmt::format("unhex('{}')", to_hex(of.data()));
    case value_type::list: {
      std::string made = "[";
      for (const value& item : of.items()) {
        const auto one = literal(item);
        if (!one) return std::nullopt;
        made += (made.size() > 1 ? ", " : "") + *one;
      }
      return made + "]";
    }
    default:
      return std::nullopt;
  }
}

/// A text in which nothing is a hole.
std::string escaped(const std::string& text) {
  std::string made;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 2, "${") == 0) made += '$';
    made += text[i];
  }
  return made;
}

/// As JSON, where it may stand as that.
std::optional<nlohmann::ordered_json> as_json(const value& of, json_types accepts) {
  switch (of.kind()) {
    case value_type::text:
      return escaped(of.data());
    case value_type::integer:
      if ((accepts & j::integer) != 0) return of.integer();
      return std::nullopt;
    case value_type::boolean:
      if ((accepts & j::boolean) != 0) return of.boolean();
      return std::nullopt;
    case value_type::list: {
      if ((accepts & j::array) == 0) return std::nullopt;
      auto made = nlohmann::ordered_json::array();
      for (const value& item : of.items()) {
        auto one = as_json(item, j::integer | j::boolean);
        if (!one) return std::nullopt;
        made.push_back(*std::move(one));
      }
      return made;
    }
    default:
      return std::nullopt;
  }
}

/// `matrix.axis.field` or `case.column` in a text.
struct reference {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::string axis;
  value content;
  std::uint32_t hole_begin = 0;
  std::uint32_t hole_end = 0;
};

class finder {
 public:
  finder(const matrix_case& which, const std::string& text) : case_(which), text_(text) {}

  std::vector<reference> find() {
    for (std::size_t at = text_.find("${"); at != std::string::npos; at = text_.find("${", at)) {
      if (at > 0 && text_[at - 1] == '$') {
        at += 2;
        continue;
      }
      const auto from = static_cast<std::uint32_t>(at + 2);
      at = read_hole(from);
    }
    return std::move(found_);
  }

 private:
  /// Up to the brace that closes it; expressions hold no other.
  std::size_t read_hole(std::uint32_t from) {
    expression_lexer words(text_, from);
    const std::size_t first = found_.size();
    lexeme word = words.next();
    bool after_dot = false;
    while (word.kind != lexeme_kind::end && !word.is("}")) {
      const bool name = word.kind == lexeme_kind::name && !after_dot;
      after_dot = word.is(".");
      if (name && word.spelling == "matrix") {
        word = read_axis(words, word.begin);
      } else if (name && word.spelling == cases_axis) {
        word = read_path(words, word.begin, word.end, cases_axis);
      } else {
        word = words.next();
      }
    }
    for (std::size_t i = first; i < found_.size(); ++i) {
      found_[i].hole_begin = from - 2;
      found_[i].hole_end = word.end;
    }
    return std::max<std::size_t>(word.end, from);
  }

  // Each returns the first word that does not belong to what it reads.

  lexeme read_axis(expression_lexer& words, std::uint32_t begin) {
    lexeme dot = words.next();
    if (!dot.is(".")) return dot;
    const lexeme axis = words.next();
    return read_path(words, begin, axis.end, axis.spelling);
  }

  lexeme read_path(expression_lexer& words, std::uint32_t begin, std::uint32_t end,
                   std::string_view axis) {
    lexeme word = words.next();
    const matrix_case::choice* choice = case_.find(axis);
    if (choice == nullptr) return word;
    reference made{begin, end, choice->axis->name, choice->chosen->content, 0, 0};
    bool first = true;
    while (word.is(".")) {
      lexeme field = words.next();
      const value* inner = made.content.find(field.spelling);
      if (first && field.spelling == "label") {
        made.content = value::text(choice->chosen->label);
      } else if (inner != nullptr) {
        made.content = value(*inner);
      } else {
        word = std::move(field);
        break;
      }
      made.end = field.end;
      first = false;
      word = words.next();
    }
    found_.push_back(std::move(made));
    return word;
  }

  const matrix_case& case_;
  const std::string& text_;
  std::vector<reference> found_;
};

}  // namespace

nlohmann::ordered_json json_of(const value& of) {
  switch (of.kind()) {
    case value_type::null:
      return nullptr;
    case value_type::bytes:
      return fmt::format("${{{}}}", literal(of).value_or("''"));
    case value_type::list: {
      auto made = nlohmann::ordered_json::array();
      for (const value& item : of.items()) made.push_back(json_of(item));
      return made;
    }
    case value_type::record: {
      auto made = nlohmann::ordered_json::object();
      for (const field& each : of.fields()) made[each.name] = json_of(each.content);
      return made;
    }
    default:
      return as_json(of, j::any).value_or(nullptr);
  }
}

nlohmann::ordered_json matrix_holes::fill(const std::string& text, json_types accepts) {
  const std::vector<reference> found = finder(case_, text).find();
  if (found.empty()) return text;
  const reference& only = found.front();
  const bool whole = only.hole_begin == 0 && only.hole_end == text.size() &&
                     text.find_first_not_of(" \t", 2) == only.begin &&
                     text.find_first_not_of(" \t", only.end) == text.size() - 1;
  if (whole) {
    if (auto made = as_json(only.content, accepts)) return *std::move(made);
  }
  std::string made;
  std::size_t done = 0;
  for (const reference& each : found) {
    const auto written = literal(each.content);
    if (!written) {
      kept_.insert(each.axis);
      continue;
    }
    made += text.substr(done, each.begin - done);
    made += *written;
    done = each.end;
  }
  return made + text.substr(done);
}

}  // namespace scenarios
