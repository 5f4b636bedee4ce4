#include "scenarios/cases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <set>

#include "scenarios/checked_object.hpp"
#include "scenarios/codec.hpp"
#include "scenarios/counted.hpp"
#include "scenarios/names.hpp"
#include "scenarios/source.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

enum class column_type : std::uint8_t { text, integer, boolean, hex };
struct type_word {
  std::string_view name;
  column_type type;
};
constexpr type_word type_words[] = {{"text", column_type::text},
                                    {"int", column_type::integer},
                                    {"bool", column_type::boolean},
                                    {"hex", column_type::hex}};

struct column {
  std::string name;
  column_type type = column_type::text;
};

std::optional<value> field_value(const std::string& text, column_type type) {
  switch (type) {
    case column_type::text:
      return value::text(text);
    case column_type::integer: {
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
      return value(number);
    }
    case column_type::boolean:
      if (text == "true" || text == "false") return value(text == "true");
      return std::nullopt;
    case column_type::hex:
      break;
  }
  decoded octets = from_hex(text);
  if (!octets) return std::nullopt;
  return value::bytes(std::move(octets.bytes));
}

class case_reader {
 public:
  explicit case_reader(diagnostics& out) : out_(out) { made_.name = cases_axis; }

  matrix_axis read(const node& from) {
    if (from.is(node_kind::array)) {
      for (const node& row : from.items()) add_inline(row);
    } else {
      const checked_object keys(from, keys::cases, out_);
      if (const node* csv = keys.find("csv")) add_file(*csv);
    }
    if (made_.values.empty() && !failed_) tell(code::empty_value, from.at(), "`cases` have no row");
    if (failed_) made_.values.clear();
    return std::move(made_);
  }

 private:
  diagnostic& tell(code id, span at, std::string message) {
    failed_ = true;
    return out_.error(id, at, std::move(message));
  }

  void add_inline(const node& row) {
    if (!check_type(row, json::object, "a row", out_)) {
      failed_ = true;
      return;
    }
    value::record_type fields;
    for (const member& m : row.members()) {
      if (m.key.starts_with("x-")) continue;
      if (!check_name(m.key, m.key_at, "a column", out_)) failed_ = true;
      const expression read = compile_value(m.value, no_names(), out_);
      if (!read.is_valid()) {
        failed_ = true;
      } else if (!read.is_constant()) {
        tell(code::not_yet_available, m.value.at(), "the values of a row are constants");
      } else {
        fields.push_back({m.key, read.constant()});
      }
    }
    add(std::move(fields), row.at());
  }

  void add_file(const node& csv) {
    diagnostics told;
    const auto text = load_source(path_of_csv(csv), told);
    if (text == nullptr) {
      tell(code::file_not_found, csv.at(), told.all().front().message).help =
          "the path is relative to the file that names it";
      return;
    }
    std::vector<std::vector<std::string>> records;
    std::string why;
    std::size_t line = 0;
    if (!split_csv(text->text(), records, why, line) || records.empty()) {
      tell(code::bad_csv, csv.at(), fmt::format("{} line {}: {}", csv.text(), line, why));
      return;
    }
    const std::vector<column> columns = read_header(records.front(), csv);
    for (std::size_t row = 1; row < records.size() && !failed_; ++row)
      add_record(records[row], columns, row, csv);
  }

  std::vector<column> read_header(const std::vector<std::string>& header, const node& csv) {
    std::vector<column> columns;
    for (const std::string& text : header) {
      column& made = columns.emplace_back();
      const std::size_t colon = text.find(':');
      made.name = text.substr(0, colon);
      if (!check_name(made.name, csv.at(), "a column", out_)) failed_ = true;
      if (colon == std::string::npos) continue;
      const std::string word = text.substr(colon + 1);
      const auto* known = std::ranges::find(type_words, word, &type_word::name);
      if (known == std::end(type_words)) {
        tell(code::bad_csv, csv.at(), fmt::format("the column {} has no type {}", made.name, word))
            .help = "a column is text, int, bool or hex";
      } else {
        made.type = known->type;
      }
    }
    return columns;
  }

  void add_record(const std::vector<std::string>& record, const std::vector<column>& columns,
                  std::size_t row, const node& csv) {
    if (record.size() != columns.size()) {
      tell(code::bad_csv, csv.at(),
           fmt::format("row {} has {}, and the header {}", row, counted(record.size(), "field"),
                       columns.size()));
      return;
    }
    value::record_type fields;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      std::optional<value> read = field_value(record[i], columns[i].type);
      if (read) {
        fields.push_back({columns[i].name, *std::move(read)});
      } else {
        const auto type = type_words[static_cast<std::size_t>(columns[i].type)].name;
        tell(code::bad_csv, csv.at(),
             fmt::format("row {}: {} is no {} for the column {}", row, in_quotes(record[i], 40),
                         type, columns[i].name));
      }
    }
    add(std::move(fields), csv.at());
  }

  void add(value::record_type fields, span at) {
    std::set<std::string> names;
    for (const field& each : fields) names.insert(each.name);
    names.erase("label");
    if (made_.values.empty() && names_.empty()) names_ = names;
    if (names != names_ && !failed_)
      tell(code::bad_arguments, at, "this row has other columns than the first");
    std::string label = std::to_string(made_.values.size() + 1);
    value row = value::record(std::move(fields));
    if (const value* given = row.find("label")) {
      if (given->is(value_type::text)) label = given->data();
      if (given->is(value_type::integer)) label = std::to_string(given->integer());
    }
    if (!is_case_label(label)) {
      tell(code::bad_name, at, fmt::format("{} can't be the label of a case", in_quotes(label, 40)))
          .help = "labels stand in ids, so they hold no , = [ ] and no control character";
    } else if (!labels_.insert(label).second) {
      tell(code::duplicate_name, at, fmt::format("two rows are called {}", in_quotes(label, 40)));
    }
    if (made_.values.size() < matrix_cases_max) made_.values.push_back({label, std::move(row)});
  }

  diagnostics& out_;
  matrix_axis made_;
  std::set<std::string> names_;
  std::set<std::string> labels_;
  bool failed_ = false;
};

}  // namespace

matrix_axis read_cases(const node& from, diagnostics& out) {
  return case_reader(out).read(from);
}

std::string path_of_csv(const node& csv) {
  return (std::filesystem::path(csv.at().in->name()).parent_path() / csv.text()).native();
}

bool split_csv(std::string_view text, std::vector<std::vector<std::string>>& records,
               std::string& why, std::size_t& line) {
  line = 1;
  std::vector<std::string> record(1);
  bool quoted = false;
  bool was_quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') ++line;
    if (quoted) {
      if (c != '"') {
        record.back() += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        record.back() += text[++i];
      } else {
        quoted = false;
        was_quoted = true;
      }
    } else if (c == ',') {
      record.emplace_back();
      was_quoted = false;
    } else if (c == '\n' || (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n')) {
      if (c == '\r') continue;
      // An empty line is no record.
      if (record.size() > 1 || !record.front().empty() || was_quoted)
        records.push_back(std::move(record));
      record.assign(1, {});
      was_quoted = false;
    } else if (c == '"' && record.back().empty() && !was_quoted) {
      quoted = true;
    } else if (c == '"' || was_quoted) {
      why = c == '"' ? "a quote inside a field that does not begin with one"
                     : "text behind the quote that ends a field";
      return false;
    } else {
      record.back() += c;
    }
  }
  if (quoted) {
    why = "a quoted field does not end";
    return false;
  }
  if (record.size() > 1 || !record.front().empty() || was_quoted)
    records.push_back(std::move(record));
  if (records.empty()) why = "there is no header";
  return true;
}

}  // namespace scenarios
