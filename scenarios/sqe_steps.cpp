// The low-level steps: exactly one submission, filled field by field as the op table says.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>

#include "engine/kernel_compat.hpp"
#include "engine/op_table.hpp"
#include "scenarios/step_runner.hpp"
#include "scenarios/units.hpp"

namespace scenarios {
namespace {

constexpr std::size_t sent_kept = 4096;

// What a submission's pointers point to; lives until its completion.
struct submission_memory {
  std::deque<std::string> texts;  // payloads and paths; a deque keeps them where they are
  std::string buffer;             // what the kernel writes into
  uring::socket_address address;
  sockaddr_storage peer{};
  socklen_t peer_length = sizeof(sockaddr_storage);
  std::deque<__kernel_timespec> times;
  std::optional<std::string> sent;
};

template <class T>
std::uint64_t pointer(T* to) {
  return reinterpret_cast<std::uint64_t>(to);
}

}  // namespace

// One submission of a low-level step, from its fields to its operation.
class submission_builder {
 public:
  submission_builder(strand& owner, const step_plan& step, const sqe_step& body,
                     std::span<const std::uint64_t> async_user_data)
      : strand_(owner), step_(step), body_(body), async_user_data_(async_user_data) {}

  // False with `why` set when a value could not be had.
  bool build(io_uring_sqe& sqe, std::string& why) {
    uring::begin_sqe(sqe, *body_.row);
    if (const uring::field_row* directory = kind_in_row(uring::field_kind::dirfd)) {
      uring::store(sqe, directory->at, static_cast<std::uint64_t>(AT_FDCWD));
    }
    if (step_.handle != no_index) {
      sqe.fd = strand_.handle_at(step_.handle).fd();
    } else if (body_.on_number) {
      std::int64_t number = 0;
      if (!integer(*body_.on_number, number, why)) return false;
      sqe.fd = static_cast<int>(number);
    }
    for (const sqe_field& field : body_.fields) {
      if (!fill(sqe, field, why)) return false;
    }
    sqe.flags = static_cast<__u8>(sqe.flags | step_.sqe_flags);
    return true;
  }

  submission_memory memory;

 private:
  const uring::field_row* kind_in_row(uring::field_kind kind) const {
    for (const uring::field_row& each : body_.row->fields) {
      if (each.kind == kind) return &each;
    }
    return nullptr;
  }

  bool integer(const expression& from, std::int64_t& out, std::string& why) {
    const evaluation found = from.eval(strand_);
    if (!found) {
      why = found.message();
      return false;
    }
    if (!found->is(value_type::integer)) {
      why = fmt::format("a number is needed, not {}", found->type_name());
      return false;
    }
    out = found->integer();
    return true;
  }

  bool fill(io_uring_sqe& sqe, const sqe_field& field, std::string& why) {
    using uring::field_kind;
    const uring::field_row& row = *field.row;
    if (field.bad_address) return fill_bad_address(sqe, field, why);
    if (field.async_target != no_index) {
      std::uint64_t target = async_user_data_[field.async_target];
      if (field.targets_link_timeout) {
        uring::request_id id = uring::request_id::from(target);
        id.kind = uring::request_kind::link_timeout;
        target = id.user_data();
      }
      uring::store(sqe, row.at, target);
      return true;
    }
    switch (row.kind) {
      case field_kind::data_out:
        return fill_data(sqe, field, why);
      case field_kind::path:
      case field_kind::text:
        return fill_text(sqe, field, why);
      case field_kind::address_in:
        return fill_address(sqe, field, why);
      case field_kind::timespec_in:
        return fill_time(sqe, field, why);
      case field_kind::buffer_in:
        return fill_buffer(sqe, field, why);
      case field_kind::address_out:
        uring::store(sqe, row.at, pointer(&memory.peer));
        uring::store(sqe, row.length_at, pointer(&memory.peer_length));
        return true;
      case field_kind::flag_bit:
        uring::store(sqe, row.at, uring::load(sqe, row.at) | row.bit);
        return true;
      default:
        return fill_number(sqe, field, why);
    }
  }

  // { "address": N, "len": M }: the pointer as it is, and how much it is said to point to.
  bool fill_bad_address(io_uring_sqe& sqe, const sqe_field& field, std::string& why) {
    const uring::field_row& row = *field.row;
    uring::store(sqe, row.at, field.constant);
    if (row.kind == uring::field_kind::address_out) {
      uring::store(sqe, row.length_at, pointer(&memory.peer_length));
    } else if (row.length_at != uring::sqe_member::none && field.number) {
      std::int64_t length = 0;
      if (!integer(*field.number, length, why)) return false;
      uring::store(sqe, row.length_at, static_cast<std::uint64_t>(length));
    }
    return true;
  }

  bool fill_number(io_uring_sqe& sqe, const sqe_field& field, std::string& why) {
    std::uint64_t number = field.constant;
    if (!field.is_constant && field.number) {
      std::int64_t found = 0;
      if (!integer(*field.number, found, why)) return false;
      number = static_cast<std::uint64_t>(found);
    }
    // Two fields may share a member (a command in its low bits, flags above): both are kept.
    const bool shared = field.row->kind == uring::field_kind::flags;
    uring::store(sqe, field.row->at, shared ? uring::load(sqe, field.row->at) | number : number);
    return true;
  }

  bool fill_data(io_uring_sqe& sqe, const sqe_field& field, std::string& why) {
    evaluation made = field.data ? field.data->eval(strand_) : evaluation(value::bytes({}));
    if (!made) {
      why = made.message();
      return false;
    }
    const std::string& text = memory.texts.emplace_back((*std::move(made)).take_data());
    memory.sent = text.substr(0, sent_kept);
    uring::store(sqe, field.row->at, pointer(text.data()));
    uring::store(sqe, field.row->length_at, text.size());
    return true;
  }

  bool text_of(const sqe_field& field, std::string& out, std::string& why) {
    if (!field.number) return true;
    evaluation made = field.number->eval(strand_);
    if (!made || !made->is(value_type::data)) {
      why = made ? fmt::format("text is needed, not {}", made->type_name()) : made.message();
      return false;
    }
    out = (*std::move(made)).take_data();
    return true;
  }

  bool fill_text(io_uring_sqe& sqe, const sqe_field& field, std::string& why) {
    std::string text;
    if (!text_of(field, text, why)) return false;
    const std::string& kept = memory.texts.emplace_back(std::move(text));
    uring::store(sqe, field.row->at, pointer(kept.c_str()));
    return true;
  }

  bool fill_address(io_uring_sqe& sqe, const sqe_field& field, std::string& why) {
    std::string text;
    if (!text_of(field, text, why)) return false;
    const auto address = uring::socket_address::parse(text, why);
    if (!address) return false;
    memory.address = *address;
    uring::store(sqe, field.row->at, pointer(memory.address.data()));
    uring::store(sqe, field.row->length_at, memory.address.length());
    return true;
  }

  bool fill_time(io_uring_sqe& sqe, const sqe_field& field, std::string& why) {
    uring::duration time{static_cast<std::int64_t>(field.constant)};
    if (!field.is_constant && field.number) {
      const auto found = evaluate_duration(*field.number, strand_, why);
      if (!found) return false;
      time = *found;
    }
    __kernel_timespec& spec = memory.times.emplace_back();
    spec.tv_sec = time.count() / 1'000'000'000;
    spec.tv_nsec = time.count() % 1'000'000'000;
    uring::store(sqe, field.row->at, pointer(&spec));
    return true;
  }

  bool fill_buffer(io_uring_sqe& sqe, const sqe_field& field, std::string& why) {
    std::int64_t length = static_cast<std::int64_t>(field.constant);
    if (!field.is_constant && field.number && !integer(*field.number, length, why)) return false;
    if (length < 0 || static_cast<std::uint64_t>(length) > max_value_bytes) {
      why = fmt::format("a buffer of {} bytes: 0 to {} are possible", length, max_value_bytes);
      return false;
    }
    memory.buffer.resize(static_cast<std::size_t>(length));
    uring::store(sqe, field.row->at, pointer(memory.buffer.data()));
    uring::store(sqe, field.row->length_at, static_cast<std::uint64_t>(length));
    return true;
  }

  strand& strand_;
  const step_plan& step_;
  const sqe_step& body_;
  std::span<const std::uint64_t> async_user_data_;
};

step_end step_runner::sqe_end(const sqe_step& body, const uring::operation& op,
                              const uring::completion& c, submission_builder& built) {
  step_end end = step_end::from(c);
  const uring::op_row& row = *body.row;
  // What the op calls success; a -ETIME that a TIMEOUT was made for is one.
  end.natural = uring::succeeded(row, c.res, c.flags) && c.why == uring::outcome::ok;
  end.sent = built.memory.sent;
  if (end.sent && c.res > 0) end.sent_bytes = static_cast<std::uint64_t>(c.res);
  if (row.result == uring::result_kind::bytes) end.res_is = res_kind::bytes;
  if (row.result == uring::result_kind::mask) end.res_is = res_kind::mask;
  if (!built.memory.buffer.empty() && c.res >= 0) {
    end.data = built.memory.buffer.substr(0, static_cast<std::size_t>(c.res));
  }
  if (row.result == uring::result_kind::descriptor && c.res >= 0) {
    end.res_is = res_kind::descriptor;
    if (step_.as_handle != no_index) {
      strand_.make_handle(step_.as_handle, c.res);
      end.res_name = strand_.handle_at(step_.as_handle).stable_name();
    } else {
      ::close(c.res);  // it arrived for nobody
      end.res_name = "<fd>";
    }
  }
  if (c.res == 0 && step_.handle != no_index) after_success(op);
  return end;
}

// What a low-level step did to a descriptor that has a name.
void step_runner::after_success(const uring::operation& op) {
  handle& on_handle = own();
  const int fd = on_handle.fd();
  switch (op.opcode()) {
    case IORING_OP_CLOSE:
      on_handle.forget();
      break;
    case IORING_OP_CONNECT:
      on_handle.local = uring::socket_address::local_of(fd);
      on_handle.peer = uring::socket_address::peer_of(fd);
      run_.note_connection(on_handle.local, on_handle.peer, strand_.actor_index);
      break;
    case uring::compat::op_bind:
      strand_.refresh_handle(step_.handle);
      break;
    case uring::compat::op_listen:
      run_.listeners.push_back(on_handle.local);
      break;
    default:
      break;
  }
}

std::vector<std::uint64_t> step_runner::async_targets() const {
  std::vector<std::uint64_t> targets;
  targets.reserve(strand_.asyncs_.size());
  for (const strand::async_state& each : strand_.asyncs_) {
    targets.push_back(each.running != nullptr ? each.running->recorder.last_user_data
                                              : each.last_user_data);
  }
  return targets;
}

uring::task<step_end> step_runner::on(const sqe_step& body) {
  if (step_.handle != no_index) {
    const uring::byte_stream* stream = own().existing_stream();
    if (stream != nullptr && stream->held_back() != 0) {
      step_end end = broken(
          fmt::format("{} bytes were read ahead on this stream; a low-level step would miss them",
                      stream->held_back()),
          step_.op_at);
      end.broken->id = code::held_back_bytes;
      end.broken->help = "receive them first with a stream step";
      co_return end;
    }
  }
  const std::vector<std::uint64_t> targets = async_targets();
  submission_builder built(strand_, step_, body, targets);
  io_uring_sqe sqe{};
  std::string why;
  if (!built.build(sqe, why)) co_return broken(std::move(why), step_.op_at);
  uring::operation op(run_.loop, sqe);
  apply(op, limits());
  const uring::completion result = co_await op;
  co_return sqe_end(body, op, result, built);
}

uring::task<step_end> step_runner::on(const chain_step& body) {
  struct member {
    member(strand& owner, const step_plan& step, const sqe_step& sqe,
           std::span<const std::uint64_t> targets, run_clock& clock)
        : built(owner, step, sqe, targets), recorder(clock), what(step), row(sqe) {}
    submission_builder built;
    step_recorder recorder;
    std::optional<uring::operation> op;
    const step_plan& what;
    const sqe_step& row;
  };
  const std::vector<std::uint64_t> targets = async_targets();
  std::deque<member> members;
  std::vector<uring::operation*> group;
  const std::int64_t started = run_.clock.now_ns();
  for (std::size_t i = 0; i < body.members.size(); ++i) {
    const step_plan& step = body.members[i];
    member& each =
        members.emplace_back(strand_, step, std::get<sqe_step>(step.body), targets, run_.clock);
    io_uring_sqe sqe{};
    std::string why;
    if (!each.built.build(sqe, why)) co_return broken(std::move(why), step.op_at);
    if (i + 1 < body.members.size()) sqe.flags = static_cast<__u8>(sqe.flags | body.link_flag);
    each.op.emplace(run_.loop, sqe);
    each.recorder.counter = context_.recorder.counter;
    each.recorder.step_id = step.id;
    uring::io_limits bounds;
    bounds.stop = &context_.stop;
    bounds.tag = &each.recorder;
    apply(*each.op, bounds);
    group.push_back(&*each.op);
  }
  run_.loop.start_together(group);
  step_end all;
  std::size_t number = 0;
  for (member& each : members) {
    const uring::completion result = co_await *each.op;
    // Results of a member go with its own step: as, handles and judging are the member's.
    step_context context(run_.clock, context_.stop);
    context.started_ns = started;
    context.cancelled_by_step = context_.cancelled_by_step;
    context.recorder.completions = std::move(each.recorder.completions);
    context.recorder.submissions = std::move(each.recorder.submissions);
    step_runner runner(strand_, each.what, context);
    step_end end = runner.sqe_end(each.row, *each.op, result, each.built);
    const std::size_t index =
        strand_.begin_result(each.what, fmt::format("{}.{}", context_.path, ++number));
    if (!strand_.finish(each.what, index, context, std::move(end))) {
      all.told_elsewhere = true;
      all.outcome = step_outcome::error;
    }
  }
  all.res = static_cast<std::int64_t>(members.size());
  co_return all;
}

}  // namespace scenarios
