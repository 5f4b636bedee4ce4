// Waits of actors for each other that can never end, found without running anything.
//
// Each strand is followed from step to step: past a wait when what it waits for has come, with all
// that is not known taken for the best: what may not run, ends by itself or stands in a block holds
// nobody up, and gives what it gives as soon as the strand comes there. Where no strand gets on any
// more, those that have not come to their end wait for ever. Linear in the steps, but for one pass
// over the strands for each wait that ends.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "scenarios/compile_case.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

using what = order_use::what;
using key = std::pair<what, std::uint32_t>;

key key_of(const order_use& use) {
  return {use.kind, use.index};
}

// Set-up has ended before an actor begins, and all actors before the teardown does.
int phase_of(std::string_view strand) {
  return strand == "setup" ? 0 : strand == "teardown" ? 2 : 1;
}

class followed_strands {
 public:
  explicit followed_strands(const std::vector<order_use>& uses) {
    for (const order_use& use : uses) {
      strand& of = strands_[use.actor];
      of.phase = phase_of(use.actor);
      of.uses.push_back(&use);
      if (use.kind == what::barrier) parties_[use.index].insert(use.actor);
      if (!use.awaits) givers_[key_of(use)].push_back(&use);
    }
    for (bool any = true; any;) {
      any = false;
      for (auto& [name, each] : strands_) any |= follow(name, each);
    }
  }

  /// Where each strand that does not come to its end stands.
  [[nodiscard]] std::vector<const order_use*> ends() const {
    std::vector<const order_use*> found;
    for (const auto& [name, each] : strands_)
      if (each.next < each.uses.size()) found.push_back(each.uses[each.next]);
    std::ranges::sort(found, {}, [](const order_use* use) { return use->at.begin; });
    return found;
  }
  [[nodiscard]] const std::vector<const order_use*>& givers_of(const order_use& use) const {
    return givers_.at(key_of(use));
  }

 private:
  struct strand {
    int phase = 1;
    std::vector<const order_use*> uses;
    std::size_t next = 0;
  };

  bool follow(const std::string& name, strand& of) {
    bool any = false;
    for (; of.next < of.uses.size(); ++of.next) {
      const order_use& use = *of.uses[of.next];
      if (use.kind == what::barrier) any |= come_[use.index].insert(name).second;
      if (!use.awaits) {
        const auto [known, added] = given_.emplace(key_of(use), of.phase);
        known->second = std::min(known->second, of.phase);
        any |= added;
      } else if (use.certain && !has_come(use, of.phase)) {
        return any;
      }
      any = true;
    }
    return any;
  }

  bool has_come(const order_use& use, int phase) const {
    if (use.kind == what::barrier)
      return come_.at(use.index).size() == parties_.at(use.index).size();
    // Who else gives it, as a service does its port, is not followed; nobody at all is told
    // elsewhere.
    if (!givers_.contains(key_of(use))) return true;
    const auto found = given_.find(key_of(use));
    return found != given_.end() && found->second <= phase;
  }

  std::map<std::string, strand> strands_;
  std::map<key, std::vector<const order_use*>> givers_;
  std::map<key, int> given_;  // and in which phase
  std::map<std::uint32_t, std::set<std::string>> parties_, come_;
};

std::string name_of(const case_context& in, const order_use& use) {
  switch (use.kind) {
    case what::signal:
      return "the signal " + in_quotes(in.into.signals[use.index].name);
    case what::barrier:
      return "the barrier " + in_quotes(in.into.barriers[use.index].name);
    default:
      break;
  }
  const auto known = std::ranges::find(in.into.shared_names, use.index,
                                       [](const auto& each) { return each.first; });
  return known == in.into.shared_names.end() ? "a value" : fmt::format("${{{}}}", known->second);
}

std::uint64_t line_of(const order_use& use) {
  return use.at.in->locate(use.at.begin).line;
}

}  // namespace

void check_order(case_context& in) {
  // What is skipped waits for nobody.
  const bool may_skip =
      std::ranges::any_of(in.steps, [](const step_seen& step) { return step.row->name == "skip"; });
  if (may_skip) return;
  const followed_strands followed(in.order);
  const std::vector<const order_use*> ends = followed.ends();
  for (const order_use* use : ends) {
    diagnostic& told =
        in.out.error(code::endless_wait, use->at,
                     fmt::format("{} waits for ever for {}", use->actor, name_of(in, *use)));
    if (use->kind == what::barrier) {
      for (const order_use* other : ends)
        if (other != use)
          told.notes.push_back(fmt::format("{} waits in line {} for {}", other->actor,
                                           line_of(*other), name_of(in, *other)));
    } else {
      for (const order_use* given : followed.givers_of(*use))
        told.notes.push_back(fmt::format(
            "{} gives it in line {}, behind {}", given->actor, line_of(*given),
            given->actor == "teardown" ? "the end of all actors" : "a wait of its own"));
    }
    told.help = "one of them must go on first; a `timeout` bounds a wait";
  }
}

}  // namespace scenarios
