#include "scenarios/matrix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "scenarios/cases.hpp"
#include "scenarios/checked_object.hpp"
#include "scenarios/expression.hpp"
#include "scenarios/names.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr std::size_t label_bytes_max = 100;
constexpr std::size_t axes_max = 32;

std::optional<value> read_value(const node& from, diagnostics& out) {
  const expression made = compile_compared(from, no_names(), out);
  if (!made.is_valid()) return std::nullopt;
  if (!made.is_constant()) {
    out.error(code::not_yet_available, from.at(), "the values of a matrix are constants").help =
        "random() is drawn when the scenario runs";
    return std::nullopt;
  }
  return made.constant();
}

std::optional<std::string> label_of(const node& from) {
  switch (from.kind()) {
    case node_kind::boolean:
      return from.boolean() ? "true" : "false";
    case node_kind::integer:
      return std::to_string(from.integer());
    case node_kind::real:
      return fmt::format("{}", from.real());
    case node_kind::string:
      return from.text();
    default:
      return std::nullopt;
  }
}

class axis_reader {
 public:
  axis_reader(matrix_axis& into, diagnostics& out) : into_(into), out_(out) {}

  void read(const node& from) {
    const bool is_list = from.is(node_kind::array);
    if (!is_list && !from.is(node_kind::object)) {
      out_.error(code::wrong_type, from.at(),
                 fmt::format("the axis {} is a list of values or an object of labels, not {}",
                             in_quotes(into_.name), from.kind_name()));
      return;
    }
    for (const node& item : from.items()) add_scalar(item);
    for (const member& m : from.members()) add(m.key, m.key_at, m.value);
    if (from.items().empty() && from.members().empty())
      out_.error(code::empty_value, from.at(),
                 fmt::format("the axis {} has no value", in_quotes(into_.name)))
          .help = "with no value on an axis there is no case, and nothing would run";
  }

 private:
  void add_scalar(const node& item) {
    const std::optional<std::string> label = label_of(item);
    if (label) {
      add(*label, item.at(), item);
    } else {
      out_.error(code::wrong_type, item.at(),
                 fmt::format("a value without a label is a string, a number or a boolean, not {}",
                             item.kind_name()))
          .help = fmt::format("give it a label: {{ \"{}\": {{ \"LABEL\": … }} }}", into_.name);
    }
  }

  void add(const std::string& label, span label_at, const node& content) {
    if (!is_case_label(label)) {
      out_.error(code::bad_name, label_at,
                 fmt::format("{} can't be the label of a case", in_quotes(label, 40)))
          .help =
          "labels stand in ids, so they hold no , = [ ] and no control character; an object gives "
          "values labels: { \"LABEL\": … }";
      return;
    }
    if (!seen_.insert(label).second) {
      out_.error(code::duplicate_name, label_at,
                 fmt::format("the axis {} has {} twice", in_quotes(into_.name), in_quotes(label)));
      return;
    }
    if (std::optional<value> made = read_value(content, out_))
      into_.values.push_back({label, *std::move(made)});
  }

  matrix_axis& into_;
  diagnostics& out_;
  std::set<std::string> seen_;
};

/// Which values of each axis a row of `exclude` or `include` names.
class row_reader {
 public:
  row_reader(matrix_table& table, diagnostics& out) : table_(table), out_(out) {}

  void exclude(const node& row) {
    if (!check_row(row)) return;
    std::vector<const matrix_value*> wanted(table_.axes.size());
    for (const member& m : row.members()) {
      if (const auto axis = find_axis(m)) wanted[*axis] = find_value(*axis, m.value, true);
    }
    if (out_.has_errors()) return;
    for (std::size_t i = 0; i < table_.excluded.size(); ++i) {
      std::size_t rest = i;
      bool all = true;
      for (std::size_t axis = table_.axes.size(); axis-- > 0;) {
        const auto& values = table_.axes[axis].values;
        all = all && (wanted[axis] == nullptr || wanted[axis] == &values[rest % values.size()]);
        rest /= values.size();
      }
      if (all) table_.excluded[i] = true;
    }
  }

  void include(const node& row) {
    if (!check_row(row)) return;
    std::vector<const matrix_value*> made(table_.axes.size());
    for (const member& m : row.members()) {
      if (const auto axis = find_axis(m)) made[*axis] = find_value(*axis, m.value, false);
    }
    const bool of_each_row =
        !made.empty() && made.back() == nullptr && table_.axes.back().name == cases_axis;
    for (std::size_t axis = 0; axis < made.size() - (of_each_row ? 1 : 0); ++axis) {
      if (made[axis] != nullptr || out_.has_errors()) continue;
      out_.error(
          code::missing_key, row.at(),
          fmt::format("a case that is included names a value of each axis, and {} is missing",
                      in_quotes(table_.axes[axis].name)));
    }
    if (!of_each_row) return table_.included.push_back(std::move(made));
    for (const matrix_value& row_of_cases : table_.axes.back().values) {
      made.back() = &row_of_cases;
      table_.included.push_back(made);
    }
  }

 private:
  bool check_row(const node& row) {
    if (row.is(node_kind::object) && !row.members().empty()) return true;
    out_.error(row.is(node_kind::object) ? code::empty_value : code::wrong_type, row.at(),
               "a row is an object of axes and their values");
    return false;
  }

  std::optional<std::size_t> find_axis(const member& m) {
    for (std::size_t i = 0; i < table_.axes.size(); ++i)
      if (table_.axes[i].name == m.key) return i;
    std::vector<std::string_view> names;
    names.reserve(table_.axes.size());
    for (const matrix_axis& axis : table_.axes) names.push_back(axis.name);
    out_.error(code::unknown_key, m.key_at, fmt::format("there is no axis {}", in_quotes(m.key)))
        .help = suggestion(m.key, names);
    return std::nullopt;
  }

  /// By its label; what is not there is told, or else added as a value of its own.
  const matrix_value* find_value(std::size_t axis, const node& from, bool must_exist) {
    const std::optional<std::string> label = label_of(from);
    if (!label) {
      out_.error(code::wrong_type, from.at(),
                 fmt::format("a row names values by their labels, not by {}", from.kind_name()));
      return nullptr;
    }
    const auto& values = table_.axes[axis].values;
    const auto found = std::ranges::find(values, *label, &matrix_value::label);
    if (found != values.end()) return &*found;
    if (!must_exist && is_case_label(*label)) {
      if (std::optional<value> made = read_value(from, out_))
        return &table_.more_values.emplace_back(matrix_value{*label, *std::move(made)});
      return nullptr;
    }
    std::vector<std::string_view> labels;
    labels.reserve(values.size());
    for (const matrix_value& v : values) labels.push_back(v.label);
    out_.error(code::unknown_constant, from.at(),
               fmt::format("the axis {} has no value {}", in_quotes(table_.axes[axis].name),
                           in_quotes(*label, 40)))
        .help = suggestion(*label, labels);
    return nullptr;
  }

  matrix_table& table_;
  diagnostics& out_;
};

void read_axes(const node& from, matrix_table& into, diagnostics& told) {
  for (const member& m : from.members()) {
    const bool is_row_list = m.key == "exclude" || m.key == "include";
    if (m.key.starts_with("x-") || is_row_list) continue;
    if (!check_name(m.key, m.key_at, "an axis", told)) continue;
    matrix_axis& axis = into.axes.emplace_back(matrix_axis{m.key, {}});
    axis_reader(axis, told).read(m.value);
  }
  if (into.axes.size() > axes_max) {
    told.error(code::value_out_of_range, from.at(),
               fmt::format("a matrix has at most {} axes", axes_max));
  }
}

void read_rows(const node& from, matrix_table& into, diagnostics& told) {
  row_reader rows(into, told);
  for (const std::string_view key : {"exclude", "include"}) {
    const node* list = from.find(key);
    if (list == nullptr || !check_type(*list, json::array, in_quotes(key), told)) continue;
    if (into.axes.empty())
      told.error(code::empty_value, list->at(), "there is no axis for these rows");
    for (const node& row : list->items()) key == "exclude" ? rows.exclude(row) : rows.include(row);
  }
}

}  // namespace

/// Labels stand in ids, file[mode=poll,size=1], which people type.
bool is_case_label(std::string_view text) {
  const auto unfit = [](unsigned char c) {
    return c < ' ' || c == 0x7f || std::string_view(",[]=").find(char(c)) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= label_bytes_max && std::ranges::none_of(text, unfit);
}

std::string matrix_case::label() const {
  std::string text;
  for (const choice& c : choices) {
    if (!text.empty()) text += ',';
    text += c.axis->name + '=' + c.chosen->label;
  }
  return text;
}

const matrix_case::choice* matrix_case::find(std::string_view axis) const {
  const auto same = [&](const choice& c) { return c.axis->name == axis; };
  const auto found = std::ranges::find_if(choices, same);
  return found == choices.end() ? nullptr : &*found;
}

std::size_t matrix_table::product() const {
  std::size_t cases = 1;
  for (const matrix_axis& axis : axes) cases *= axis.values.size();
  return cases;
}

void matrix_table::count() {
  numbers_.clear();
  const bool some_are_out = std::ranges::find(excluded, true) != excluded.end();
  for (std::size_t i = 0; some_are_out && i < excluded.size(); ++i)
    if (!excluded[i]) numbers_.push_back(i);
  cases_ = (some_are_out ? numbers_.size() : product()) + included.size();
}

matrix_case matrix_table::at(std::size_t index) const {
  matrix_case made;
  made.unknown = failed;
  made.choices.resize(axes.size());
  const std::size_t from_product = cases_ - included.size();
  if (index >= from_product) {
    const auto& row = included[index - from_product];
    for (std::size_t i = 0; i < axes.size(); ++i) made.choices[i] = {&axes[i], row[i]};
    return made;
  }
  if (!numbers_.empty()) index = numbers_[index];
  for (std::size_t i = axes.size(); i-- > 0;) {
    const std::vector<matrix_value>& values = axes[i].values;
    made.choices[i] = {&axes[i], &values[index % values.size()]};
    index /= values.size();
  }
  return made;
}

matrix_table read_matrix(const node* matrix, const node* cases, diagnostics& out) {
  matrix_table made;
  diagnostics told;
  if (matrix != nullptr) read_axes(*matrix, made, told);
  if (cases != nullptr) made.axes.push_back(read_cases(*cases, told));
  std::size_t product = 1;
  for (const matrix_axis& axis : made.axes)
    product =
        std::min(product * std::max<std::size_t>(axis.values.size(), 1), matrix_cases_max + 1);
  if (matrix != nullptr && product <= matrix_cases_max && !told.has_errors()) {
    made.excluded.assign(made.axes.empty() ? 0 : product, false);
    read_rows(*matrix, made, told);
  }
  made.count();
  const node* where = matrix != nullptr ? matrix : cases;
  if (product > matrix_cases_max || made.size() > matrix_cases_max) {
    told.error(code::value_out_of_range, where->at(),
               fmt::format("the matrix makes more than {} cases", matrix_cases_max));
  } else if (made.size() == 0 && !told.has_errors()) {
    told.error(code::empty_value, where->at(), "every case is excluded, and nothing would run");
  }
  for (const diagnostic& d : told.all()) out.add(d);
  if (!told.has_errors()) return made;
  matrix_table nothing;
  nothing.failed = true;
  return nothing;
}

}  // namespace scenarios
