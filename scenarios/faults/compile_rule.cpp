#include "scenarios/faults/compile_rule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "scenarios/services/exit_status.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {

namespace {

/// Also for who leaves the plane out: "latency" of wire.latency.
std::string meant_type(const std::string& word) {
  std::string full;
  for (const fault_row& each : fault_table()) {
    if (each.name.substr(each.name.find('.') + 1) != word) continue;
    full += fmt::format("{}{}", full.empty() ? "" : " or ", in_quotes(each.name));
  }
  if (!full.empty()) return fmt::format("did you mean {}?", full);
  const std::string near = did_you_mean(word, fault_type_names());
  return near.empty()
             ? "`uring-scenario explain fault` tells of faults, and `explain wire`, `cqe`, "
               "`ring`, `process` list them"
             : near;
}

}  // namespace

fault_compiler::fault_compiler(case_context& in, std::size_t number, const node& from)
    : in_(in),
      out_(in.out),
      scope_(name_scope(in.names, name_stage::constants), in.files, in.out),
      from_(from),
      errors_before_(in.out.error_count()) {
  made_.id = fmt::format("fault{}", number);
  made_.at = from.at();
}

std::optional<fault_plan> fault_compiler::compile() {
  if (!find_type()) return std::nullopt;
  const checked_object keys(from_, row_ == nullptr ? keys::fault : keys_of(*row_), out_);
  if (row_ == nullptr) return std::nullopt;
  made_.type = row_->name;
  made_.row = row_;
  if (const node* id = keys.find("id"); id != nullptr)
    if (check_name(id->text(), id->at(), "a fault", out_)) made_.id = id->text();
  if (const node* whole = keys.find("part_of"); whole != nullptr)
    if (check_name(whole->text(), whole->at(), "a fault", out_))
      made_.part_of.push_back(whole->text());
  if (const node* armed = keys.find("armed")) made_.armed = armed->boolean();
  if (const node* seed = keys.find("seed")) made_.seed = read_seed(*seed, out_);
  if (is_wire() && !has_proxies()) return std::move(made_);
  if (const node* where = keys.find("where")) compile_where(*where);
  compile_effect(keys);
  if (const node* stack = keys.find("stack")) compile_stack(*stack);
  if (const node* when = keys.find("when")) compile_when(*when);
  compile_times(keys);
  // A rule of the wire fires when it is set to work on a connection, which proves nothing where no
  // byte and no end came for it to work on. Those that keep a completion for another one, or for a
  // cancel, have only delayed it when that does not come.
  const uring::cqe_effect* effect = made_.completion();
  const bool waits_for_more = effect != nullptr && (effect->type == uring::cqe_fault::reorder ||
                                                    effect->type == uring::cqe_fault::cancel_race);
  if (is_wire() || waits_for_more) made_.require.observed_min = 1;
  if (const node* require = keys.find("require")) compile_require(*require);
  if (!keys.sound()) return std::move(made_);
  if (is_wire()) {
    check_wire_victims();
  } else if (is_deed() && !made_.where.names_operations()) {
    check_what_sets_it_off();
  } else {
    check_victims();
  }
  if (out_.error_count() == errors_before_) check_reach();
  return std::move(made_);
}

/// False when the rest can't be read. Without a type the object's own check tells.
bool fault_compiler::find_type() {
  const node* type = from_.find("type");
  if (type == nullptr || !type->is(node_kind::string)) return true;
  row_ = find_fault_type(type->text());
  if (row_ != nullptr) return true;
  out_.error(code::unknown_fault, type->at(),
             fmt::format("there is no fault {}", in_quotes(type->text())))
      .help = meant_type(type->text());
  return false;
}

// ---- What it does ------------------------------------------------------------------------------

void fault_compiler::compile_effect(const checked_object& keys) {
  if (is_wire()) {
    compile_relay_effect(keys);
  } else if (is_process()) {
    compile_deed(keys, made_.effect.emplace<process_effect>());
  } else if (is_ring()) {
    compile_ring(keys, made_.effect.emplace<uring::ring_effect>());
  } else {
    compile_completion(keys, made_.effect.emplace<uring::cqe_effect>());
  }
}

void fault_compiler::compile_deed(const checked_object& keys, process_effect& effect) {
  using enum process_effect::deed;
  effect.what = row_->name == "process.kill"       ? kill
                : row_->name == "process.stop"     ? stop
                : row_->name == "process.continue" ? go_on
                                                   : restart;
  if (const node* signal = keys.find("signal")) {
    const int number = find_signal(signal->text()).value_or(0);
    // Others do not end a program by themselves: nobody could say when the deed is done.
    static constexpr int ending[] = {SIGKILL, SIGTERM, SIGINT,  SIGQUIT, SIGHUP, SIGABRT, SIGUSR1,
                                     SIGUSR2, SIGPIPE, SIGALRM, SIGSEGV, SIGBUS, SIGFPE,  SIGILL};
    if (std::ranges::find(ending, number) == std::end(ending)) {
      out_.error(code::unknown_constant, signal->at(),
                 fmt::format("{} does not end a program", in_quotes(signal->text())))
          .help = "such as SIGKILL, SIGTERM, SIGINT, SIGQUIT, SIGHUP and SIGUSR1 do";
    } else {
      effect.signal = number;
    }
  }
  const node* where = from_.find("where");
  const node* name = where != nullptr ? where->find("service") : nullptr;
  if (name == nullptr) {
    out_.error(code::missing_key, from_.at(), fmt::format("{} needs a service", row_->name)).help =
        "\"where\": { \"service\": \"NAME\" }";
    return;
  }
  const named_party* party = in_.names.find_party(name->text());
  if (party == nullptr || party->what != named_party::kind::service) {
    out_.error(code::unknown_name, name->at(),
               fmt::format("there is no service {}", in_quotes(name->text())));
    return;
  }
  effect.service = static_cast<std::uint32_t>(party->order);
  effect.name = name->text();
}

}  // namespace scenarios
