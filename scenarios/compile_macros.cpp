// `macros` and `call`.

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/compile_strand.hpp"
#include "scenarios/follow/follow.hpp"
#include "scenarios/macro.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

/// Of calls inside each other: what a chain of calls can multiply to is bounded by steps_max.
constexpr std::size_t call_depth_max = 64;

void add_parameter(macro& into, const std::string& name, span at, const node* fallback,
                   diagnostics& out) {
  if (!check_name(name, at, "a parameter", out)) return;
  const auto same = [&](const macro_parameter& p) { return p.name == name; };
  if (std::ranges::any_of(into.parameters, same)) {
    out.error(code::duplicate_name, at,
              fmt::format("{} has two parameters {}", into.name, in_quotes(name)));
    return;
  }
  into.parameters.push_back({name, fallback});
}

void read_parameters(macro& into, const node& from, diagnostics& out) {
  for (const node& name : from.items())
    if (check_type(name, json::string, "a parameter", out))
      add_parameter(into, name.text(), name.at(), nullptr, out);
  for (const member& m : from.members()) {
    const bool must_be_given = m.value.is(node_kind::null);
    add_parameter(into, m.key, m.key_at, must_be_given ? nullptr : &m.value, out);
  }
}

std::string signature(const macro& of) {
  std::vector<std::string> parts;
  parts.reserve(of.parameters.size());
  for (const macro_parameter& p : of.parameters)
    parts.push_back(p.fallback == nullptr ? p.name : '[' + p.name + ']');
  return parts.empty() ? of.name + " takes no arguments"
                       : fmt::format("{} takes {}", of.name, fmt::join(parts, ", "));
}

}  // namespace

macro_map read_macros(const node& from, diagnostics& out) {
  macro_map made;
  for (const member& m : from.members()) {
    if (m.key.starts_with("x-") || !check_name(m.key, m.key_at, "a macro", out)) continue;
    macro& one = made[m.key];
    one.name = m.key;
    one.at = m.key_at;
    const checked_object keys(m.value, keys::macro, out);
    if (const node* parameters = keys.find("params")) read_parameters(one, *parameters, out);
    one.steps = keys.find("do");
    if (one.steps != nullptr && one.steps->items().empty())
      out.error(code::empty_value, one.steps->at(), "`do` has no step");
  }
  return made;
}

/// The macro that a call means; nothing, without a word, where there is none.
const macro* strand_context::called_macro(const node& call) const {
  const node* name = call.is(node_kind::object) ? call.find("macro") : &call;
  if (name == nullptr || !name->is(node_kind::string)) return nullptr;
  const auto found = in_.macros.find(name->text());
  return found == in_.macros.end() ? nullptr : &found->second;
}

/// The names that the steps of a macro make are the caller's.
void strand_context::declare_call(const node& call) {
  const macro* called = called_macro(call);
  if (called == nullptr || called->steps == nullptr) return;
  if (std::ranges::find(calls_, called) != calls_.end()) return;  // told when it is compiled
  if (calls_.size() >= call_depth_max || !admit_step(call.at())) return;
  calls_.push_back(called);
  declare_names(*called->steps);
  calls_.pop_back();
}

std::vector<step_plan> strand_context::compile_called(const macro& called, argument_map arguments,
                                                      span call_at) {
  in_.called.insert(called.name);
  std::vector<slot_ref>* const reads = scope_.reads();
  const std::size_t loops = std::exchange(loops_, 0);
  const std::size_t told_before = out().all().size();
  calls_.push_back(&called);
  call_sites_.push_back({called.name, call_at});
  names_.enter_macro(std::move(arguments));
  block made = compile_list(*called.steps);
  names_.leave_macro();
  call_sites_.pop_back();
  calls_.pop_back();
  loops_ = loops;
  scope_.note_reads(reads);
  made_.clear();
  out().add_note_since(told_before, fmt::format("in the macro {}, called from line {}", called.name,
                                                call_at.in->locate(call_at.begin).line));
  return made;
}

void strand_context::compile_uncalled(const macro& one) {
  calls_.push_back(&one);
  declare(*one.steps);
  argument_map arguments;
  for (const macro_parameter& p : one.parameters) {
    macro_argument anything;
    anything.local = names_.add_local();
    arguments.emplace(p.name, std::move(anything));
  }
  names_.enter_macro(std::move(arguments));
  check_descriptors(in_, compile_list(*one.steps));
  names_.leave_macro();
  calls_.pop_back();
}

argument_map strand_context::compile_arguments(const macro& called, const node* given, span call_at,
                                               assignment_list& assigned) {
  argument_map made;
  const auto known = [&](std::string_view name) {
    return std::ranges::find(called.parameters, name, &macro_parameter::name) !=
           called.parameters.end();
  };
  if (given != nullptr) {
    std::vector<std::string_view> words;
    words.reserve(called.parameters.size());
    for (const macro_parameter& p : called.parameters) words.push_back(p.name);
    for (const member& m : given->members()) {
      if (m.key.starts_with("x-") || known(m.key)) continue;
      diagnostic& told = out().error(
          code::bad_arguments, m.key_at,
          fmt::format("the macro {} has no parameter {}", called.name, in_quotes(m.key)));
      told.help = did_you_mean(m.key, words);
      if (told.help.empty()) told.help = signature(called);
    }
  }
  for (const macro_parameter& p : called.parameters) {
    const node* from = given != nullptr ? given->find(p.name) : nullptr;
    if (from == nullptr) from = p.fallback;
    if (from == nullptr) {
      out()
          .error(code::bad_arguments, call_at,
                 fmt::format("the macro {} needs {}", called.name, in_quotes(p.name)))
          .help = fmt::format("\"with\": {{ \"{}\": … }}", p.name);
      made.emplace(p.name, macro_argument{});
      continue;
    }
    expression read = scope_.read(*from, value_type::any, "an argument");
    macro_argument argument;
    argument.type = read.type();
    if (read.is_constant()) {
      argument.constant = read.constant();
    } else {
      argument.local = names_.add_local();
      assigned.emplace_back(name_target{argument.local, no_index}, std::move(read));
    }
    made.emplace(p.name, std::move(argument));
  }
  return made;
}

void compile_call(strand_context& in, const step_arguments& given, step_plan& into) {
  call_step made;
  const node* name = given.find("macro");
  if (name == nullptr) return;
  const macro* called = in.called_macro(*name);
  if (called == nullptr) {
    std::vector<std::string_view> words;
    for (const auto& [known, what] : in.in().macros) words.push_back(known);
    in.out()
        .error(code::unknown_macro, name->at(),
               fmt::format("there is no macro {}", in_quotes(name->text())))
        .help = suggestion(name->text(), words);
  } else if (in.is_calling(*called)) {
    in.out().error(code::macro_cycle, name->at(),
                   fmt::format("the macro {} calls itself", called->name));
  } else if (called->steps != nullptr) {
    made.name = called->name;
    into.note = called->name;
    argument_map arguments =
        in.compile_arguments(*called, in.call_arguments(), name->at(), made.arguments);
    made.body = in.compile_called(*called, std::move(arguments), name->at());
  }
  into.body = std::move(made);
}

}  // namespace scenarios
