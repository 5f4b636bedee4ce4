#include "scenarios/include.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

#include "scenarios/checked_object.hpp"
#include "scenarios/source.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_max = 1000;
// Each takes stack.
constexpr std::size_t nesting_max = 100;

/// How what two files say under one key becomes one.
enum class merging : std::uint8_t {
  own_counts,    // the file's own, or else the other's
  by_name,       // objects: entry by entry, the file's own counts
  lists_joined,  // objects of lists: entry by entry, the other's items first
  other_first,   // lists: the other's items, then the file's own
  own_first,     // the reverse
};
struct merged_key {
  std::string_view name;
  merging how;
};
constexpr merged_key merged_keys[] = {
    {"vars", merging::by_name},          {"macros", merging::by_name},
    {"messages", merging::by_name},      {"defaults", merging::by_name},
    {"secrets", merging::by_name},       {"tags", merging::other_first},
    {"locks", merging::other_first},     {"redact", merging::other_first},
    {"setup", merging::other_first},     {"teardown", merging::own_first},
    {"timeout", merging::own_counts},    {"retries", merging::own_counts},
    {"seed", merging::own_counts},       {"tolerance", merging::own_counts},
    {"requires", merging::lists_joined},
};

void join_items(node& into, const node& other, bool other_first) {
  if (!into.is(node_kind::array) || !other.is(node_kind::array)) return;
  auto& items = std::get<node::array_type>(into.value());
  items.insert(other_first ? items.begin() : items.end(), other.items().begin(),
               other.items().end());
}

/// A teardown is a list of steps, or an object that has them under `do`.
node& steps_of(node& from) {
  if (from.is(node_kind::object)) {
    for (member& m : std::get<node::object_type>(from.value()))
      if (m.key == "do") return m.value;
  }
  return from;
}

/// Entries that only `other` has come first: what the file says may refer to them.
void merge_entries(node& into, const node& other, bool join_lists) {
  if (!into.is(node_kind::object) || !other.is(node_kind::object)) return;
  auto& own = std::get<node::object_type>(into.value());
  node::object_type made;
  for (const member& m : other.members()) {
    const auto same = std::ranges::find(own, m.key, &member::key);
    if (same == own.end()) {
      made.push_back(m);
      continue;
    }
    if (join_lists) join_items(same->value, m.value, true);
    made.push_back(std::move(*same));  // at the other's place, so that the rest can refer to it
    own.erase(same);
  }
  made.insert(made.end(), std::make_move_iterator(own.begin()), std::make_move_iterator(own.end()));
  own = std::move(made);
}

void merge_key(const merged_key& key, node& root, const member& other) {
  auto& members = std::get<node::object_type>(root.value());
  const auto own = std::ranges::find(members, key.name, &member::key);
  if (own == members.end()) {
    members.push_back(other);
    return;
  }
  switch (key.how) {
    case merging::own_counts:
      return;
    case merging::by_name:
    case merging::lists_joined:
      return merge_entries(own->value, other.value, key.how == merging::lists_joined);
    case merging::other_first:
      return join_items(own->value, other.value, true);
    case merging::own_first: {
      node theirs = other.value;
      return join_items(steps_of(own->value), steps_of(theirs), false);
    }
  }
}

/// The other file's keys into the file's root.
void merge(node& root, const node& other) {
  for (const merged_key& key : merged_keys)
    if (const member* m = other.find_member(key.name)) merge_key(key, root, *m);
}

/// The same for every way to write the path. Why one can't be looked at (too long, links in a
/// circle) is told when it is read.
fs::path identity(const fs::path& path) {
  std::error_code failed;
  fs::path real = fs::weakly_canonical(path, failed);
  return failed ? path.lexically_normal() : real;
}

class assembler {
 public:
  assembler(document& into, diagnostics& out) : into_(into), out_(out) {
    under_way_.push_back(identity(into.from->name()));
  }

  source_list assemble(suite_use suite) {
    include_all(into_.root, into_.from->name());
    for (auto each = included_.rbegin(); each != included_.rend(); ++each)
      merge(into_.root, each->root);
    included_.clear();
    if (suite == suite_use::beside) add_suite();
    return std::move(sources_);
  }

 private:
  void add_suite() {
    const fs::path path = fs::path(into_.from->name()).parent_path() / suite_file_name;
    std::error_code ignored;
    if (!fs::exists(path, ignored)) return;
    if (auto found = load(path.native(), keys::suite, out_)) {
      include_all(found->root, path.native());
      included_.push_back(*std::move(found));
    }
    for (auto each = included_.rbegin(); each != included_.rend(); ++each)
      merge(into_.root, each->root);
  }

  void include_all(const node& root, const std::string& from) {
    const node* list = root.find("include");
    if (list == nullptr) return;
    if (list->is(node_kind::string)) include_one(*list, from);
    for (const node& name : list->items())
      if (check_type(name, json::string, "an included file", out_)) include_one(name, from);
  }

  void include_one(const node& name, const std::string& from) {
    if (!is_file_name(name.text())) {
      out_.error(code::file_not_found, name.at(), "this is no file name");
      return;
    }
    const fs::path path = fs::path(from).parent_path() / name.text();
    const fs::path known_as = identity(path);
    if (std::ranges::find(under_way_, known_as) != under_way_.end()) {
      out_.error(code::include_cycle, name.at(),
                 fmt::format("{} includes itself", in_quotes(name.text())));
      return;
    }
    if (under_way_.size() > nesting_max) {
      out_.error(code::value_out_of_range, name.at(),
                 fmt::format("files include each other at most {} deep", nesting_max));
      return;
    }
    if (!seen_.insert(known_as).second) return;
    if (seen_.size() > files_max) {
      out_.error(code::value_out_of_range, name.at(),
                 fmt::format("a scenario is made of at most {} files", files_max));
      return;
    }
    diagnostics told;
    std::optional<document> found = load(path.native(), keys::included, told);
    const std::string how = fmt::format("included in {}, line {}", visible(from),
                                        name.at().in->locate(name.at().begin).line);
    for (diagnostic each : told.all()) {
      if (each.where.in == nullptr) {
        // The file itself could not be read.
        each.where = name.at();
        each.help = "the path is relative to the file that names it";
      } else {
        each.notes.push_back(how);
      }
      out_.add(std::move(each));
    }
    if (!found) return;
    under_way_.push_back(known_as);
    include_all(found->root, path.native());
    under_way_.pop_back();
    included_.push_back(*std::move(found));
  }

  std::optional<document> load(const std::string& path, const key_table& keys, diagnostics& out) {
    const std::shared_ptr<const source> text = load_source(path, out);
    if (text == nullptr) return std::nullopt;
    std::optional<document> found = parse_document(text, out);
    if (!found) return std::nullopt;
    const checked_object checked(found->root, keys, out);
    if (!found->root.is(node_kind::object)) return std::nullopt;
    sources_.push_back(text);
    return found;
  }

  document& into_;
  diagnostics& out_;
  std::vector<document> included_;   // each after those that it includes
  std::vector<fs::path> under_way_;  // the files that include each other right now
  std::set<fs::path> seen_;
  source_list sources_;
};

}  // namespace

source_list assemble(document& into, suite_use suite, diagnostics& out) {
  if (!into.root.is(node_kind::object)) return {};
  return assembler(into, out).assemble(suite);
}

}  // namespace scenarios
