#include "scenarios/sqe_builder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <time.h>

#include <algorithm>

#include "engine/kernel_compat.hpp"
#include "engine/op_table.hpp"
#include "scenarios/private_ring.hpp"
#include "scenarios/sqe_parts.hpp"
#include "scenarios/step_runner.hpp"
#include "scenarios/units.hpp"

namespace scenarios {
namespace {

using uring::field_kind;
using uring::field_row;

const sqe_field* find(const sqe_step& body, std::string_view name) {
  const auto found = std::ranges::find_if(
      body.fields, [&](const sqe_field& each) { return each.row->name == name; });
  return found == body.fields.end() ? nullptr : &*found;
}

bool is_fixed(const sqe_step& body) {
  switch (body.row->opcode) {
    case IORING_OP_READ_FIXED:
    case IORING_OP_WRITE_FIXED:
    case uring::compat::op_readv_fixed:
    case uring::compat::op_writev_fixed:
      return true;
    default:
      break;
  }
  const sqe_field* ioprio = find(body, "ioprio");
  return ioprio != nullptr && (ioprio->constant & IORING_RECVSEND_FIXED_BUF) != 0;
}

template <class T>
std::uint64_t pointer(const T* to) {
  return reinterpret_cast<std::uint64_t>(to);
}

}  // namespace

bool sqe_builder::build(const step_plan& step, const sqe_step& body, io_uring_sqe& sqe) {
  body_ = &body;
  uring::begin_sqe(sqe, *body.row);
  if (!set_descriptor(step, body, sqe)) return false;
  if (const sqe_field* index = find(body, "buf_index"); index != nullptr && is_fixed(body)) {
    const auto number = integer(*index);
    if (!number) return false;
    if (ring_ != nullptr) fixed_ = ring_->registered_buffer(static_cast<std::size_t>(*number));
  }
  if (const sqe_field* flags = find(body, "timeout_flags")) {
    absolute_ = (flags->constant & IORING_TIMEOUT_ABS) != 0;
    clock_ = (flags->constant & IORING_TIMEOUT_REALTIME) != 0   ? CLOCK_REALTIME
             : (flags->constant & IORING_TIMEOUT_BOOTTIME) != 0 ? CLOCK_BOOTTIME
                                                                : CLOCK_MONOTONIC;
  }
  // Where in a registered buffer comes before what goes there.
  if (const sqe_field* where = find(body, "buf_off"))
    if (!fill(sqe, *where)) return false;
  for (const sqe_field& field : body.fields) {
    if (field.row->kind != field_kind::fixed_buffer && !fill(sqe, field)) return false;
  }
  fill_unsaid(sqe);
  sqe.flags = static_cast<__u8>(sqe.flags | step.sqe_flags);
  if (body.personality) {
    sqe_field field;
    field.number = body.personality;
    const auto id = integer(field);
    if (!id) return false;
    sqe.personality = static_cast<__u16>(*id);
  }
  return true;
}

bool sqe_builder::set_descriptor(const step_plan& step, const sqe_step& body, io_uring_sqe& sqe) {
  if (step.handle != no_index) {
    const handle& on = strand_.handle_at(step.handle);
    if (on.is_slot() && body.row->opcode == IORING_OP_CLOSE) {
      sqe.file_index = static_cast<__u32>(on.slot() + 1);
      sqe.fd = 0;
      return true;
    }
    sqe.fd = on.is_slot() ? on.slot() : on.fd();
    if (on.is_slot()) sqe.flags |= IOSQE_FIXED_FILE;
  } else if (body.on_ring != no_index) {
    sqe.fd = strand_.run.descriptor_of_ring(body.on_ring);
  } else if (body.on_number) {
    sqe_field field;
    field.number = body.on_number;
    const auto number = integer(field);
    if (!number) return false;
    sqe.fd = static_cast<int>(*number);
    if (body.on_slot) sqe.flags |= IOSQE_FIXED_FILE;
  }
  return true;
}

bool sqe_builder::fail(std::string why) {
  why_ = std::move(why);
  return false;
}

// ---- Values ------------------------------------------------------------------------------------

std::optional<std::int64_t> sqe_builder::integer(const sqe_field& field) {
  if (field.is_constant || !field.number) return static_cast<std::int64_t>(field.constant);
  const evaluation found = field.number->eval(strand_);
  if (!found || !found->is(value_type::integer)) {
    fail(found ? fmt::format("a number is needed, not {}", found->type_name()) : found.message());
    return std::nullopt;
  }
  return found->integer();
}

std::optional<std::string> sqe_builder::data(const sqe_field& field) {
  evaluation made = field.data ? field.data->eval(strand_) : evaluation(value::bytes({}));
  if (made) return (*std::move(made)).take_data();
  fail(made.message());
  return std::nullopt;
}

std::optional<std::string> sqe_builder::text(const sqe_field& field) {
  if (!field.number) return std::string();
  evaluation made = field.number->eval(strand_);
  if (made && made->is(value_type::data)) return (*std::move(made)).take_data();
  fail(made ? fmt::format("text is needed, not {}", made->type_name()) : made.message());
  return std::nullopt;
}

std::optional<int> sqe_builder::descriptor(const sqe_field& field) {
  if (field.own_ring != no_index) return strand_.run.descriptor_of_ring(field.own_ring);
  if (field.handle != no_index) {
    const handle& named = strand_.handle_at(field.handle);
    return named.is_slot() ? named.slot() : named.fd();
  }
  const auto number = integer(field);
  if (!number) return std::nullopt;
  return static_cast<int>(*number);
}

std::optional<std::vector<int>> sqe_builder::descriptors(const sqe_field& field) {
  std::vector<int> all;
  for (const sqe_field& part : field.parts) {
    const auto fd = descriptor(part);
    if (!fd) return std::nullopt;
    all.push_back(*fd);
  }
  return all;
}

std::optional<__kernel_timespec> sqe_builder::time(const sqe_field& field) {
  __kernel_timespec made{};
  for (const sqe_field& part : field.parts) {
    const auto number = integer(part);
    if (!number) return std::nullopt;
    (part.row == &parts::time_sec ? made.tv_sec : made.tv_nsec) = *number;
  }
  if (!field.parts.empty()) return made;
  uring::duration wanted{static_cast<std::int64_t>(field.constant)};
  if (!field.is_constant && field.number) {
    const auto found = evaluate_duration(*field.number, strand_, why_);
    if (!found) return std::nullopt;
    wanted = *found;
  }
  // "A point of time" is said as so long from now.
  if (absolute_) {
    timespec now{};
    clock_gettime(clock_, &now);
    wanted += std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  }
  return uring::to_timespec(wanted);
}

std::optional<std::uint64_t> sqe_builder::target(const sqe_field& field) {
  if (field.target.empty()) {
    const auto number = integer(field);
    if (!number) return std::nullopt;
    return static_cast<std::uint64_t>(*number);
  }
  std::uint64_t user_data = strand_.request_of(field.target);
  if (user_data == 0) {
    fail(fmt::format("{} has not been submitted", field.target));
    return std::nullopt;
  }
  if (field.timeout_of) {
    uring::request_id id = uring::request_id::from(user_data);
    id.kind = uring::request_kind::link_timeout;
    user_data = id.user_data();
  }
  return user_data;
}

// ---- Fields ------------------------------------------------------------------------------------

bool sqe_builder::fill(io_uring_sqe& sqe, const sqe_field& field) {
  if (field.bad_address) return fill_bad_address(sqe, field);
  switch (field.row->kind) {
    case field_kind::data_out:
      return fill_data(sqe, field);
    case field_kind::path:
    case field_kind::text:
      return fill_text(sqe, field);
    case field_kind::address_in:
      return fill_address(sqe, field);
    case field_kind::timespec_in:
      return fill_time(sqe, field);
    case field_kind::buffer_in:
      return fill_buffer(sqe, field);
    case field_kind::iov_out:
    case field_kind::iov_in:
      return fill_iov(sqe, field);
    case field_kind::msg_out:
    case field_kind::msg_in:
      return fill_message(sqe, field);
    case field_kind::open_how:
      return fill_how(sqe, field);
    case field_kind::epoll_event:
      return fill_event(sqe, field);
    case field_kind::futex_waitv:
      return fill_waits(sqe, field);
    case field_kind::descriptor_list:
      return fill_list(sqe, field);
    case field_kind::descriptor:
    case field_kind::dirfd:
      return fill_descriptor(sqe, field);
    case field_kind::address:
      return fill_memory(sqe, field);
    case field_kind::address_out:
    case field_kind::siginfo_out:
      if (field.constant != 0) fill_by_itself(sqe, *field.row);
      return true;
    case field_kind::epoll_events_out: {
      const auto count = integer(field);
      if (!count) return false;
      const auto room = static_cast<std::size_t>(std::clamp<std::int64_t>(*count, 0, 65'536));
      auto* events = memory_.make<epoll_event>(room);
      memory_.add_output(output_kind::events, events, room);
      uring::store(sqe, field.row->at, pointer(events));
      uring::store(sqe, field.row->length_at, static_cast<std::uint64_t>(*count));
      return true;
    }
    case field_kind::futex_word:
      uring::store(sqe, field.row->at, pointer(strand_.handle_at(field.handle).word()));
      return true;
    case field_kind::user_data: {
      const auto user_data = target(field);
      if (user_data) uring::store(sqe, field.row->at, *user_data);
      return user_data.has_value();
    }
    default:
      return fill_number(sqe, field);
  }
}

// { "address": N, "len": M }: the pointer as it is, and how much it is said to point to.
bool sqe_builder::fill_bad_address(io_uring_sqe& sqe, const sqe_field& field) {
  const field_row& row = *field.row;
  uring::store(sqe, row.at, field.constant);
  if (row.kind == field_kind::address_out) {
    uring::store(sqe, row.length_at,
                 pointer(&memory_.make<received_message>()->header.msg_namelen));
  } else if (row.length_at != uring::sqe_member::none) {
    sqe_field length = field;
    length.is_constant = false;
    const auto number = integer(length);
    if (!number) return false;
    uring::store(sqe, row.length_at, static_cast<std::uint64_t>(*number));
  }
  return true;
}

bool sqe_builder::fill_number(io_uring_sqe& sqe, const sqe_field& field) {
  const auto number = integer(field);
  if (!number) return false;
  // Where in a registered buffer; outside of all of them the kernel shall say so.
  if (field.row->kind == field_kind::fixed_buffer) {
    iovec whole = fixed_.value_or(iovec{memory_.take(1), 1});
    const auto skip = static_cast<std::size_t>(*number);
    fixed_ = iovec{static_cast<std::byte*>(whole.iov_base) + skip,
                   skip < whole.iov_len ? whole.iov_len - skip : 0};
    uring::store(sqe, field.row->at, pointer(fixed_->iov_base));
    return true;
  }
  // A flag, a group, a slot to close: each implies something.
  uring::store_field(sqe, *field.row, static_cast<std::uint64_t>(*number),
                     uring::load(sqe, field.row->length_at));
  return true;
}

bool sqe_builder::fill_text(io_uring_sqe& sqe, const sqe_field& field) {
  const auto kept = text(field);
  if (kept) uring::store(sqe, field.row->at, pointer(memory_.keep(*kept)));
  return kept.has_value();
}

bool sqe_builder::fill_address(io_uring_sqe& sqe, const sqe_field& field) {
  const auto url = text(field);
  if (!url) return false;
  const auto address = uring::socket_address::parse(*url, why_);
  if (!address) return false;
  strand_.run.meet(*address);
  const std::string_view octets(reinterpret_cast<const char*>(address->data()), address->length());
  uring::store(sqe, field.row->at, pointer(memory_.keep(octets)));
  uring::store(sqe, field.row->length_at, address->length());
  return true;
}

bool sqe_builder::fill_time(io_uring_sqe& sqe, const sqe_field& field) {
  const auto found = time(field);
  if (!found) return false;
  auto* kept = memory_.make<__kernel_timespec>();
  *kept = *found;
  uring::store(sqe, field.row->at, pointer(kept));
  return true;
}

bool sqe_builder::fill_descriptor(io_uring_sqe& sqe, const sqe_field& field) {
  const auto fd = descriptor(field);
  if (!fd) return false;
  uring::store(sqe, field.row->at, static_cast<std::uint64_t>(*fd));
  const bool slot =
      field.is_slot || (field.handle != no_index && strand_.handle_at(field.handle).is_slot());
  if (slot && field.row->at == uring::sqe_member::splice_fd_in)
    sqe.splice_flags |= SPLICE_F_FD_IN_FIXED;
  return true;
}

bool sqe_builder::fill_list(io_uring_sqe& sqe, const sqe_field& field) {
  const auto all = descriptors(field);
  if (!all) return false;
  auto* kept = memory_.make<int>(std::max<std::size_t>(all->size(), 1));
  std::ranges::copy(*all, kept);
  uring::store(sqe, field.row->at, pointer(kept));
  uring::store(sqe, field.row->length_at, all->size());
  const sqe_field* offset = find(*body_, "offset");
  // Only where the kernel picks does it write the slots back.
  if (offset != nullptr && static_cast<std::uint32_t>(offset->constant) == IORING_FILE_INDEX_ALLOC)
    memory_.add_output(output_kind::slots, kept, all->size());
  return true;
}

// What only receives is there without being asked for.
void sqe_builder::fill_unsaid(io_uring_sqe& sqe) {
  const bool reads_fixed = body_->row->opcode == IORING_OP_READ_FIXED;
  if (fixed_ && reads_fixed)
    memory_.room.push_back({fixed_->iov_base, std::min<std::size_t>(sqe.len, fixed_->iov_len)});
  for (const field_row& row : body_->row->fields) {
    if (find(*body_, row.name) != nullptr) continue;
    switch (row.kind) {
      case field_kind::statx_out:
      case field_kind::descriptor_pair:
      case field_kind::siginfo_out:
      case field_kind::address:
        fill_by_itself(sqe, row);
        break;
      case field_kind::fixed_buffer:
        if (fixed_ && uring::load(sqe, row.at) == 0)
          uring::store(sqe, row.at, pointer(fixed_->iov_base));
        break;
      default:
        break;
    }
  }
}

}  // namespace scenarios
