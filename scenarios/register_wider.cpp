// The `register` step: calls that reach beyond the ring: its task's workers and ring descriptors,
// other rings, network devices, memory that it shares, and what the kernel says of itself.

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <limits>

#include "engine/kernel_compat.hpp"
#include "scenarios/register_call.hpp"

namespace scenarios {
namespace {

namespace compat = uring::compat;

constexpr std::uint32_t any_slot = ~0U;
constexpr std::uint32_t places_of_task = 16;
constexpr std::uint64_t region_bytes_max = 16U << 20U;
constexpr std::uint64_t cpus_a_byte = 8;

std::uint32_t microseconds(const __kernel_timespec& time) {
  constexpr std::int64_t longest = std::numeric_limits<std::uint32_t>::max();
  constexpr std::int64_t second = 1'000'000;
  if (time.tv_sec > longest / second) return static_cast<std::uint32_t>(longest);
  return static_cast<std::uint32_t>(std::min<std::int64_t>(
      longest, static_cast<std::int64_t>(time.tv_sec) * second + time.tv_nsec / 1000));
}

}  // namespace

int register_call::limit_workers() {
  std::array<unsigned, 2> limits{small("bounded"), small("unbounded")};
  const int result = ring_.call(body_.row->opcode, limits.data(), 2);
  if (result >= 0) ring_.put_back_at_close({body_.row->opcode, {limits[0], limits[1]}, 2});
  publish("bounded", limits[0]);
  publish("unbounded", limits[1]);
  return result;
}

// One bit a processor. What is beyond those that the kernel can have is cut off by it, so that no
// more than this need be passed.
int register_call::limit_cpus() {
  std::vector<std::byte> mask(processors_max / cpus_a_byte);
  for (const std::uint64_t cpu : numbers("cpus"))
    if (cpu < processors_max) mask[cpu / cpus_a_byte] |= std::byte{1} << (cpu % cpus_a_byte);
  const int result = ring_.call(body_.row->opcode, mask.data(), static_cast<unsigned>(mask.size()));
  if (result >= 0) ring_.put_back_at_close({IORING_UNREGISTER_IOWQ_AFF, {}, 0});
  return result;
}

int register_call::release_cpus() {
  const int result = plain();
  if (result >= 0) ring_.is_put_back(IORING_UNREGISTER_IOWQ_AFF);
  return result;
}

// A task has 16 places for all its rings, so none may outlive the scenario.
int register_call::register_descriptor() {
  io_uring_rsrc_update asked{};
  asked.offset = small("slot", any_slot);
  asked.data =
      static_cast<std::uint64_t>(find("fd") == nullptr ? ring_.descriptor() : descriptor("fd"));
  const int result = ring_.call(body_.row->opcode, &asked, 1);
  if (result <= 0) return result;
  ring_.put_back_at_close({IORING_UNREGISTER_RING_FDS, {asked.offset}, 1});
  publish("slot", asked.offset);
  return result;
}

// The other places of the task are those of the harness, and of other scenarios.
int register_call::unregister_descriptor() {
  io_uring_rsrc_update asked{};
  asked.offset = small("slot");
  if (asked.offset < places_of_task &&
      !ring_.is_to_put_back(IORING_UNREGISTER_RING_FDS, asked.offset)) {
    refused =
        fmt::format("the place {} is not one that `ring_fds` on this ring has given", asked.offset);
    return 0;
  }
  const int result = ring_.call(body_.row->opcode, &asked, 1);
  if (result > 0) ring_.is_put_back(IORING_UNREGISTER_RING_FDS, asked.offset);
  return result;
}

int register_call::set_napi() {
  compat::napi asked{};
  asked.busy_poll_to = microseconds(time("busy_poll"));
  asked.prefer_busy_poll = static_cast<std::uint8_t>(number("prefer_busy_poll"));
  const int result = ring_.call(body_.row->opcode, &asked, 1);
  if (result < 0) return result;
  publish("busy_poll_us", asked.busy_poll_to);
  publish("prefer_busy_poll", asked.prefer_busy_poll);
  return result;
}

// No ring sends it: the kernel takes the submission from memory, and -1 for the ring.
int register_call::send_message() {
  io_uring_sqe message{};
  message.opcode = IORING_OP_MSG_RING;
  message.fd = descriptor("to");
  for (const sqe_field& field : body_.fields)
    if (field.row->at != uring::sqe_member::none)
      uring::store(message, field.row->at, static_cast<std::uint64_t>(number(field.row->name)));
  if (bad_) return 0;
  const long result = syscall(__NR_io_uring_register, -1, body_.row->opcode, &message, 1);
  return result < 0 ? -errno : static_cast<int>(result);
}

int register_call::register_region() {
  compat::region_desc region{};
  region.size = static_cast<std::uint64_t>(number("size"));
  if (number("kernel") == 0 && region.size <= region_bytes_max) {
    region.flags = compat::mem_region_type_user;
    region.user_addr = reinterpret_cast<std::uint64_t>(ring_.make_pages(region.size));
  }
  compat::mem_region_reg asked{};
  asked.region_uptr = reinterpret_cast<std::uint64_t>(&region);
  asked.flags = small("region_flags");
  return bad_ ? 0 : ring_.call(body_.row->opcode, &asked, 1);
}

// The answer to a question that the kernel does not know is a field; the call succeeds.
int register_call::query() {
  compat::query_opcodes answer{};
  compat::query_header question{};
  question.query_op = small("query");
  question.query_data = reinterpret_cast<std::uint64_t>(&answer);
  question.size = sizeof answer;
  const int result = ring_.call(body_.row->opcode, &question, 0);
  if (result < 0) return result;
  fields.push_back({"result", value(std::int64_t{question.result})});
  if (question.result < 0) return result;
  publish("size", question.size);
  publish("request_opcodes", answer.request_opcodes);
  publish("register_opcodes", answer.register_opcodes);
  publish("features", answer.features);
  publish("setup_flags", answer.setup_flags);
  publish("enter_flags", answer.enter_flags);
  publish("sqe_flags", answer.sqe_flags);
  return result;
}

int register_call::set_clock() {
  uring::compat::clock_register asked{};
  asked.clockid = small("clock");
  return ring_.call(body_.row->opcode, &asked, 0);
}

int register_call::clone_buffers() {
  uring::compat::clone_buffers asked{};
  asked.src_fd = static_cast<std::uint32_t>(descriptor("from"));
  asked.flags = small("clone_flags");
  asked.src_off = small("src_offset");
  asked.dst_off = small("dst_offset");
  asked.nr = small("count");
  return ring_.call(body_.row->opcode, &asked, 1);
}

int register_call::resize() {
  return ring_.resize(small("sq_entries"), small("cq_entries"));
}

}  // namespace scenarios
