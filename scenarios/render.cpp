#include "scenarios/render.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "scenarios/document.hpp"
#include "scenarios/include.hpp"
#include "scenarios/layout/layout.hpp"
#include "scenarios/matrix.hpp"
#include "scenarios/matrix_holes.hpp"
#include "scenarios/outcome.hpp"
#include "scenarios/payload.hpp"
#include "scenarios/step_lists.hpp"
#include "scenarios/step_table.hpp"

namespace scenarios {
namespace {

namespace fs = std::filesystem;
using ordered = nlohmann::ordered_json;
namespace j = scenarios::json;

bool is_free(std::string_view key) {
  return key.starts_with("x-");
}

bool is_payload(const node& from) {
  for (const member& m : from.members())
    if (is_payload_key(m.key)) return true;
  return false;
}

class case_writer {
 public:
  case_writer(const matrix_case& which, const source& own) : holes_(which), own_(own) {}

  ordered whole(const node& root, const std::vector<std::pair<std::string, std::string>>& vars);

 private:
  ordered plain(const node& from, json_types accepts = 0);
  ordered steps(const node& from);
  ordered one_step(const node& from);
  ordered argument(const node& from, const step_row& row);
  ordered expectation(const node& from);
  ordered actors(const node& from);
  ordered actor(const node& from);
  ordered endpoint(const node& from, std::string_view short_for);
  ordered step_holder(const node& from);
  ordered macros(const node& from);
  ordered teardown(const node& from);
  ordered replaced_vars(const node& from,
                        const std::vector<std::pair<std::string, std::string>>& vars);
  void keep_axes(ordered& into);

  std::string path_from(const node& file) const;

  matrix_holes holes_;
  const source& own_;
};

/// Paths of data are relative to the file that names them, which may be an included one.
std::string case_writer::path_from(const node& file) const {
  const source* in = file.at().in;
  if (in == nullptr || in == &own_) return file.text();
  const fs::path from = fs::path(in->name()).parent_path() / file.text();
  const fs::path here = fs::path(own_.name()).parent_path();
  return from.is_absolute() ? from.string() : from.lexically_proximate(here).string();
}

/// A value in which only the holes are filled.
ordered case_writer::plain(const node& from, json_types accepts) {
  switch (from.kind()) {
    case node_kind::null:
      return nullptr;
    case node_kind::boolean:
      return from.boolean();
    case node_kind::integer:
      return from.integer();
    case node_kind::real:
      return from.real();
    case node_kind::string:
      return holes_.fill(from.text(), accepts);
    case node_kind::array: {
      ordered made = ordered::array();
      for (const node& item : from.items()) made.push_back(plain(item));
      return made;
    }
    case node_kind::object: {
      ordered made = ordered::object();
      for (const member& m : from.members()) {
        const bool path = m.key == "file" && m.value.is(node_kind::string);
        made[m.key] = path ? holes_.fill(path_from(m.value), 0) : plain(m.value);
      }
      return made;
    }
  }
  return nullptr;
}

// ---- Steps -------------------------------------------------------------------------------------

ordered case_writer::steps(const node& from) {
  ordered made = ordered::array();
  for (const node& each : from.items())
    made.push_back(each.is(node_kind::array) ? steps(each) : one_step(each));
  return made;
}

ordered case_writer::one_step(const node& from) {
  ordered made = ordered::object();
  for (const member& m : from.members()) {
    const modifier_row* beside = find_modifier(m.key);
    const step_row* op = beside == nullptr && !is_free(m.key) ? find_step(m.key) : nullptr;
    if (op != nullptr) {
      made[std::string(op->name)] = argument(m.value, *op);
    } else if (beside != nullptr && beside->which == modifier::expect) {
      made[m.key] = expectation(m.value);
    } else {
      made[m.key] = plain(m.value, beside != nullptr ? beside->key.accepts : json_types{0});
    }
  }
  return made;
}

ordered case_writer::argument(const node& from, const step_row& row) {
  const bool fits = (json_type_of(from.kind()) & row.short_types) != 0;
  const bool is_long = from.is(node_kind::object) && !(fits && is_payload(from));
  if (is_long || row.is(step_trait::takes_everything)) {
    ordered made = ordered::object();
    for (const member& m : from.members()) {
      const key_row* key = find_key(row.arguments, m.key);
      const bool list = holds_steps(m.key) && m.value.is(node_kind::array);
      made[m.key] =
          list ? steps(m.value) : plain(m.value, key != nullptr ? key->accepts : json_types{0});
    }
    return made;
  }
  const key_row* stands_for = find_key(row.arguments, row.short_for);
  if (stands_for != nullptr)
    return {{std::string(row.short_for), plain(from, stands_for->accepts)}};
  const bool is_true = from.is(node_kind::boolean) && from.boolean();
  return is_true && row.short_for.empty() ? ordered::object() : plain(from);
}

/// A word is an outcome if it is one, else an errno.
ordered case_writer::expectation(const node& from) {
  if (from.is(node_kind::integer)) return {{"res", from.integer()}};
  if (from.is(node_kind::string)) {
    ordered word = holes_.fill(from.text(), j::integer);
    if (word.is_number()) return {{"res", word}};
    const auto& text = word.get_ref<const std::string&>();
    if (text.find("${") != std::string::npos) return word;
    return {{find_step_outcome(text) ? "outcome" : "res", word}};
  }
  ordered made = ordered::object();
  for (const member& m : from.members()) {
    if (m.key != "any_of") {
      made[m.key] = plain(m.value);
      continue;
    }
    made[m.key] = ordered::array();
    for (const node& each : m.value.items()) made[m.key].push_back(expectation(each));
  }
  return made;
}

// ---- The whole ---------------------------------------------------------------------------------

ordered case_writer::endpoint(const node& from, std::string_view short_for) {
  if (!from.is(node_kind::object)) return {{std::string(short_for), plain(from)}};
  ordered made = ordered::object();
  for (const member& m : from.members())
    made[m.key] = m.key == "expect" ? expectation(m.value) : plain(m.value);
  return made;
}

ordered case_writer::actor(const node& from) {
  ordered made = ordered::object();
  for (const member& m : from.members()) {
    if (m.key == "server" || m.key == "peer") {
      made[m.key] = endpoint(m.value, "address");
    } else if (m.key == "client") {
      made[m.key] = endpoint(m.value, "to");
    } else if (holds_steps(m.key)) {
      made[m.key] = steps(m.value);
    } else {
      const key_row* key = find_key(keys::actor.rows, m.key);
      made[m.key] = plain(m.value, key != nullptr ? key->accepts : json_types{0});
    }
  }
  return made;
}

ordered case_writer::actors(const node& from) {
  ordered made = ordered::object();
  for (const member& m : from.members())
    made[m.key] = is_free(m.key) ? plain(m.value) : actor(m.value);
  return made;
}

/// An object that has steps under one of its keys.
ordered case_writer::step_holder(const node& from) {
  ordered made = ordered::object();
  for (const member& m : from.members())
    made[m.key] = holds_steps(m.key) ? steps(m.value) : plain(m.value);
  return made;
}

/// Calls stay calls, so their macros stay, too.
ordered case_writer::macros(const node& from) {
  ordered made = ordered::object();
  for (const member& m : from.members())
    made[m.key] = is_free(m.key) ? plain(m.value) : step_holder(m.value);
  return made;
}

ordered case_writer::teardown(const node& from) {
  if (from.is(node_kind::array)) return {{"do", steps(from)}};
  return step_holder(from);
}

/// A --var is of the type of the value that it replaces.
ordered case_writer::replaced_vars(const node& from,
                                   const std::vector<std::pair<std::string, std::string>>& vars) {
  ordered made = ordered::object();
  for (const member& m : from.members()) {
    made[m.key] = plain(m.value);
    for (const auto& [name, text] : vars) {
      if (name != m.key) continue;
      const bool is_text = m.value.is(node_kind::string);
      made[m.key] = is_text ? ordered(text) : ordered::parse(text, nullptr, false);
    }
  }
  return made;
}

/// What has no literal stays an axis, with one value.
void case_writer::keep_axes(ordered& into) {
  for (const matrix_case::choice& each : holes_.which().choices) {
    const std::string& axis = each.axis->name;
    if (!holes_.kept().contains(axis)) continue;
    ordered content = json_of(each.chosen->content);
    if (axis == cases_axis) {
      into["cases"] = ordered::array({std::move(content)});
    } else {
      into["matrix"][axis] = ordered::object({{each.chosen->label, std::move(content)}});
    }
  }
}

ordered case_writer::whole(const node& root,
                           const std::vector<std::pair<std::string, std::string>>& vars) {
  ordered made = ordered::object();
  for (const member& m : root.members()) {
    if (m.key == "matrix" || m.key == "cases" || m.key == "include") {
      continue;  // they are in what is written
    } else if (m.key == "actors") {
      made[m.key] = actors(m.value);
    } else if (m.key == "steps") {
      made["actors"]["main"] = {{"task", true}, {"do", steps(m.value)}};
    } else if (m.key == "setup") {
      made[m.key] = steps(m.value);
    } else if (m.key == "macros") {
      made[m.key] = macros(m.value);
    } else if (m.key == "teardown") {
      made[m.key] = teardown(m.value);
    } else if (m.key == "vars") {
      made[m.key] = replaced_vars(m.value, vars);
    } else {
      made[m.key] = plain(m.value);
    }
  }
  keep_axes(made);
  return made;
}

matrix_case find_case(const matrix_table& matrix, const std::string& label) {
  for (std::size_t i = 0; i < matrix.size(); ++i)
    if (matrix_case found = matrix.at(i); found.label() == label) return found;
  return {};
}

}  // namespace

std::string render_case(const plan& of,
                        const std::vector<std::pair<std::string, std::string>>& vars) {
  // It was parsed and found good before it became a plan.
  diagnostics told;
  auto document = parse_document(of.text, told);
  if (!document) return {};
  // A suite.json stays where it is, and acts on what is written, too.
  const source_list included = assemble(*document, suite_use::none, told);
  const matrix_table matrix =
      read_matrix(document->root.find("matrix"), document->root.find("cases"), told);
  const matrix_case which = find_case(matrix, of.case_label);
  const ordered made = case_writer(which, *of.text).whole(document->root, vars);
  const auto written = source::from_text(of.file, made.dump());
  const auto laid_out = parse_document(written, told);
  return laid_out ? lay_out(*laid_out) : std::string();
}

}  // namespace scenarios
