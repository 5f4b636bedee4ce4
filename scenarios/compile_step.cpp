#include <fmt/format.h>
#include <liburing.h>

#include <algorithm>

#include "scenarios/compile_strand.hpp"
#include "scenarios/step_lists.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {

/// For a hint: what stands beside this op.
static std::vector<std::string_view> modifiers_of(const step_row& row) {
  std::vector<std::string_view> names;
  for (const modifier_row& each : modifier_table())
    if (row.allows(each.which)) names.push_back(each.key.name);
  return names;
}

/// Compiles one step: its op, then each modifier in turn.
class step_compiler {
 public:
  step_compiler(strand_context& in, const node& step) : in_(in), out_(in.out()), step_(step) {}

  std::optional<step_plan> compile();

 private:
  bool find_the_op();
  void tell_unknown(const member& m);
  void check_modifiers();
  const node* modifier_node(modifier which) const;
  const node* default_node(const modifier_row& row) const;
  void compile_id();
  void compile_on();
  void compile_on_number(const node& on);
  void compile_on_object(const node& on);
  sqe_step& begun_sqe();
  void compile_ring();
  void compile_request();
  void compile_as();
  void compile_as_name(const node& as);
  void compile_when();
  void compile_collect();
  void compile_times();
  void compile_async();
  void compile_sqe_flags();
  void compile_severity();
  void judge();
  void finish_names();

  strand_context& in_;
  diagnostics& out_;
  const node& step_;
  const member* op_ = nullptr;
  const step_row* row_ = nullptr;
  async_step* async_ = nullptr;
  step_plan made_;
};

std::optional<step_plan> step_compiler::compile() {
  if (!step_.is(node_kind::object)) {
    out_.error(code::wrong_type, step_.at(),
               fmt::format("a step is an object, not {}", step_.kind_name()))
        .help = "for example { \"send\": \"PING\\r\\n\" }";
    return std::nullopt;
  }
  if (!in_.admit_step(step_.at()) || !find_the_op()) return std::nullopt;
  made_.op = std::string(row_->name);
  made_.at = step_.at();
  made_.op_at = op_->key_at;
  in_.made_.clear();
  in_.scope_.note_reads(&made_.reads);
  check_modifiers();
  compile_when();
  compile_id();
  compile_async();
  compile_ring();
  compile_on();
  compile_request();
  compile_times();
  compile_sqe_flags();
  in_.with_ = modifier_node(modifier::arguments);
  in_.received = nullptr;
  const step_arguments given(*row_, *op_, out_);
  row_->compile(in_, given, made_);
  in_.scope_.note_reads(&made_.reads);  // a block inside has its own
  compile_as();
  compile_collect();
  judge();
  compile_severity();
  check_contradictions(in_, made_, *row_);
  check_datagram_size(in_, made_);
  in_.scope_.note_reads(nullptr);
  std::ranges::sort(made_.reads);
  const auto repeated = std::ranges::unique(made_.reads);
  made_.reads.erase(repeated.begin(), repeated.end());
  finish_names();
  made_.called_from = in_.call_sites_;
  if (row_->low_level != nullptr && !made_.id.empty()) in_.note_request(made_.id);
  const bool once = in_.rounds_ && *in_.rounds_ <= 1;
  in_.in().steps.push_back(see_step(in_.in(), in_.names().owner(), *row_, made_, once));
  if (const auto* dial = std::get_if<connect_step>(&made_.body);
      dial && made_.as_handle != no_index)
    in_.in().dials.push_back(
        {in_.names().owner(), in_.names().into().handles[made_.as_handle], dial->to});
  if (const auto* single = std::get_if<sqe_step>(&made_.body);
      single != nullptr && single->row != nullptr && single->row->opcode == IORING_OP_CONNECT &&
      made_.handle != no_index)
    for (const sqe_field& field : single->fields)
      if (field.row->name == "addr" && field.number)
        in_.in().dials.push_back(
            {in_.names().owner(), in_.names().into().handles[made_.handle], *field.number});
  return std::move(made_);
}

// ---- The op ------------------------------------------------------------------------------------

bool step_compiler::find_the_op() {
  bool unknown = false;
  for (const member& m : step_.members()) {
    if (m.key.starts_with("x-") || find_modifier(m.key) != nullptr) continue;
    const step_row* row = find_step(m.key);
    if (row == nullptr) {
      tell_unknown(m);
      unknown = true;
    } else if (op_ != nullptr) {
      if (m.key == op_->key) continue;  // a duplicate key, told already
      out_.error(code::not_one_op, m.key_at,
                 fmt::format("a step has one op; this one has {} and {}", in_quotes(op_->key),
                             in_quotes(m.key)))
          .help = "give each op a step of its own";
    } else {
      op_ = &m;
      row_ = row;
    }
  }
  if (op_ == nullptr) {
    if (unknown) return false;
    diagnostic& told = out_.error(code::not_one_op, step_.at(), "this step has no op");
    if (step_.find("timeout") != nullptr)
      told.help = "`timeout` beside an op is its deadline; the low-level op is `sqe.timeout`";
    return false;
  }
  return true;
}

void step_compiler::tell_unknown(const member& m) {
  std::vector<std::string_view> words = step_names();
  for (const modifier_row& row : modifier_table()) words.push_back(row.key.name);
  diagnostic& told = out_.error(code::unknown_op, m.key_at,
                                fmt::format("there is no op and no modifier {}", in_quotes(m.key)));
  told.help = did_you_mean(m.key, words);
  if (told.help.empty()) told.help = "`explain` lists the ops and modifiers";
}

// ---- Modifiers ---------------------------------------------------------------------------------

void step_compiler::check_modifiers() {
  for (const member& m : step_.members()) {
    const modifier_row* row = find_modifier(m.key);
    if (row == nullptr) continue;
    if (!row_->allows(row->which)) {
      out_.error(code::modifier_not_allowed, m.key_at,
                 fmt::format("`{}` does not take {}", row_->name, in_quotes(m.key)))
          .help = fmt::format("it takes {}", fmt::join(modifiers_of(*row_), ", "));
    } else if (in_.in_chain_ && has(not_in_chains, row->which)) {
      const bool is_time = has(modifier::timeout | modifier::cancel_after, row->which);
      out_.error(code::modifier_not_allowed, m.key_at,
                 fmt::format("a member of a chain does not take {}", in_quotes(m.key)))
          .help = is_time ? "inside a chain, `sqe.link_timeout` bounds the member before it"
                          : "all members are submitted together: put it beside the chain";
    } else if (!takes(row->key.accepts, m.value)) {
      check_type(m.value, row->key.accepts, in_quotes(m.key), out_);
    }
  }
}

/// Nothing when it is absent or was refused.
const node* step_compiler::modifier_node(modifier which) const {
  if (!row_->allows(which)) return nullptr;
  for (const modifier_row& row : modifier_table()) {
    if (row.which != which) continue;
    const node* found = step_.find(row.key.name);
    if (found == nullptr) found = default_node(row);
    return found != nullptr && (json_type_of(found->kind()) & row.key.accepts) != 0 ? found
                                                                                    : nullptr;
  }
  return nullptr;
}

/// What `defaults` say: for this op, or else for all.
const node* step_compiler::default_node(const modifier_row& row) const {
  const node* defaults = in_.in().defaults;
  if (defaults == nullptr || !has(defaultable, row.which)) return nullptr;
  if (in_.in_chain_ && row.which != modifier::sqe_flags) return nullptr;
  // A step in the background is not tried again; only one that says so itself is wrong.
  const node* async = step_.find("async");
  const bool in_background = async != nullptr && async->is(node_kind::boolean) && async->boolean();
  if (in_background && row.which == modifier::retry) return nullptr;
  const node* of_op = defaults->find(row_->name);
  const node* found = of_op != nullptr ? of_op->find(row.key.name) : nullptr;
  return found != nullptr ? found : defaults->find(row.key.name);
}

void step_compiler::compile_id() {
  if (const node* id = modifier_node(modifier::id)) made_.id = id->text();
  if (const node* note = modifier_node(modifier::note)) made_.note = note->text();
}

void step_compiler::compile_async() {
  const node* async = modifier_node(modifier::async);
  if (async == nullptr || !async->boolean()) return;
  if (made_.id.empty()) {
    out_.error(code::async_needs_id, async->at(), "an async step needs an id").help =
        "add \"id\": \"NAME\" and, later, { \"join\": \"NAME\" }";
    return;
  }
  if (modifier_node(modifier::retry) != nullptr) {
    out_.error(code::conflicting_keys, step_.find_member("retry")->key_at,
               "an async step is not retried");
  }
  const auto same = [&](const async_step& a) { return a.id == made_.id && !a.started; };
  const auto found = std::ranges::find_if(in_.asyncs_, same);
  if (found == in_.asyncs_.end()) return;  // its id was refused
  async_ = &*found;
  made_.async = found->index;
}

void step_compiler::compile_on() {
  const bool needs = row_->is(step_trait::works_on);
  if (!needs && !row_->is(step_trait::may_work_on)) return;
  const node* on = modifier_node(modifier::on);
  if (on == nullptr) {
    if (!needs || step_.find("on") != nullptr) return;
    // A slot of the file table is closed by its number, and then there is no descriptor.
    const bool closes_slot = row_->name == "sqe.close" && op_->value.find("file_index") != nullptr;
    if (closes_slot) return;
    if (in_.has_connection()) {
      made_.handle = 0;
      return;
    }
    const std::vector<std::string> names = in_.names().ready_descriptors();
    out_.error(
            code::missing_key, op_->key_at,
            fmt::format("`{}` needs \"on\": this actor has no connection of its own", row_->name))
        .help = names.empty()
                    ? "make a descriptor first: `connect`, `listen` or `accept`, with `as`"
                    : fmt::format("there is {}", fmt::join(names, ", "));
    return;
  }
  if (on->is(node_kind::object)) {
    compile_on_object(*on);
  } else if (on->is(node_kind::integer) || on->text().find("${") != std::string::npos) {
    compile_on_number(*on);
  } else if (const auto handle = in_.find_descriptor(*on)) {
    made_.handle = *handle;
  }
}

/// What the modifiers of a submission leave for compile_sqe to go on with.
sqe_step& step_compiler::begun_sqe() {
  if (auto* begun = std::get_if<sqe_step>(&made_.body)) return *begun;
  made_.body = sqe_step{};
  return std::get<sqe_step>(made_.body);
}

void step_compiler::compile_on_object(const node& on) {
  if (row_->low_level == nullptr) {
    out_.error(
        code::wrong_type, on.at(),
        fmt::format("`{}` works on a descriptor's name; only sqe steps take others", row_->name));
    return;
  }
  const checked_object keys(on, keys::on_object, out_);
  const node* ring = keys.find("ring");
  if (const node* slot = keys.find("slot"); slot != nullptr && ring == nullptr) {
    sqe_step& step = begun_sqe();
    step.on_number = in_.scope().read_count(*slot, {0, UINT32_MAX}, "a slot");
    step.on_slot = true;
  } else if (ring != nullptr && slot == nullptr) {
    begun_sqe().on_ring = in_.find_ring(*ring);
  } else if (keys.sound()) {
    out_.error(code::missing_key, on.at(), "\"on\" has either a `slot` or a `ring`");
  }
}

/// On which ring it is submitted: its own, its chain's, its actor's.
void step_compiler::compile_ring() {
  if (!row_->allows(modifier::ring)) return;
  made_.ring = in_.in_chain_ ? in_.current_ring_ : in_.ring_;
  const node* ring = modifier_node(modifier::ring);
  if (ring != nullptr && !in_.in_chain_) made_.ring = in_.find_ring(*ring);
  in_.current_ring_ = made_.ring;
}

void step_compiler::compile_request() {
  if (row_->low_level == nullptr) return;
  if (const node* user_data = modifier_node(modifier::user_data))
    begun_sqe().user_data = in_.scope().read_count(*user_data, {0, UINT32_MAX}, "a user_data");
  if (const node* personality = modifier_node(modifier::personality))
    begun_sqe().personality = in_.scope().read_count(*personality, {0, 65'535}, "a personality");
}

void step_compiler::compile_on_number(const node& on) {
  if (row_->low_level == nullptr) {
    out_.error(
        code::wrong_type, on.at(),
        fmt::format("`{}` works on a descriptor's name; only sqe steps take numbers", row_->name));
    return;
  }
  expression number = in_.scope().read(on, value_type::integer, "a descriptor's number");
  if (number.is_constant())
    check_range(number.constant().integer(), {INT32_MIN, INT32_MAX}, on.at(), "a descriptor", out_);
  begun_sqe().on_number = std::move(number);
}

void step_compiler::compile_as() {
  const node* as = modifier_node(modifier::as);
  if (as == nullptr) {
    // A connection that nobody names is still one, which the strand has to close.
    if (row_->compile == compile_connect || row_->compile == compile_listen)
      made_.as_handle = in_.names().add_unnamed_handle(row_->name);
    return;
  }
  if (row_->is(step_trait::makes)) check_number_of_names(in_, made_, *as);
  if (as->is(node_kind::string)) return compile_as_name(*as);
  if (!row_->is(step_trait::makes)) {
    out_.error(code::wrong_type, as->at(),
               fmt::format("`{}` makes one thing, which has one name", row_->name));
    return;
  }
  if (as->items().empty()) out_.error(code::empty_value, as->at(), "`as` has no name");
  for (const node& each : as->items())
    if (check_type(each, json::string, "a name", out_)) compile_as_name(each);
}

void step_compiler::compile_as_name(const node& as) {
  declared_name* known = in_.names().find(as.text());
  if (known == nullptr) return;  // told when it was declared
  if (made_.as_name.empty()) made_.as_name = as.text();
  in_.made_.push_back(known);
  if (!row_->is(step_trait::makes)) {
    made_.as_value = known->target();
  } else if (known->kind == name_kind::descriptor) {
    if (made_.as_handle == no_index) {
      made_.as_handle = known->index;
    } else {
      made_.as_more.push_back(known->index);
    }
  }
}

void step_compiler::compile_when() {
  if (const node* when = modifier_node(modifier::when))
    made_.when = in_.scope().read(*when, value_type::boolean, "`when`");
  if (const node* time = modifier_node(modifier::not_before))
    made_.not_before = in_.scope().read_duration(*time, "`not_before`");
}

void step_compiler::compile_collect() {
  if (const node* list = modifier_node(modifier::collect)) made_.collect = in_.collect(*list);
}

void step_compiler::compile_times() {
  if (const node* timeout = modifier_node(modifier::timeout))
    made_.timeout = in_.scope().read_duration(*timeout, "a timeout");
  if (const node* cancel = modifier_node(modifier::cancel_after))
    made_.cancel_after = in_.scope().read_duration(*cancel, "cancel_after");
}

void step_compiler::compile_sqe_flags() {
  const node* given = modifier_node(modifier::sqe_flags);
  if (given == nullptr) return;
  const auto bits = in_.scope().read_flags(*given, uring::flags::sqe_flags, "sqe_flags");
  if (!bits) return;
  constexpr std::uint64_t single = IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT | IOSQE_CQE_SKIP_SUCCESS;
  constexpr std::uint64_t links = IOSQE_IO_LINK | IOSQE_IO_HARDLINK;
  if (*bits > 0xff) {
    out_.error(code::value_out_of_range, given->at(), "sqe_flags have eight bits");
  } else if ((*bits & single) != 0 && row_->low_level == nullptr) {
    out_.error(code::modifier_not_allowed, given->at(),
               "fixed_file, buffer_select and cqe_skip_success are for sqe steps");
  } else if ((*bits & IOSQE_IO_DRAIN) != 0 && row_->low_level == nullptr) {
    out_.error(code::modifier_not_allowed, given->at(),
               "io_drain would hold up the other steps, which all share this ring, for ever")
        .help = "a private ring has none but its own: \"ring\", and a sqe step";
  } else if ((*bits & links) != 0 && row_->low_level == nullptr) {
    out_.error(code::modifier_not_allowed, given->at(),
               fmt::format("`{}` is made of several submissions and can't be linked", row_->name))
        .help = "link sqe steps: { \"chain\": { \"do\": [ … ] } }";
  } else {
    made_.sqe_flags = static_cast<unsigned>(*bits);
  }
}

void step_compiler::compile_severity() {
  const node* given = modifier_node(modifier::severity);
  if (given == nullptr) return;
  if (const auto known = find_step_severity(given->text())) {
    made_.severity = *known;
    return;
  }
  constexpr std::string_view words[] = {"must", "should", "info"};
  out_.error(code::unknown_constant, given->at(),
             fmt::format("there is no severity {}", in_quotes(given->text())))
      .help = suggestion(given->text(), words);
}

void step_compiler::judge() {
  if (const node* retry = modifier_node(modifier::retry))
    made_.retry = compile_retry(in_, *retry, *row_);
  if (const node* capture = modifier_node(modifier::capture)) {
    compile_capture(in_, *capture, *row_, made_);
    for (const capture_plan& c : made_.captures)
      if (declared_name* known = in_.names().find(c.name)) in_.made_.push_back(known);
  }
  const node* expect = modifier_node(modifier::expect);
  if (expect == nullptr) return;
  // One op, three waits: a signal has no result, unlike completions.
  step_row judged = *row_;
  if (std::holds_alternative<await_step>(made_.body)) judged.traits = step_trait::none;
  made_.expect = compile_expectation(in_, *expect, judged, &made_.body);
  check_expected_parts(in_, made_);
}

/// What the step makes is there from now on, or when it is joined.
void step_compiler::finish_names() {
  if (async_ == nullptr) {
    // Members of a chain are submitted together: what one makes the next can't use.
    if (in_.in_chain_) return;
    for (declared_name* made : in_.made_) made->ready = true;
    return;
  }
  async_->started = true;
  if (!in_.in().has_faults) async_->completions = completions_of(made_);
  async_->makes = in_.made_;
  for (declared_name* made : in_.made_)
    if (!made->ready) made->async = made_.id;
}

// ---- Lists of steps ----------------------------------------------------------------------------

static bool ends_its_block(const step_plan& step) {
  return !step.when && (std::holds_alternative<fail_step>(step.body) ||
                        std::holds_alternative<skip_step>(step.body) ||
                        std::holds_alternative<break_step>(step.body));
}

block strand_context::compile_block(const node& steps) {
  block made = compile_list(steps);
  close_block();
  return made;
}

block strand_context::compile_list(const node& steps) {
  block made;
  bool told_unreachable = false;
  for (const node& step : steps.items()) {
    if (depth_ == 0 && calls_.empty()) top_level_step_ = made.size();
    if (!made.empty() && ends_its_block(made.back()) && !told_unreachable) {
      out().error(code::unreachable, step.at(),
                  fmt::format("the `{}` before it always ends these steps", made.back().op));
      told_unreachable = true;
    }
    if (std::optional<step_plan> one = step_compiler(*this, step).compile()) {
      note_values(*one);
      made.push_back(*std::move(one));
    }
  }
  return made;
}

std::vector<step_plan> strand_context::compile_members(const node& steps) {
  std::vector<step_plan> made;
  std::vector<declared_name*> names;
  in_chain_ = true;
  for (const node& step : steps.items()) {
    const step_op op = find_op(step);
    if (op.row != nullptr && op.row->low_level == nullptr) {
      out()
          .error(code::conflicting_keys, op.at->key_at,
                 fmt::format("a chain is made of sqe steps, and `{}` is none", op.row->name))
          .help = "each member is one submission: `sqe.NAME`";
      continue;
    }
    if (std::optional<step_plan> one = step_compiler(*this, step).compile()) {
      names.insert(names.end(), made_.begin(), made_.end());
      made.push_back(*std::move(one));
    }
  }
  in_chain_ = false;
  made_ = std::move(names);
  return made;
}

}  // namespace scenarios
