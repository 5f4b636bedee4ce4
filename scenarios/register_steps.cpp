// The `register` step: one io_uring_register(2) on a private ring, by the rows of register_table.
// Here is what is the ring's own: buffers, files, groups, an eventfd, what it may do.

#include <algorithm>

#include "engine/kernel_compat.hpp"
#include "scenarios/register_call.hpp"
#include "scenarios/step_runner.hpp"

namespace scenarios {
namespace {

constexpr std::size_t restrictions_max = 256;

}  // namespace

int register_call::register_buffers() {
  std::vector<iovec> all = buffers();
  const int result = ring_.call(body_.row->opcode, all.data(), static_cast<unsigned>(all.size()));
  if (result >= 0) ring_.keep_buffers(0, all);
  return result;
}

int register_call::unregister_buffers() {
  const int result = plain();
  if (result >= 0) ring_.drop_buffers();
  return result;
}

int register_call::register_files() {
  std::vector<int> fds = descriptors("fds");
  return ring_.call(body_.row->opcode, fds.data(), static_cast<unsigned>(fds.size()));
}

int register_call::register_eventfd() {
  int number = descriptor("fd");
  return ring_.call(body_.row->opcode, &number, 1);
}

int register_call::switch_eventfd() {
  return ring_.enable_eventfd(number("enabled") != 0);
}

int register_call::update_files() {
  std::vector<int> fds = descriptors("fds");
  io_uring_files_update asked{};
  asked.offset = small("offset");
  asked.fds = reinterpret_cast<std::uint64_t>(fds.data());
  return ring_.call(body_.row->opcode, &asked, static_cast<unsigned>(fds.size()));
}

int register_call::probe() {
  constexpr unsigned room = 256;
  std::vector<std::byte> memory(sizeof(io_uring_probe) + room * sizeof(io_uring_probe_op));
  auto* found = reinterpret_cast<io_uring_probe*>(memory.data());
  const int result = ring_.call(body_.row->opcode, found, room);
  publish("last_op", found->last_op);
  return result;
}

int register_call::unregister_personality() {
  return ring_.call(body_.row->opcode, nullptr, small("id"));
}

int register_call::restrict() {
  std::vector<io_uring_restriction> all;
  const auto add = [&](std::uint16_t kind, std::uint64_t which) {
    io_uring_restriction& made = all.emplace_back();
    made.opcode = kind;
    made.sqe_op = static_cast<__u8>(which);
  };
  for (const std::uint64_t op : numbers("ops")) add(IORING_RESTRICTION_SQE_OP, op);
  for (const std::uint64_t call : numbers("registers")) add(IORING_RESTRICTION_REGISTER_OP, call);
  if (find("sqe_flags_allowed") != nullptr)
    add(IORING_RESTRICTION_SQE_FLAGS_ALLOWED, small("sqe_flags_allowed"));
  if (find("sqe_flags_required") != nullptr)
    add(IORING_RESTRICTION_SQE_FLAGS_REQUIRED, small("sqe_flags_required"));
  all.resize(std::min(all.size(), restrictions_max));
  return ring_.call(body_.row->opcode, all.data(), static_cast<unsigned>(all.size()));
}

int register_call::register_tagged() {
  const bool files = body_.row->opcode == IORING_REGISTER_FILES2;
  std::vector<int> fds = descriptors("fds");
  std::vector<iovec> all = buffers();
  std::vector<std::uint64_t> tags = numbers("tags");
  io_uring_rsrc_register asked{};
  asked.nr = static_cast<__u32>(files ? fds.size() : all.size());
  if (find("sparse") != nullptr) {
    asked.nr = small("sparse");
    asked.flags = IORING_RSRC_REGISTER_SPARSE;
  } else {
    asked.data = files ? reinterpret_cast<std::uint64_t>(fds.data())
                       : reinterpret_cast<std::uint64_t>(all.data());
    tags.resize(asked.nr);
    asked.tags = reinterpret_cast<std::uint64_t>(tags.data());
  }
  const int result = ring_.call(body_.row->opcode, &asked, sizeof asked);
  if (result >= 0 && !files) ring_.keep_buffers(0, all);
  return result;
}

int register_call::update_tagged() {
  const bool files = body_.row->opcode == IORING_REGISTER_FILES_UPDATE2;
  std::vector<int> fds = descriptors("fds");
  std::vector<iovec> all = buffers();
  std::vector<std::uint64_t> tags = numbers("tags");
  io_uring_rsrc_update2 asked{};
  asked.offset = small("offset");
  asked.nr = static_cast<__u32>(files ? fds.size() : all.size());
  asked.data = files ? reinterpret_cast<std::uint64_t>(fds.data())
                     : reinterpret_cast<std::uint64_t>(all.data());
  tags.resize(asked.nr);
  asked.tags = reinterpret_cast<std::uint64_t>(tags.data());
  const int result = ring_.call(body_.row->opcode, &asked, sizeof asked);
  if (result >= 0 && !files) ring_.keep_buffers(asked.offset, all);
  return result;
}

int register_call::register_group() {
  return ring_.register_group(static_cast<std::uint16_t>(small("group")), small("count", 8),
                              std::min(small("size", 64), 16U << 20U), small("inc") != 0);
}

int register_call::unregister_group() {
  return ring_.unregister_group(static_cast<std::uint16_t>(small("group")));
}

// Never without a limit: an endless one hangs for good when a worker runs the request on a
// DEFER_TASKRUN ring.
int register_call::sync_cancel() {
  uring::compat::sync_cancel_reg asked{};
  if (const sqe_field* target = find("target")) {
    const auto user_data = values_.target(*target);
    bad_ |= !user_data;
    asked.addr = user_data.value_or(0);
  }
  asked.fd = descriptor("fd");
  asked.opcode = static_cast<std::uint8_t>(small("op"));
  asked.flags = small("cancel_flags");
  asked.timeout.tv_sec = 1;
  if (find("timeout") != nullptr) asked.timeout = time("timeout");
  return bad_ ? 0 : ring_.call(body_.row->opcode, &asked, 1);
}

int register_call::limit_slots() {
  io_uring_file_index_range asked{};
  asked.off = small("offset");
  asked.len = small("len");
  return ring_.call(body_.row->opcode, &asked, 0);
}

int register_call::group_status() {
  uring::compat::buf_status asked{};
  asked.buf_group = small("group");
  const int result = ring_.call(body_.row->opcode, &asked, 1);
  publish("head", asked.head);
  return result;
}

std::span<const register_call::handler> register_call::handlers() {
  static constexpr handler all[] = {
      {IORING_REGISTER_BUFFERS, &register_call::register_buffers},
      {IORING_UNREGISTER_BUFFERS, &register_call::unregister_buffers},
      {IORING_REGISTER_FILES, &register_call::register_files},
      {IORING_REGISTER_EVENTFD, &register_call::register_eventfd},
      {IORING_REGISTER_EVENTFD_ASYNC, &register_call::register_eventfd},
      {eventfd_switch, &register_call::switch_eventfd},
      {IORING_REGISTER_FILES_UPDATE, &register_call::update_files},
      {IORING_REGISTER_PROBE, &register_call::probe},
      {IORING_UNREGISTER_PERSONALITY, &register_call::unregister_personality},
      {IORING_REGISTER_RESTRICTIONS, &register_call::restrict},
      {IORING_REGISTER_FILES2, &register_call::register_tagged},
      {IORING_REGISTER_BUFFERS2, &register_call::register_tagged},
      {IORING_REGISTER_FILES_UPDATE2, &register_call::update_tagged},
      {IORING_REGISTER_BUFFERS_UPDATE, &register_call::update_tagged},
      {IORING_REGISTER_IOWQ_MAX_WORKERS, &register_call::limit_workers},
      {IORING_REGISTER_PBUF_RING, &register_call::register_group},
      {IORING_UNREGISTER_PBUF_RING, &register_call::unregister_group},
      {IORING_REGISTER_SYNC_CANCEL, &register_call::sync_cancel},
      {IORING_REGISTER_FILE_ALLOC_RANGE, &register_call::limit_slots},
      {uring::compat::register_pbuf_status, &register_call::group_status},
      {uring::compat::register_clock, &register_call::set_clock},
      {uring::compat::register_clone_buffers, &register_call::clone_buffers},
      {uring::compat::register_resize_rings, &register_call::resize},
      {IORING_REGISTER_IOWQ_AFF, &register_call::limit_cpus},
      {IORING_UNREGISTER_IOWQ_AFF, &register_call::release_cpus},
      {IORING_REGISTER_RING_FDS, &register_call::register_descriptor},
      {IORING_UNREGISTER_RING_FDS, &register_call::unregister_descriptor},
      {uring::compat::register_napi, &register_call::set_napi},
      {uring::compat::unregister_napi, &register_call::set_napi},
      {uring::compat::register_send_msg_ring, &register_call::send_message},
      {uring::compat::register_mem_region, &register_call::register_region},
      {uring::compat::register_query, &register_call::query},
  };
  return all;
}

uring::task<step_end> step_runner::on(const register_step& body) {
  submission_memory memory;
  private_ring& ring = *run_.rings[step_.ring];
  sqe_builder values(strand_, &ring, memory);
  register_call call(body, ring, values);
  const std::optional<int> result = call.make();
  if (!result) co_return broken(call.refused.empty() ? values.why() : call.refused, step_.op_at);
  step_end end;
  end.res = *result;
  end.natural = *result >= 0;
  if (*result < 0) end.outcome = step_outcome::error;
  if (!call.fields.empty()) end.fields = value::record(std::move(call.fields));
  co_return end;
}

}  // namespace scenarios
