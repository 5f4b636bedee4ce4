// `vars` and `requires`: what a scenario knows before it runs, and what it needs to run at all.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/flag_sets.hpp"
#include "engine/op_table.hpp"
#include "scenarios/checked_object.hpp"
#include "scenarios/compile_case.hpp"
#include "scenarios/compile_scope.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr std::size_t var_bytes_max = std::size_t{1} << 20;

/// --var gives text; it becomes what the file's own value is.
std::optional<value> replace(const value& own, const std::string& text, const node& at,
                             diagnostics& out) {
  if (own.is(value_type::text)) return value::text(text);
  if (own.is(value_type::boolean) && (text == "true" || text == "false"))
    return value(text == "true");
  const auto read = [&](auto number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return whole ? std::optional(number) : std::nullopt;
  };
  if (own.is(value_type::integer))
    if (const auto number = read(std::int64_t{})) return value(*number);
  if (own.is(value_type::decimal))
    if (const auto number = read(double{}); number && std::isfinite(*number))
      return value::decimal(*number);
  out.error(code::wrong_type, at.at(),
            fmt::format("--var gives {}, but the variable is {}", in_quotes(text), own.type_name()))
      .help = own.is(value_type::number | value_type::boolean)
                  ? ""
                  : "only text, numbers and booleans can be replaced";
  return std::nullopt;
}

bool is_version(std::string_view text) {
  const std::size_t dot = text.find('.');
  const auto digits = [](std::string_view part) {
    return !part.empty() && part.size() <= 4 &&
           std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
  };
  return dot != std::string_view::npos && digits(text.substr(0, dot)) &&
         digits(text.substr(dot + 1));
}

class requirement_compiler {
 public:
  requirement_compiler(case_context& in, bool negated)
      : in_(in),
        scope_(name_scope(in.names, name_stage::constants), in.files, in.out),
        negated_(negated) {}

  void compile(const checked_object& keys) {
    using what = requirement::what;
    if (const node* kernel = keys.find("kernel")) compile_kernel(*kernel);
    compile_list(keys.find("ops"), what::op, "an opcode");
    compile_list(keys.find("features"), what::feature, "a feature");
    compile_list(keys.find("programs"), what::program, "a program");
    compile_list(keys.find("files"), what::file, "a file");
    compile_list(keys.find("env"), what::env, "a variable");
    if (const node* root = keys.find("root"))
      in_.into.requires_.push_back({what::root, "", negated_ == root->boolean()});
    const node* inner = keys.find("not");
    if (inner == nullptr) return;
    requirement_compiler(in_, true).compile(checked_object(*inner, keys::requires_not, in_.out));
  }

 private:
  void compile_kernel(const node& kernel) {
    const auto version = scope_.read_text(kernel, "a kernel version");
    if (!version) return;
    if (!is_version(*version)) {
      in_.out
          .error(code::wrong_type, kernel.at(),
                 fmt::format("{} is no kernel version", in_quotes(*version)))
          .help = "two numbers with a dot: \"6.1\"; the running kernel must be that or newer";
      return;
    }
    in_.into.requires_.push_back({requirement::what::kernel, *version, negated_});
  }

  void compile_list(const node* list, requirement::what kind, std::string_view what) {
    if (list == nullptr) return;
    if (list->items().empty())
      in_.out.error(code::empty_value, list->at(), "this list requires nothing");
    for (const node& item : list->items()) {
      const auto text = scope_.read_text(item, what);
      if (text && check(kind, *text, item)) in_.into.requires_.push_back({kind, *text, negated_});
    }
  }

  bool check(requirement::what kind, const std::string& text, const node& at) {
    if (kind == requirement::what::op && uring::find_op(text) == nullptr) {
      in_.out
          .error(code::unknown_op, at.at(), fmt::format("there is no opcode {}", in_quotes(text)))
          .help = did_you_mean(text, opcode_names());
      return false;
    }
    if (kind != requirement::what::feature || text == "nop_inject") return true;
    std::vector<std::string_view> names{"nop_inject"};
    for (const uring::flag_set* set : {&uring::flags::features, &uring::flags::setup_flags})
      for (const uring::flag_name& known : set->names) names.push_back(known.name);
    if (std::ranges::find(names, text) != names.end()) return true;
    in_.out
        .error(code::unknown_constant, at.at(),
               fmt::format("io_uring has no feature {}", in_quotes(text)))
        .help = suggestion(text, names, names.size());
    return false;
  }

  case_context& in_;
  compile_scope scope_;
  bool negated_;
};

}  // namespace

void compile_vars(case_context& in, const node& from,
                  const std::vector<std::pair<std::string, std::string>>& replaced) {
  compile_scope scope(name_scope(in.names, name_stage::constants), in.files, in.out);
  for (const member& m : from.members()) in.names.add_later_name(m.key);
  for (const member& m : from.members()) {
    if (m.key.starts_with("x-") || !check_name(m.key, m.key_at, "a variable", in.out)) continue;
    // One with a fraction is for what takes it: `p` and `fraction` of a fault, and matchers.
    std::optional<value> content =
        m.value.is(node_kind::real) ? value::decimal(m.value.real())
                                    : scope.read_constant(m.value, value_type::any, "a variable");
    // The last one given counts, as with any option.
    for (const auto& [name, text] : replaced)
      if (content && name == m.key) content = replace(*content, text, m.value, in.out);
    if (content && content->footprint() > var_bytes_max) {
      in.out.error(code::value_out_of_range, m.value.at(), "a variable holds at most 1 MiB").help =
          "{ \"file\": … } takes more, where data is taken";
    }
    // After an error a name is better than an unknown one.
    in.names.add_var(m.key, content ? *std::move(content) : value());
  }
}

void compile_requires(case_context& in, const node& from) {
  requirement_compiler(in, false).compile(checked_object(from, keys::requires_, in.out));
}

}  // namespace scenarios
