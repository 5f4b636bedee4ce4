// Macros that nobody calls: a mistake in one is found now, not when somebody needs it.
//
// Its steps are compiled for a strand that does not exist. Only what is wrong for every caller is
// told: whose descriptors, async steps, rings and names it uses, and what its arguments are, only a
// call can say.

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <deque>
#include <optional>

#include "scenarios/compile_strand.hpp"

namespace scenarios {
namespace {

using name_set = std::set<std::string, std::less<>>;

/// Of all of them together: what calls multiply to must not take long.
constexpr std::size_t uncalled_steps_max = 20'000;

/// Whose strand it could be. Which steps are possible depends on it.
constexpr strand_role roles[] = {strand_role::client, strand_role::peer, strand_role::task};

/// What only a call can decide.
constexpr code caller_decides[] = {
    code::not_yet_available, code::unknown_id,     code::never_joined,   code::concurrent_readers,
    code::needs_own_ring,    code::unknown_ring,   code::assigned_twice, code::barrier_unmeetable,
    code::misplaced_step,    code::thread_forbids,
};

void add_texts(const node& from, name_set& to) {
  if (from.is(node_kind::string)) to.insert(from.text());
  for (const node& each : from.items()) add_texts(each, to);
}

/// All names that steps make anywhere in the file, whoever makes them.
void add_names(const node& from, name_set& to) {
  for (const node& each : from.items()) add_names(each, to);
  for (const member& m : from.members()) {
    for (const std::string_view key : {"as", "collect", "index"})
      if (m.key == key) add_texts(m.value, to);
    for (const std::string_view key : {"set", "capture", "expect_output"})
      if (m.key == key)
        for (const member& made : m.value.members()) to.insert(made.key);
    add_names(m.value, to);
  }
}

/// The name that a message is about: the first word at its place.
std::string_view word_at(span where) {
  const std::string_view text = where.in != nullptr ? where.text() : std::string_view();
  const auto is_part = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
  };
  const auto* begin = std::ranges::find_if(text, is_part);
  const auto* end = std::find_if_not(begin, text.end(), is_part);
  return {begin, end};
}

class uncalled_checker {
 public:
  uncalled_checker(case_context& in, const node& root, diagnostics& out) : in_(in), out_(out) {
    add_names(root, made_);
  }

  void check_all() {
    in_.step_count = steps_max - uncalled_steps_max;
    for (const auto& [name, one] : in_.macros) {
      if (one.steps == nullptr || in_.called.contains(name)) continue;
      if (in_.step_count >= steps_max) return;
      check(one);
    }
  }

 private:
  void check(const macro& one) {
    std::optional<std::vector<diagnostic>> fewest;
    for (const strand_role role : roles) {
      std::vector<diagnostic> found = errors_as(one, role);
      if (!fewest || found.size() < fewest->size()) fewest = std::move(found);
      if (fewest->empty()) return;
    }
    for (diagnostic& each : *fewest) {
      each.notes.push_back(fmt::format("in the macro {}, which nobody calls", one.name));
      out_.add(std::move(each));
    }
  }

  std::vector<diagnostic> errors_as(const macro& one, strand_role role) {
    in_.out = {};
    strand_names& names = in_.names.add_strand("the caller", false, true, strands_.emplace_back());
    strand_context strand(in_, names, role, 1);
    if (role == strand_role::peer) strand.connect_peer();
    strand.compile_uncalled(one);
    std::vector<diagnostic> told;
    for (const diagnostic& each : in_.out.all())
      if (is_certain(each)) told.push_back(each);
    return told;
  }

  bool is_certain(const diagnostic& of) const {
    if (of.severity != level::error || std::ranges::count(caller_decides, of.id) != 0) return false;
    if (of.id == code::value_out_of_range && in_.step_count > steps_max) return false;
    if (of.id != code::unknown_name) return true;
    // A descriptor of the caller's has a name that only the caller knows.
    return !of.message.starts_with("there is no descriptor") && !made_.contains(word_at(of.where));
  }

  case_context& in_;
  diagnostics& out_;
  name_set made_;
  std::deque<strand_plan> strands_;
};

}  // namespace

void check_uncalled(case_context& in, const node& root, diagnostics& out) {
  uncalled_checker(in, root, out).check_all();
}

}  // namespace scenarios
