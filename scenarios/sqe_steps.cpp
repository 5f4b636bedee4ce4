// The low-level steps: exactly one submission, or a chain of them in one call.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>

#include "engine/kernel_compat.hpp"
#include "engine/op_table.hpp"
#include "scenarios/counted.hpp"
#include "scenarios/sqe_builder.hpp"
#include "scenarios/step_runner.hpp"

namespace scenarios {
namespace {

constexpr unsigned any_link = IOSQE_IO_LINK | IOSQE_IO_HARDLINK;
constexpr int erestartsys = 512;

bool is_main(const completion_event& event) {
  return event.kind == uring::request_kind::main;
}

// A chain that lists the completions speaks for its members.
bool lists_completions(const std::optional<expectation>& wanted) {
  if (!wanted) return false;
  return wanted->cqes ||
         std::ranges::any_of(wanted->any_of, [](const expectation& e) { return bool{e.cqes}; });
}

// What the op calls success: a -ETIME that a TIMEOUT was made for, a link timeout that was not
// needed, a multishot that was cancelled.
bool is_natural(const sqe_step& body, const uring::completion& c) {
  const uring::op_row& row = *body.row;
  if (row.success == uring::success_rule::link_expiry) return uring::succeeded(row, c.res, c.flags);
  if (body.multishot && c.res == -ECANCELED) return true;
  return uring::succeeded(row, c.res, c.flags) && c.why == uring::outcome::ok;
}

// As operation::judge does it for requests of the loop.
uring::outcome cause_of(const uring::op_row& row, int res, const step_context& context) {
  using uring::outcome;
  if (res >= 0 || (row.opcode == IORING_OP_TIMEOUT && res == -ETIME)) {
    if (context.timed_out) return outcome::ok_after_timeout;
    return context.cancelled_by_step ? outcome::ok_after_cancel : outcome::ok;
  }
  if (res != -ECANCELED && res != -EINTR && res != -erestartsys) return outcome::error;
  if (context.timed_out) return outcome::timed_out;
  const bool stopped = context.stop.stop_requested() || res == -ECANCELED;
  return stopped ? outcome::cancelled : outcome::interrupted;
}

}  // namespace

// ---- What came of it ---------------------------------------------------------------------------

// Gives the descriptors that have come since the last time to the names of `as`, in their order;
// what has no name arrived for nobody.
void step_runner::adopt(const step_plan& step, const sqe_step& body, step_recorder& record) {
  if (body.row->result != uring::result_kind::descriptor) return;
  std::size_t nth = 0;
  for (std::size_t i = 0; i < record.completions.size(); ++i) {
    completion_event& event = record.completions[i];
    if (!is_main(event) || event.res < 0) continue;
    const std::uint32_t name = nth == 0                     ? step.as_handle
                               : nth <= step.as_more.size() ? step.as_more[nth - 1]
                                                            : no_index;
    ++nth;
    if (i < record.adopted) continue;
    if (record.file_index != 0) {
      const bool picked = record.file_index == IORING_FILE_INDEX_ALLOC;
      const int slot = picked ? event.res : static_cast<int>(record.file_index) - 1;
      if (name != no_index) strand_.make_slot(name, slot);
    } else if (name != no_index) {
      strand_.make_handle(name, event.res);
      event.res_name = strand_.handle_at(name).stable_name();
    } else {
      ::close(event.res);
      event.res_name = "<fd>";
    }
  }
  record.adopted = record.completions.size();
}

void step_runner::adopt_pair(const step_plan& step, const int* pair, bool direct) {
  for (std::size_t i = 0; i < 2; ++i) {
    const std::uint32_t name = i == 0                 ? step.as_handle
                               : step.as_more.empty() ? no_index
                                                      : step.as_more.front();
    if (direct) {
      if (name != no_index) strand_.make_slot(name, pair[i]);
    } else if (name != no_index) {
      strand_.make_handle(name, pair[i]);
    } else {
      ::close(pair[i]);
    }
  }
}

step_end step_runner::sqe_end(const sqe_step& body, const uring::completion& c,
                              const submission_memory& memory, step_recorder& record) {
  step_end end = step_end::from(c);
  const uring::op_row& row = *body.row;
  end.natural = is_natural(body, c);
  end.sent = memory.sent;
  if (end.sent && c.res > 0) end.sent_bytes = static_cast<std::uint64_t>(c.res);
  if (row.result == uring::result_kind::bytes) end.res_is = res_kind::bytes;
  if (row.result == uring::result_kind::mask) end.res_is = res_kind::mask;
  const auto has_data = [](const completion_event& event) { return event.data.has_value(); };
  if (std::ranges::any_of(record.completions, has_data)) {
    end.data.emplace();
    for (const completion_event& event : record.completions) *end.data += event.data.value_or("");
  } else if (!memory.room.empty() && c.res >= 0) {
    end.data = memory.received(static_cast<std::size_t>(c.res));
  }
  if (c.res >= 0) {
    value::record_type fields = memory.fields(c.res);
    if (!fields.empty()) end.fields = value::record(std::move(fields));
  }
  if (const int* pair = memory.pair(); pair != nullptr && c.res == 0)
    adopt_pair(step_, pair, record.file_index != 0);
  adopt(step_, body, record);
  if (row.result == uring::result_kind::descriptor && c.res >= 0 && record.file_index == 0) {
    end.res_is = res_kind::descriptor;
    end.res_name = record.completions.empty() ? "<fd>" : record.completions.back().res_name;
  }
  if (c.res == 0 && step_.handle != no_index && !record.completions.empty())
    after_success(row.opcode);
  return end;
}

// What a low-level step did to a descriptor that has a name.
void step_runner::after_success(std::uint8_t opcode) {
  handle& on_handle = own();
  const int fd = on_handle.fd();
  switch (opcode) {
    case IORING_OP_CLOSE:
      on_handle.forget();
      break;
    case IORING_OP_CONNECT:
      if (fd < 0) break;
      on_handle.local = uring::socket_address::local_of(fd);
      on_handle.peer = uring::socket_address::peer_of(fd);
      run_.note_connection(on_handle.local, on_handle.peer, strand_.actor_index, step_.handle);
      break;
    case uring::compat::op_bind:
      if (fd >= 0) strand_.refresh_handle(step_.handle);
      break;
    case uring::compat::op_listen:
      if (fd >= 0) run_.add_listener(on_handle.local);
      break;
    default:
      break;
  }
}

// ---- One submission ----------------------------------------------------------------------------

std::optional<step_end> step_runner::look_ahead_in_the_way() {
  if (step_.handle == no_index) return std::nullopt;
  const uring::byte_stream* stream = own().existing_stream();
  if (stream == nullptr || stream->held_back() == 0) return std::nullopt;
  step_end end = broken(
      fmt::format("{} {} read ahead on this stream; a low-level step would miss {}",
                  counted(stream->held_back(), "byte"), stream->held_back() == 1 ? "was" : "were",
                  stream->held_back() == 1 ? "it" : "them"),
      step_.op_at);
  end.broken->id = code::held_back_bytes;
  end.broken->help = "receive them first with a stream step";
  return end;
}

uring::task<step_end> step_runner::on(const sqe_step& body) {
  if (auto end = look_ahead_in_the_way()) co_return std::move(*end);
  if (step_.ring != no_index) co_return co_await on_private_ring(body);
  submission_memory memory;
  sqe_builder builder(strand_, nullptr, memory);
  io_uring_sqe sqe{};
  if (!builder.build(step_, body, sqe)) co_return broken(builder.why(), step_.op_at);
  uring::operation op(run_.loop, sqe);
  apply(op, limits());
  const uring::completion result = co_await op;
  co_return sqe_end(body, result, memory, context_.recorder);
}

uring::task<step_end> step_runner::on_private_ring(const sqe_step& body) {
  private_ring& ring = *run_.rings[step_.ring];
  ring_request request;
  sqe_builder builder(strand_, &ring, *request.memory);
  io_uring_sqe sqe{};
  if (!builder.build(step_, body, sqe) || !number(builder, ring, step_, body, sqe))
    co_return broken(builder.why(), step_.op_at);
  request.op = uring::op_name(sqe.opcode);
  request.record = &context_.recorder;
  context_.recorder.file_index = sqe.file_index;
  if (!ring.add(request, sqe)) co_return broken("the ring's queue is full", step_.op_at);
  const int submitted = ring.submit();
  if (step_.async != no_index) {
    ring.await_taken();
  } else {
    co_await ring.taken();
  }
  if (request.silent) {
    ring.reap();
    ring.forget(request);
  } else {
    co_await ring.wait_for(request, context_.stop);
  }
  const uring::completion result{request.res, request.flags,
                                 cause_of(*body.row, request.res, context_)};
  step_end end = sqe_end(body, result, *request.memory, context_.recorder);
  end.submitted = submitted;
  co_return end;
}

// The user_data that the step asks for, or one of its own.
bool step_runner::number(sqe_builder& builder, private_ring& ring, const step_plan& step,
                         const sqe_step& body, io_uring_sqe& sqe) {
  sqe.user_data = 0;
  if (body.user_data) {
    sqe_field field;
    field.number = body.user_data;
    const auto given = builder.integer(field);
    if (!given) return false;
    sqe.user_data = static_cast<std::uint64_t>(*given);
  } else {
    sqe.user_data = ring.next_user_data();
  }
  if (!step.id.empty()) strand_.requests_[step.id] = sqe.user_data;
  return true;
}

// ---- Chains ------------------------------------------------------------------------------------

struct step_runner::chain_member {
  chain_member(strand& owner, private_ring* ring, const step_plan& step, run_clock& clock)
      : what(step),
        body(std::get<sqe_step>(step.body)),
        builder(owner, ring, *request.memory),
        recorder(clock) {}
  const step_plan& what;
  const sqe_step& body;
  ring_request request;
  sqe_builder builder;
  step_recorder recorder;
  io_uring_sqe sqe{};
  std::optional<uring::operation> op;  // on the loop's ring
  uring::completion result;
  std::size_t index = 0;  // of its own result
};

// Null when every member could be filled, else why not.
std::optional<step_end> step_runner::build_chain(const chain_step& body,
                                                 std::deque<chain_member>& members) {
  private_ring* ring = step_.ring != no_index ? run_.rings[step_.ring].get() : nullptr;
  for (std::size_t i = 0; i < body.members.size(); ++i) {
    const step_plan& step = body.members[i];
    chain_member& each = members.emplace_back(strand_, ring, step, run_.clock);
    const bool built = each.builder.build(step, each.body, each.sqe) &&
                       (ring == nullptr || number(each.builder, *ring, step, each.body, each.sqe));
    if (!built) return broken(each.builder.why(), step.op_at);
    // A member's own link wins.
    if (i + 1 < body.members.size() && (each.sqe.flags & any_link) == 0)
      each.sqe.flags = static_cast<__u8>(each.sqe.flags | body.link_flag);
    each.recorder.counter = ring == nullptr ? context_.recorder.counter : nullptr;
    each.recorder.whole = &context_.recorder;
    each.recorder.step_id = step.id;
    each.recorder.path = context_.path;
    each.recorder.file_index = each.sqe.file_index;
    if (!step.id.empty()) each.recorder.published = &strand_.requests_[step.id];
  }
  return std::nullopt;
}

uring::task<void> step_runner::submit_on_loop(std::deque<chain_member>& members) {
  std::vector<uring::operation*> group;
  for (chain_member& each : members) {
    each.op.emplace(run_.loop, each.sqe);
    uring::io_limits bounds;
    bounds.stop = &context_.stop;
    bounds.tag = &each.recorder;
    apply(*each.op, bounds);
    group.push_back(&*each.op);
  }
  run_.loop.start_together(group);
  for (chain_member& each : members) each.result = co_await *each.op;
}

uring::task<int> step_runner::submit_on_private_ring(std::deque<chain_member>& members) {
  private_ring& ring = *run_.rings[step_.ring];
  const ring_request* head = nullptr;
  for (chain_member& each : members) {
    each.request.op = uring::op_name(each.sqe.opcode);
    each.request.record = &each.recorder;
    each.request.head = head;
    ring.add(each.request, each.sqe);
    if (each.request.silent) head = &each.request;
    if ((each.sqe.flags & any_link) == 0) head = nullptr;
  }
  const int submitted = ring.submit();
  if (step_.async != no_index) {
    ring.await_taken();
  } else {
    co_await ring.taken();
  }
  for (chain_member& each : members)
    if (!each.request.silent) co_await ring.wait_for(each.request, context_.stop);
  ring.reap();
  for (chain_member& each : members) {
    // Those that would say nothing of a success have succeeded, since all others are through.
    if (each.request.live) {
      if (!each.request.is_awaited()) each.request.res = -ECANCELED;
      ring.forget(each.request);
    }
    each.result = {each.request.res, each.request.flags,
                   cause_of(*each.body.row, each.request.res, context_)};
  }
  co_return submitted;
}

uring::task<step_end> step_runner::on(const chain_step& body) {
  std::deque<chain_member> members;
  if (auto failed = build_chain(body, members)) co_return std::move(*failed);
  if (step_.ring != no_index && run_.rings[step_.ring]->room() < members.size()) {
    co_return broken(fmt::format("the ring {} has no room for {} submissions at once",
                                 run_.rings[step_.ring]->name(), members.size()),
                     step_.op_at);
  }
  const std::int64_t started = run_.clock.now_ns();
  // Where the members stand in the report does not depend on when an async chain is through.
  for (chain_member& each : members) {
    const auto number = static_cast<std::size_t>(&each.what - body.members.data()) + 1;
    each.index = strand_.begin_result(each.what, fmt::format("{}.{}", context_.path, number));
  }
  step_end all;
  if (step_.ring != no_index) {
    all.submitted = co_await submit_on_private_ring(members);
  } else {
    co_await submit_on_loop(members);
  }
  context_.recorder.of_members = 0;  // from here on they are its own
  const bool spoken_for = lists_completions(step_.expect);
  for (chain_member& each : members) {
    // Results of a member go with its own step: as, handles and judging are the member's.
    step_context context(run_.clock, context_.stop);
    context.started_ns = started;
    context.cancelled_by_step = context_.cancelled_by_step || context_.timed_out;
    context.recorder.submissions = std::move(each.recorder.submissions);
    context.recorder.completions = std::move(each.recorder.completions);
    context.recorder.file_index = each.recorder.file_index;
    step_runner runner(strand_, each.what, context);
    step_end end = runner.sqe_end(each.body, each.result, *each.request.memory, context.recorder);
    if (spoken_for && !each.what.expect) end.natural = true;
    for (const completion_event& event : context.recorder.completions) {
      context_.recorder.completions.push_back(event);
      context_.recorder.completions.back().member = each.what.id;
    }
    if (!strand_.finish(each.what, each.index, context, std::move(end))) {
      all.told_elsewhere = true;
      all.outcome = step_outcome::error;
    }
  }
  std::ranges::sort(context_.recorder.completions, {}, &completion_event::order);
  all.res = static_cast<std::int64_t>(members.size());
  if (context_.timed_out && !all.told_elsewhere) {
    all.outcome = step_outcome::timed_out;
    all.natural = false;
  }
  co_return all;
}

// ---- Waiting for completions -------------------------------------------------------------------

uring::task<step_end> step_runner::on(const await_cqes_step& body) {
  strand::async_state& target = strand_.asyncs_[body.async];
  const evaluation count = body.count.eval(strand_);
  if (!count) co_return broken(count.message(), body.count.at());
  if (!target.started) co_return broken("the step was never started", step_.op_at);
  const auto wanted = static_cast<std::size_t>(count->integer());
  for (;;) {
    const std::size_t have =
        target.running != nullptr ? target.running->recorder.arrived() : target.completions;
    if (have >= wanted) break;
    if (target.running == nullptr) {
      step_end end;
      end.outcome = step_outcome::error;
      end.res = static_cast<std::int64_t>(have);
      end.natural = false;
      end.detail = fmt::format("it ended after {} of {}", have, counted(wanted, "completion"));
      co_return end;
    }
    if (!co_await target.progress.wait().cancel_on(context_.stop)) co_return not_in_time();
  }
  const auto* submitted = std::get_if<sqe_step>(&target.step->body);
  if (submitted != nullptr && target.running != nullptr)
    adopt(*target.step, *submitted, target.running->recorder);
  step_end end;
  end.res = count->integer();
  co_return end;
}

// A copy is seen by who waits for it, by nobody else.
void step_runner::observe_copy(const fault_stray& came) {
  const auto made_it = std::ranges::find(run_.what.faults, came.fault, &fault_plan::id);
  if (made_it->completion()->type == uring::cqe_fault::duplicate)
    ++run_.faults.tally(*made_it).observed;
}

// The next one that the fault made of this actor's requests: those of others come when they come.
uring::task<step_end> step_runner::stray_of(const std::string& fault) {
  const std::shared_ptr<stray_list> strays = run_.clock.fault_strays;
  const auto is_meant = [&](const fault_stray& each) {
    const auto made_it = std::ranges::find(run_.what.faults, each.fault, &fault_plan::id);
    return each.actor == context_.recorder.counter->actor() && made_it != run_.what.faults.end() &&
           made_it->answers_to(fault);
  };
  for (std::size_t i = 0;;) {
    for (; i < strays->all.size(); ++i) {
      if (strays->taken[i] || !is_meant(strays->all[i])) continue;
      strays->taken[i] = true;
      const fault_stray& came = strays->all[i];
      observe_copy(came);
      completion_event event;
      event.op = came.op;
      event.res = came.res;
      event.flags = came.flags;
      context_.recorder.completed(std::move(event));
      step_end end;
      end.res = came.res;
      end.flags = came.flags;
      co_return end;
    }
    if (!co_await strays->came.wait().cancel_on(context_.stop)) co_return not_in_time();
  }
}

uring::task<step_end> step_runner::on(const await_stray_step& body) {
  if (!body.fault.empty()) co_return co_await stray_of(body.fault);
  std::optional<std::uint64_t> user_data;
  if (body.user_data) {
    const evaluation given = body.user_data->eval(strand_);
    if (!given) co_return broken(given.message(), body.user_data->at());
    user_data = static_cast<std::uint64_t>(given->integer());
  }
  const auto came = co_await run_.rings[step_.ring]->next_stray(user_data, context_.stop);
  if (!came) co_return not_in_time();
  completion_event event;
  event.op = "stray";
  event.res = came->res;
  event.flags = came->flags;
  event.user_data = came->user_data;
  context_.recorder.completed(std::move(event));
  step_end end;
  end.res = came->res;
  end.flags = came->flags;
  co_return end;
}

}  // namespace scenarios
