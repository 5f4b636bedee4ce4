// The `register` step: one io_uring_register(2) on a private ring, by the rows of register_table.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/kernel_compat.hpp"
#include "scenarios/register_table.hpp"
#include "scenarios/sqe_builder.hpp"
#include "scenarios/step_runner.hpp"

namespace scenarios {
namespace {

constexpr std::size_t restrictions_max = 256;

// One call while it is being made.
class register_call {
 public:
  register_call(const register_step& body, private_ring& ring, sqe_builder& values)
      : body_(body), ring_(ring), values_(values) {}

  /// What the call returned, or nothing when a value could not be had.
  std::optional<int> make() {
    for (const handler& each : handlers) {
      if (each.opcode != body_.row->opcode) continue;
      const int result = (this->*each.call)();
      return bad_ ? std::nullopt : std::optional(result);
    }
    return plain();
  }

  value::record_type fields;

 private:
  struct handler {
    unsigned opcode;
    int (register_call::*call)();
  };
  static const std::array<handler, 23> handlers;

  const sqe_field* find(std::string_view name) const {
    const auto found = std::ranges::find_if(
        body_.fields, [&](const sqe_field& each) { return each.row->name == name; });
    return found == body_.fields.end() ? nullptr : &*found;
  }
  std::int64_t number(std::string_view name, std::int64_t otherwise = 0) {
    const sqe_field* field = find(name);
    if (field == nullptr) return otherwise;
    const auto value = values_.integer(*field);
    bad_ |= !value;
    return value.value_or(otherwise);
  }
  std::uint32_t small(std::string_view name, std::uint32_t otherwise = 0) {
    return static_cast<std::uint32_t>(number(name, otherwise));
  }
  std::vector<int> descriptors(std::string_view name) {
    const sqe_field* field = find(name);
    if (field == nullptr) return {};
    auto all = values_.descriptors(*field);
    bad_ |= !all;
    return all.value_or(std::vector<int>{});
  }
  std::vector<std::uint64_t> numbers(std::string_view name) {
    std::vector<std::uint64_t> all;
    const sqe_field* field = find(name);
    if (field == nullptr) return all;
    for (const sqe_field& part : field->parts) {
      const auto value = values_.integer(part);
      bad_ |= !value;
      all.push_back(static_cast<std::uint64_t>(value.value_or(0)));
    }
    return all;
  }
  /// Buffers of the sizes under "sizes", or the bad pointer that stands there.
  std::vector<iovec> buffers() {
    const sqe_field* field = find("sizes");
    if (field == nullptr) return {};
    if (field->bad_address) {
      sqe_field length = *field;
      length.is_constant = false;
      const auto size = values_.integer(length);
      bad_ |= !size;
      return {
          {reinterpret_cast<void*>(field->constant), static_cast<std::size_t>(size.value_or(0))}};
    }
    std::vector<std::uint32_t> sizes;
    for (const std::uint64_t size : numbers("sizes"))
      sizes.push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(size, 16U << 20U)));
    return ring_.make_buffers(sizes);
  }

  int plain() { return ring_.call(body_.row->opcode, nullptr, 0); }
  int register_buffers();
  int unregister_buffers();
  int register_files();
  int register_eventfd();
  int switch_eventfd();
  int update_files();
  int probe();
  int unregister_personality();
  int restrict();
  int register_tagged();
  int update_tagged();
  int limit_workers();
  int register_group();
  int unregister_group();
  int sync_cancel();
  int limit_slots();
  int group_status();
  int set_clock();
  int clone_buffers();
  int resize();

  const register_step& body_;
  private_ring& ring_;
  sqe_builder& values_;
  bool bad_ = false;
};

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
  const sqe_field* field = find("fd");
  const auto fd = values_.descriptor(*field);
  bad_ |= !fd;
  int number = fd.value_or(-1);
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
  fields.push_back({"last_op", value(std::int64_t{found->last_op})});
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

int register_call::limit_workers() {
  std::array<unsigned, 2> limits{small("bounded"), small("unbounded")};
  const int result = ring_.call(body_.row->opcode, limits.data(), 2);
  if (result >= 0) ring_.remember_limits(limits);
  fields.push_back({"bounded", value(std::int64_t{limits[0]})});
  fields.push_back({"unbounded", value(std::int64_t{limits[1]})});
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
  asked.fd = -1;
  if (const sqe_field* on = find("fd")) {
    const auto fd = values_.descriptor(*on);
    bad_ |= !fd;
    asked.fd = fd.value_or(-1);
  }
  asked.opcode = static_cast<std::uint8_t>(small("op"));
  asked.flags = small("cancel_flags");
  asked.timeout.tv_sec = 1;
  if (const sqe_field* limit = find("timeout")) {
    const auto time = values_.time(*limit);
    bad_ |= !time;
    asked.timeout = time.value_or(asked.timeout);
  }
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
  fields.push_back({"head", value(std::int64_t{asked.head})});
  return result;
}

int register_call::set_clock() {
  uring::compat::clock_register asked{};
  asked.clockid = small("clock");
  return ring_.call(body_.row->opcode, &asked, 0);
}

int register_call::clone_buffers() {
  uring::compat::clone_buffers asked{};
  const auto from = values_.descriptor(*find("from"));
  bad_ |= !from;
  asked.src_fd = static_cast<std::uint32_t>(from.value_or(-1));
  asked.flags = small("clone_flags");
  asked.src_off = small("src_offset");
  asked.dst_off = small("dst_offset");
  asked.nr = small("count");
  return ring_.call(body_.row->opcode, &asked, 1);
}

int register_call::resize() {
  return ring_.resize(small("sq_entries"), small("cq_entries"));
}

// Calls without an argument are not here.
const std::array<register_call::handler, 23> register_call::handlers{{
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
}};

}  // namespace

uring::task<step_end> step_runner::on(const register_step& body) {
  submission_memory memory;
  private_ring& ring = *run_.rings[step_.ring];
  sqe_builder values(strand_, &ring, memory);
  register_call call(body, ring, values);
  const std::optional<int> result = call.make();
  if (!result) co_return broken(values.why(), step_.op_at);
  step_end end;
  end.res = *result;
  end.natural = *result >= 0;
  if (*result < 0) end.outcome = step_outcome::error;
  if (!call.fields.empty()) end.fields = value::record(std::move(call.fields));
  co_return end;
}

}  // namespace scenarios
