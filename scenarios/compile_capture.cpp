#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/op_table.hpp"
#include "scenarios/compile_strand.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/told_fields.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

using source_kind = capture_plan::source_kind;

constexpr std::size_t pattern_bytes_max = 10'000;

const key_table* table_of(const node& from) {
  for (const key_table* table :
       {&keys::capture_regex, &keys::capture_json, &keys::capture_at, &keys::capture_field})
    if (from.find(table->rows.front().name) != nullptr) return table;
  return nullptr;
}

/// One capture of a step: what to take, and the name that it goes to.
class capture_compiler {
 public:
  capture_compiler(strand_context& in, const step_row& row, const step_plan& step,
                   const member& from)
      : in_(in), out_(in.out()), row_(row), step_(step), from_(from.value) {
    made_.name = from.key;
    made_.at = from.value.at();
    if (const declared_name* known = in.names().find(from.key)) made_.to = known->target();
  }

  std::optional<capture_plan> compile() {
    if (from_.is(node_kind::string)) {
      if (!compile_word()) return std::nullopt;
    } else if (!compile_object()) {
      return std::nullopt;
    }
    const bool from_data = made_.from != source_kind::res && made_.from != source_kind::field;
    if (from_data && !row_.is(step_trait::yields_data)) {
      out_.error(code::modifier_not_allowed, from_.at(),
                 fmt::format("`{}` receives no data to capture from", row_.name));
    } else if (const auto* recv = std::get_if<recv_step>(&step_.body)) {
      check_received(*recv, from_data);
    }
    return std::move(made_);
  }

 private:
  /// What kind of `recv` it is decides what there will be.
  void check_received(const recv_step& recv, bool from_data) {
    if (from_data && recv.how == recv_step::mode::nothing_for) {
      out_.error(code::modifier_not_allowed, from_.at(),
                 "`nothing_for` receives no data to capture from");
    }
  }

  bool compile_word() {
    if (from_.text() == "res" || from_.text() == "data") {
      made_.from = from_.text() == "res" ? source_kind::res : source_kind::data;
      return true;
    }
    // Who sent a datagram is one of its fields.
    if (from_.text() == "from" && row_.is(step_trait::yields_data)) return compile_field(from_);
    out_.error(code::unknown_constant, from_.at(),
               fmt::format("a capture takes \"res\" or \"data\", not {}", in_quotes(from_.text())))
        .help =
        "a part of the data is taken by { \"regex\": … }, { \"json\": … } or "
        "{ \"at\": [offset, length] }, what else a step tells by { \"field\": NAME }";
    return false;
  }

  bool compile_object() {
    const key_table* table = table_of(from_);
    if (table == nullptr) {
      out_.error(from_.is(node_kind::object) ? code::missing_key : code::wrong_type, from_.at(),
                 "a capture is \"res\", \"data\" or an object with `regex`, `json`, `at` or "
                 "`field`");
      return false;
    }
    const checked_object keys(from_, *table, out_);
    if (!keys.sound()) return false;
    if (table == &keys::capture_regex) return compile_regex(keys);
    if (table == &keys::capture_field) {
      made_.from = source_kind::field;
      return compile_field(*keys.find("field"));
    }
    if (table == &keys::capture_json) return compile_pointer(*keys.find("json"));
    return compile_place(*keys.find("at"));
  }

  /// Of the layout, or what such a step tells.
  bool compile_field(const node& name) {
    made_.from = source_kind::field;
    made_.pattern = name.text();
    const message_layout* layout = in_.received;
    if (layout == nullptr) {
      const std::vector<told_field> told = told_fields(row_, step_.body);
      return find_told(told, name.text(), name.at(), row_, out_) != nullptr;
    }
    if (layout->find_slot(name.text()) != nullptr) return true;
    out_.error(code::unknown_name, name.at(),
               fmt::format("the message {} has no field {}", layout->name, in_quotes(name.text())))
        .help = suggestion(name.text(), layout->slot_names());
    return false;
  }

  bool compile_regex(const checked_object& keys) {
    made_.from = source_kind::regex;
    const node& regex = *keys.find("regex");
    const auto pattern = in_.scope().read_text(regex, "a regular expression");
    if (!pattern) return false;
    RE2::Options options;
    options.set_encoding(RE2::Options::EncodingLatin1);
    options.set_log_errors(false);
    options.set_dot_nl(true);
    const RE2 compiled(*pattern, options);
    if (!compiled.ok() || pattern->size() > pattern_bytes_max) {
      out_.error(code::bad_regex, regex.at(),
                 fmt::format("this is no regular expression: {}",
                             compiled.ok() ? "it is too long" : compiled.error()));
      return false;
    }
    made_.pattern = *pattern;
    const int groups = compiled.NumberOfCapturingGroups();
    made_.group = groups > 0 ? 1 : 0;
    if (const node* group = keys.find("group")) return compile_group(*group, compiled);
    return true;
  }

  bool compile_group(const node& group, const RE2& compiled) {
    if (group.is(node_kind::integer)) {
      if (!check_range(group.integer(), {0, compiled.NumberOfCapturingGroups()}, group.at(),
                       "the group of this pattern", out_))
        return false;
      made_.group = static_cast<int>(group.integer());
      return true;
    }
    const auto found = compiled.NamedCapturingGroups().find(group.text());
    if (found == compiled.NamedCapturingGroups().end()) {
      out_.error(code::unknown_name, group.at(),
                 fmt::format("the pattern has no group {}", in_quotes(group.text())))
          .help = "a group gets a name so: (?P<name>…)";
      return false;
    }
    made_.group = found->second;
    return true;
  }

  bool compile_pointer(const node& json) {
    made_.from = source_kind::json;
    const auto pointer = in_.scope().read_constant(json, value_type::text, "a JSON pointer");
    if (!pointer) return false;
    made_.pattern = pointer->data();
    try {
      [[maybe_unused]] const nlohmann::json::json_pointer checked(made_.pattern);
      return true;
    } catch (const nlohmann::json::exception&) {
      out_.error(code::wrong_type, json.at(), "this is no JSON pointer").help =
          "it is empty for the whole, or like /items/0/name; in names ~ is ~0 and / is ~1";
      return false;
    }
  }

  bool compile_place(const node& at) {
    made_.from = source_kind::at;
    if (at.items().size() != 2) {
      out_.error(code::wrong_type, at.at(), "a place is [offset, length]");
      return false;
    }
    made_.offset = in_.scope().read_count(at.items()[0], {}, "an offset");
    made_.length = in_.scope().read_count(at.items()[1], {}, "a length");
    return true;
  }

  strand_context& in_;
  diagnostics& out_;
  const step_row& row_;
  const step_plan& step_;
  const node& from_;
  capture_plan made_;
};

}  // namespace

value_type captured_type(const node& from) {
  if (from.is(node_kind::string) && from.text() == "res") return value_type::integer;
  if (from.is(node_kind::string) && from.text() == "from") return value_type::text;
  const bool typed = from.find("json") != nullptr || from.find("field") != nullptr;
  return typed ? value_type::any : value_type::bytes;
}

void compile_capture(strand_context& in, const node& from, const step_row& of, step_plan& into) {
  if (says_nothing(from)) in.out().error(code::empty_value, from.at(), "`capture` has no name");
  for (const member& m : from.members()) {
    if (m.key.starts_with("x-")) continue;
    if (auto made = capture_compiler(in, of, into, m).compile())
      into.captures.push_back(*std::move(made));
  }
}

retry_plan compile_retry(strand_context& in, const node& from, const step_row& of) {
  retry_plan made;
  const checked_object keys(from, keys::retry, in.out());
  if (const node* times = keys.find("times"))
    made.times = static_cast<std::uint32_t>(
        in.scope()
            .read_integer(*times, {1, repeat_times_max}, "the number of retries")
            .value_or(1));
  made.every = expression(value(std::int64_t{10'000'000}));
  if (const node* every = keys.find("every"))
    made.every = in.scope().read_duration(*every, "the pause between retries");
  const node* on = keys.find("on");
  if (on == nullptr) return made;
  if (on->items().empty()) in.out().error(code::empty_value, on->at(), "`on` has no errno");
  for (const node& item : on->items()) {
    const std::optional<int> number = in.scope().read_errno(item);
    if (!number) continue;
    made.on.push_back(*number);
    warn_impossible(in.out(), of, item.at(), *number);
  }
  return made;
}

}  // namespace scenarios
