#include "scenarios/matrix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "scenarios/expression.hpp"
#include "scenarios/names.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr std::size_t label_bytes_max = 100;
constexpr std::size_t axes_max = 32;

/// Labels stand in ids, file[mode=poll,size=1], which people type.
bool is_label(std::string_view text) {
  const auto unfit = [](unsigned char c) {
    return c < ' ' || c == 0x7f || std::string_view(",[]=").find(char(c)) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= label_bytes_max && std::ranges::none_of(text, unfit);
}

std::optional<value> read_value(const node& from, diagnostics& out) {
  const expression made = compile_value(from, no_names(), out);
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
                 fmt::format("a value without a label is a string, an integer or a boolean, not {}",
                             item.kind_name()))
          .help = fmt::format("give it a label: {{ \"{}\": {{ \"LABEL\": … }} }}", into_.name);
    }
  }

  void add(const std::string& label, span label_at, const node& content) {
    if (!is_label(label)) {
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

}  // namespace

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

std::size_t matrix_table::size() const {
  std::size_t cases = 1;
  for (const matrix_axis& axis : axes) cases *= axis.values.size();
  return cases;
}

matrix_case matrix_table::at(std::size_t index) const {
  matrix_case made;
  made.choices.resize(axes.size());
  for (std::size_t i = axes.size(); i-- > 0;) {
    const std::vector<matrix_value>& values = axes[i].values;
    made.choices[i] = {&axes[i], &values[index % values.size()]};
    index /= values.size();
  }
  return made;
}

matrix_table read_matrix(const node& from, diagnostics& out) {
  matrix_table made;
  diagnostics told;
  std::size_t cases = 1;
  for (const member& m : from.members()) {
    if (m.key.starts_with("x-")) continue;
    if (m.key == "exclude" || m.key == "include") {
      told.error(code::key_reserved, m.key_at,
                 fmt::format("{} in a matrix is not there yet", in_quotes(m.key)));
      continue;
    }
    if (!check_name(m.key, m.key_at, "an axis", told)) continue;
    matrix_axis& axis = made.axes.emplace_back(matrix_axis{m.key, {}});
    axis_reader(axis, told).read(m.value);
    cases = std::min(cases * std::max<std::size_t>(axis.values.size(), 1), matrix_cases_max + 1);
  }
  if (made.axes.size() > axes_max) {
    told.error(code::value_out_of_range, from.at(),
               fmt::format("a matrix has at most {} axes", axes_max));
  }
  if (cases > matrix_cases_max) {
    told.error(code::value_out_of_range, from.at(),
               fmt::format("the matrix makes more than {} cases", matrix_cases_max));
  }
  const bool failed = told.has_errors();
  for (const diagnostic& d : told.all()) out.add(d);
  return failed ? matrix_table{} : made;
}

}  // namespace scenarios
