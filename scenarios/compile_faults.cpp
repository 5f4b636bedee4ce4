// `faults`: rules that break completions, each held against the steps that it could hit.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "engine/errno_name.hpp"
#include "engine/op_table.hpp"
#include "scenarios/checked_object.hpp"
#include "scenarios/compile_case.hpp"
#include "scenarios/compile_scope.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr std::size_t faults_max = 1000;
constexpr std::uint64_t forever = ~std::uint64_t{0};

// Fault types of the language that this version does not have, beside those of the op table.
constexpr std::string_view later_types[] = {
    "ring.sq_full",      "ring.partial_submit",  "ring.submit_errno", "ring.wait_errno",
    "ring.cq_overflow",  "ring.reap_limit",      "wire.latency",      "wire.bandwidth",
    "wire.slicer",       "wire.slow_close",      "wire.timeout",      "wire.reset_peer",
    "wire.limit_data",   "wire.half_close",      "wire.truncate",     "wire.corrupt",
    "wire.insert",       "wire.duplicate",       "wire.drop",         "wire.reorder",
    "wire.partition",    "wire.blackhole",       "wire.backpressure", "wire.refuse",
    "wire.accept_delay", "wire.close_on_accept", "wire.accept_hang",  "wire.heal",
    "process.kill",      "process.stop",         "process.continue",  "process.restart"};

std::vector<std::string> fault_types() {
  std::vector<std::string> types(std::begin(later_types), std::end(later_types));
  for (int i = 0; i < static_cast<int>(uring::cqe_fault::count_); ++i)
    types.push_back("cqe." + std::string(uring::fault_name(static_cast<uring::cqe_fault>(i))));
  return types;
}

struct occurrences {
  std::uint64_t first = 1, last = forever, every = 1;
  bool range = false;
};

bool take_number(std::string_view& text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number == 0) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

/// "3", "3..6", "3..", "3+", "3+2", "3..9+2": strace's first[..last][+step], counted from 1.
std::optional<occurrences> parse_occurrences(std::string_view text) {
  occurrences made;
  if (!take_number(text, made.first)) return std::nullopt;
  made.last = made.first;
  if (text.starts_with("..")) {
    text.remove_prefix(2);
    made.range = true;
    made.last = forever;
    if (!text.empty() && text.front() != '+' && !take_number(text, made.last)) return std::nullopt;
  }
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (!made.range) made.last = forever;
    made.range = true;
    if (!text.empty() && !take_number(text, made.every)) return std::nullopt;
  }
  if (!text.empty() || made.last < made.first) return std::nullopt;
  return made;
}

class fault_compiler {
 public:
  fault_compiler(case_context& in, std::size_t number, const node& from)
      : in_(in),
        out_(in.out),
        scope_(name_scope(in.names, name_stage::constants), in.files, in.out),
        from_(from) {
    made_.id = fmt::format("fault{}", number);
    made_.at = from.at();
  }

  std::optional<fault_plan> compile() {
    if (!check_the_type()) return std::nullopt;
    const checked_object keys(from_, keys::fault, out_);
    if (keys.find("type") == nullptr) return std::nullopt;
    if (const node* id = keys.find("id"); id != nullptr)
      if (check_name(id->text(), id->at(), "a fault", out_)) made_.id = id->text();
    if (const node* force = keys.find("force")) made_.force = force->boolean();
    compile_point(keys);
    if (const node* where = keys.find("where")) compile_where(*where);
    compile_errno(keys);
    if (const node* when = keys.find("when")) compile_when(*when);
    compile_times(keys);
    if (const node* require = keys.find("require")) compile_require(*require);
    if (keys.sound()) check_victims();
    return std::move(made_);
  }

 private:
  bool check_the_type() {
    const node* type = from_.find("type");
    if (type == nullptr || !type->is(node_kind::string) || type->text() == made_.type) return true;
    const std::vector<std::string> types = fault_types();
    if (std::ranges::find(types, type->text()) != types.end()) {
      out_.error(code::key_reserved, type->at(),
                 fmt::format("the fault {} is not there yet", in_quotes(type->text())))
          .help = "cqe.errno is";
      return false;
    }
    const std::vector<std::string_view> views(types.begin(), types.end());
    out_.error(code::unknown_fault, type->at(),
               fmt::format("there is no fault {}", in_quotes(type->text())))
        .help = did_you_mean(type->text(), views);
    return false;
  }

  void compile_point(const checked_object& keys) {
    const node* point = keys.find("point");
    if (point == nullptr) {
      if (!keys.has("point"))
        out_.error(code::missing_key, from_.at(), "cqe.errno needs \"point\"").help =
            "before: the operation never ran; after: it ran, and its result was replaced";
      return;
    }
    made_.before = point->text() == "before";
    if (made_.before || point->text() == "after") return;
    out_.error(code::unknown_constant, point->at(),
               fmt::format("\"point\" is before or after, not {}", in_quotes(point->text())));
  }

  // ---- Whom
  // --------------------------------------------------------------------------------------

  void compile_where(const node& where) {
    const checked_object keys(where, keys::fault_where, out_);
    if (const node* actor = keys.find("actor")) {
      actor_at_ = actor->at();
      made_.actor = scope_.read_text(*actor, "an actor").value_or("");
    }
    if (const node* op = keys.find("op")) compile_op(*op);
    if (const node* step = keys.find("step")) {
      step_at_ = step->at();
      made_.step = scope_.read_text(*step, "a step").value_or("");
      if (!made_.step.empty() && made_.step.find('/') == std::string::npos) {
        out_.error(code::bad_name, step->at(), "a step is written actor/id");
        made_.step.clear();
      }
    }
  }

  void compile_op(const node& from) {
    const auto op = scope_.read_text(from, "an op");
    if (!op) return;
    op_at_ = from.at();
    made_.submissions = op->starts_with("sqe.");
    made_.op = made_.submissions ? op->substr(4) : *op;
    const step_row* row = find_step(*op);
    const bool known = made_.submissions ? uring::find_op(made_.op) != nullptr : row != nullptr;
    if (!known) {
      out_.error(code::unknown_op, from.at(), fmt::format("there is no op {}", in_quotes(*op)))
          .help = did_you_mean(*op, step_names());
      made_.op.clear();
    } else if (!made_.submissions && row->low_level != nullptr) {
      out_.error(code::rule_cannot_match, from.at(),
                 fmt::format("{} is the name of a submission", in_quotes(*op)))
          .help = fmt::format("write \"sqe.{}\"", *op);
      made_.op.clear();
    } else if (!made_.submissions && row->opcodes.empty()) {
      out_.error(code::rule_cannot_match, from.at(),
                 fmt::format("`{}` submits nothing that a fault could hit", *op));
      made_.op.clear();
    }
  }

  bool fits_actor(const step_seen& step) const {
    if (!made_.actor.empty() && step.actor != made_.actor && copy_of(made_.actor) != step.actor)
      return false;
    if (made_.step.empty()) return true;
    const std::size_t slash = made_.step.find('/');
    const std::string actor = made_.step.substr(0, slash);
    return (actor == step.actor || copy_of(actor) == step.actor) &&
           made_.step.substr(slash + 1) == step.id;
  }

  /// "c[2]" is a copy of "c".
  static std::string copy_of(const std::string& name) {
    const std::size_t bracket = name.find('[');
    return bracket != std::string::npos && name.ends_with(']') ? name.substr(0, bracket)
                                                               : std::string();
  }

  bool fits_op(const step_seen& step) const {
    if (made_.op.empty()) {
      // Without an op it is steps that count, and low-level ones never do.
      return made_.submissions || (!step.row->opcodes.empty() && step.row->low_level == nullptr);
    }
    if (!made_.submissions) return step.row->name == made_.op;
    const std::uint8_t opcode = uring::find_op(made_.op)->opcode;
    return std::ranges::find(step.row->opcodes, opcode) != step.row->opcodes.end();
  }

  /// A rule that no step fits could never fire.
  void check_victims() {
    bool actor = false;
    for (const step_seen& step : in_.steps) {
      if (!fits_actor(step)) continue;
      actor = true;
      if (fits_op(step)) return;
    }
    // A server accepts without a step.
    if (made_.submissions && made_.op == "accept" && made_.step.empty() && serves()) return;
    if (!actor && !made_.actor.empty() && !known_actor()) {
      std::set<std::string_view> actors;
      for (const step_seen& step : in_.steps) actors.insert(step.actor);
      const std::vector<std::string_view> names(actors.begin(), actors.end());
      out_.error(code::rule_cannot_match, actor_at_,
                 fmt::format("there is no actor {}", in_quotes(made_.actor)))
          .help = suggestion(made_.actor, names);
    } else if (!actor && !made_.step.empty()) {
      out_.error(code::rule_cannot_match, step_at_,
                 fmt::format("there is no step {}", in_quotes(made_.step)))
          .help = "a step is named by its actor and its id: \"c1/put\"";
    } else {
      const span where = op_at_.in != nullptr ? op_at_ : made_.at;
      const std::string whom = made_.actor.empty() ? "" : " of " + made_.actor;
      out_.error(code::rule_cannot_match, where,
                 made_.op.empty() ? fmt::format("no step{} can be hit by this", whom)
                                  : fmt::format("no step{} {} {}{}", whom,
                                                made_.submissions ? "submits" : "is a",
                                                made_.submissions ? "sqe." : "", made_.op));
    }
  }

  bool known_actor() const {
    const auto same = [&](const actor_plan& a) {
      return a.base == made_.actor || a.name == made_.actor;
    };
    return std::ranges::any_of(in_.into.actors, same);
  }

  bool serves() const {
    return std::ranges::any_of(in_.into.actors, [&](const actor_plan& a) {
      return a.kind == actor_kind::server && (made_.actor.empty() || a.base == made_.actor);
    });
  }

  // ---- What and how often
  // ------------------------------------------------------------------------

  std::vector<std::uint8_t> opcodes() const {
    if (made_.submissions && !made_.op.empty()) return {uring::find_op(made_.op)->opcode};
    std::set<std::uint8_t> found;
    for (const step_seen& step : in_.steps)
      if (fits_actor(step) && fits_op(step))
        found.insert(step.row->opcodes.begin(), step.row->opcodes.end());
    if (const step_row* row = made_.op.empty() ? nullptr : find_step(made_.op))
      found.insert(row->opcodes.begin(), row->opcodes.end());
    return {found.begin(), found.end()};
  }

  void compile_errno(const checked_object& keys) {
    const node* error = keys.find("errno");
    if (error == nullptr) {
      if (!keys.has("errno"))
        out_.error(code::missing_key, from_.at(), "cqe.errno needs \"errno\"").help =
            "the errno's name: \"ECONNRESET\"";
      return;
    }
    made_.error = scope_.read_errno(*error).value_or(0);
    if (made_.error == 0 || made_.force) return;
    const std::vector<std::uint8_t> victims = opcodes();
    const auto possible = [&](std::uint8_t opcode) {
      return uring::can_return(uring::op(opcode), made_.error);
    };
    if (victims.empty() || std::ranges::any_of(victims, possible)) return;
    diagnostic& told =
        out_.error(code::errno_impossible, error->at(),
                   fmt::format("{}{} never ends with {}", made_.submissions ? "sqe." : "",
                               made_.op.empty() ? std::string("what this hits") : made_.op,
                               uring::errno_name(made_.error)));
    told.help = "choose one that it can return, or set \"force\": true";
    if (victims.size() != 1) return;
    std::string all;
    for (const int number : uring::possible_errnos(uring::op(victims[0]))) {
      if (!all.empty()) all += ' ';
      all +=
          uring::errno_name(number) != nullptr ? uring::errno_name(number) : std::to_string(number);
    }
    told.notes.push_back("it can return " + all);
  }

  void compile_when(const node& when) {
    const checked_object keys(when, keys::fault_when, out_);
    const node* nth = keys.find("nth");
    if (nth == nullptr) return;
    std::optional<occurrences> found;
    if (nth->is(node_kind::integer)) {
      if (!check_range(nth->integer(), {1, INT64_MAX}, nth->at(), "\"nth\"", out_)) return;
      const auto n = static_cast<std::uint64_t>(nth->integer());
      found = occurrences{n, n, 1, false};
    } else {
      const auto text = scope_.read_text(*nth, "\"nth\"");
      if (!text) return;
      found = parse_occurrences(*text);
    }
    if (!found) {
      out_.error(code::wrong_type, nth->at(), "this does not say which ones").help =
          "\"nth\" is n, \"first..last\", \"first..last+step\" or \"first+step\", counted from 1";
      return;
    }
    made_.first = found->first;
    made_.last = found->last;
    made_.every = found->every;
    ranged_ = found->range;
  }

  /// An event happens once, but who asks for the third to the fifth means all three.
  void compile_times(const checked_object& keys) {
    made_.times = ranged_ ? forever : 1;
    const node* times = keys.find("times");
    if (times != nullptr &&
        check_range(times->integer(), {1, INT64_MAX}, times->at(), "\"times\"", out_))
      made_.times = static_cast<std::uint64_t>(times->integer());
  }

  void compile_require(const node& require) {
    if (require.is(node_kind::boolean)) {
      if (require.boolean()) {
        out_.error(code::value_out_of_range, require.at(),
                   "\"require\" is false, or { \"fired\": n }");
      }
      made_.required = false;
      made_.require_fired = 0;
      return;
    }
    const checked_object keys(require, keys::fault_require, out_);
    const node* fired = keys.find("fired");
    if (fired == nullptr ||
        !check_range(fired->integer(), {0, INT64_MAX}, fired->at(), "\"fired\"", out_))
      return;
    made_.require_fired = static_cast<std::uint64_t>(fired->integer());
    made_.required = made_.require_fired > 0;
    if (made_.require_fired > made_.times) {
      out_.error(
              code::rule_cannot_match, fired->at(),
              fmt::format("it fires at most {} time{}", made_.times, made_.times == 1 ? "" : "s"))
          .help = "raise \"times\"";
    }
  }

  case_context& in_;
  diagnostics& out_;
  compile_scope scope_;
  const node& from_;
  fault_plan made_;
  span actor_at_, op_at_, step_at_;
  bool ranged_ = false;
};

/// Whether all that `later` could hit is taken by `earlier`.
bool shadows(const fault_plan& earlier, const fault_plan& later) {
  const auto covers = [](const std::string& wide, const std::string& narrow) {
    return wide.empty() || wide == narrow;
  };
  if (earlier.submissions != later.submissions || !covers(earlier.actor, later.actor) ||
      !covers(earlier.op, later.op) || !covers(earlier.step, later.step))
    return false;
  const bool takes_all = earlier.first == 1 && earlier.last == forever && earlier.every == 1 &&
                         earlier.times == forever;
  if (takes_all) return true;
  // Occurrences are counted by the rule: they are the same ones only for the same `where`.
  if (earlier.actor != later.actor || earlier.op != later.op || earlier.step != later.step)
    return false;
  const bool whole_range =
      earlier.times == forever ||
      (earlier.last != forever && (earlier.last - earlier.first) / earlier.every < earlier.times);
  return whole_range && earlier.every == 1 && later.first >= earlier.first &&
         later.last <= earlier.last;
}

}  // namespace

void compile_faults(case_context& in, const node& from) {
  if (from.items().size() > faults_max) {
    in.out.error(code::value_out_of_range, from.at(),
                 fmt::format("a scenario has at most {} faults", faults_max));
    return;
  }
  std::set<std::string> ids;
  std::size_t number = 0;
  for (const node& item : from.items()) {
    std::optional<fault_plan> made = fault_compiler(in, ++number, item).compile();
    if (!made) continue;
    if (!ids.insert(made->id).second) {
      in.out.error(code::duplicate_name, item.at(),
                   fmt::format("another fault has the id {}", in_quotes(made->id)));
    }
    for (const fault_plan& earlier : in.into.faults) {
      if (!shadows(earlier, *made)) continue;
      in.out
          .error(
              code::rule_shadowed, item.at(),
              fmt::format("the fault {} takes all that this one could hit", in_quotes(earlier.id)))
          .help = "the first rule in the order of the file wins";
      break;
    }
    in.into.faults.push_back(*std::move(made));
  }
}

}  // namespace scenarios
