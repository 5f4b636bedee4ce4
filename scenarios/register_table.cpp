#include "scenarios/register_table.hpp"

#include <liburing.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "engine/kernel_compat.hpp"
#include "scenarios/sqe_parts.hpp"

namespace scenarios {
namespace {

using uring::field_kind;
using uring::field_row;
using place = uring::sqe_member;
namespace j = json;

// By number, which is what io_uring_register(2) is given.
constexpr std::string_view calls_in_order[] = {
    "buffers",
    "unregister_buffers",
    "files",
    "unregister_files",
    "eventfd",
    "unregister_eventfd",
    "files_update",
    "eventfd_async",
    "probe",
    "personality",
    "unregister_personality",
    "restrictions",
    "enable_rings",
    "files2",
    "files_update2",
    "buffers2",
    "buffers_update",
    "iowq_aff",
    "unregister_iowq_aff",
    "iowq_max_workers",
    "ring_fds",
    "unregister_ring_fds",
    "pbuf_ring",
    "unregister_pbuf_ring",
    "sync_cancel",
    "file_alloc_range",
    "pbuf_status",
    "napi",
    "unregister_napi",
    "clock",
    "clone_buffers",
    "send_msg_ring",
    "zcrx_ifq",
    "resize_rings",
    "mem_region",
    "query",
    "zcrx_ctrl",
};
constexpr auto call_names = [] {
  std::array<uring::flag_name, std::size(calls_in_order)> made{};
  for (std::size_t i = 0; i < made.size(); ++i) made[i] = {calls_in_order[i], i, ~0ULL};
  return made;
}();
constexpr uring::flag_set calls{"registers", uring::set_kind::choice, call_names};
constexpr uring::flag_name clock_names[] = {{"monotonic", CLOCK_MONOTONIC, ~0ULL},
                                            {"boottime", CLOCK_BOOTTIME, ~0ULL}};
constexpr uring::flag_set clocks{"clock", uring::set_kind::choice, clock_names};
constexpr uring::flag_name clone_names[] = {
    {"src_registered", uring::compat::clone_src_registered, uring::compat::clone_src_registered},
    {"dst_replace", uring::compat::clone_dst_replace, uring::compat::clone_dst_replace}};
constexpr uring::flag_set clones{"clone_flags", uring::set_kind::flags, clone_names};

constexpr uring::flag_name region_names[] = {
    {"wait_arg", uring::compat::mem_region_reg_wait_arg, uring::compat::mem_region_reg_wait_arg}};
constexpr uring::flag_set regions{"region_flags", uring::set_kind::flags, region_names};
constexpr uring::flag_name query_names[] = {{"opcodes", uring::compat::query_about_opcodes, ~0ULL}};
constexpr uring::flag_set queries{"query", uring::set_kind::choice, query_names};

constexpr field_row make(std::string_view name, field_kind kind, std::string_view doc,
                         bool required = false) {
  field_row made{.name = name, .kind = kind, .at = place::none};
  made.required = required;
  made.doc = doc;
  return made;
}
constexpr field_row with(field_row row, const uring::flag_set& set, place at = place::none) {
  row.flags = &set;
  row.at = at;
  return row;
}

constexpr field_row at(field_row row, place where) {
  row.at = where;
  return row;
}

constexpr field_row sizes = make("sizes", field_kind::iov_in, "sizes of the buffers", true);
constexpr field_row fds =
    make("fds", field_kind::descriptor_list, "descriptors, -1 for none", true);
constexpr field_row offset = make("offset", field_kind::number, "the first slot (default 0)");
constexpr field_row tags = make("tags", field_kind::index, "user_data to post when they are gone");
constexpr field_row sparse = make("sparse", field_kind::number, "so many empty slots");
constexpr field_row group = make("group", field_kind::buffer_group, "a buffer group", true);
constexpr field_row the_descriptor = make("fd", field_kind::descriptor, "an eventfd", true);

constexpr field_row buffers_fields[] = {sizes};
constexpr field_row files_fields[] = {fds};
constexpr field_row eventfd_fields[] = {the_descriptor};
constexpr field_row switch_fields[] = {make("enabled", field_kind::flag_bit, "true or false")};
constexpr field_row files_update_fields[] = {offset, fds};
constexpr field_row files2_fields[] = {make("fds", field_kind::descriptor_list, "descriptors"),
                                       tags, sparse};
constexpr field_row files_update2_fields[] = {offset, fds, tags};
constexpr field_row buffers2_fields[] = {make("sizes", field_kind::iov_in, "sizes"), tags, sparse};
constexpr field_row buffers_update_fields[] = {offset, sizes, tags};
constexpr field_row personality_fields[] = {
    make("id", field_kind::number, "the personality", true)};
constexpr field_row restriction_fields[] = {
    make("ops", field_kind::opcode, "opcodes that stay allowed"),
    with(make("registers", field_kind::choice, "register calls that stay allowed"), calls),
    with(make("sqe_flags_allowed", field_kind::flags, "flags that may be set"),
         uring::flags::sqe_flags, place::off),
    with(make("sqe_flags_required", field_kind::flags, "flags that must be set"),
         uring::flags::sqe_flags, place::off)};
constexpr field_row worker_fields[] = {
    make("bounded", field_kind::number, "workers for files; 0 leaves it"),
    make("unbounded", field_kind::number, "workers for all else; 0 leaves it")};
constexpr field_row pbuf_fields[] = {group, make("count", field_kind::number, "number (8)"),
                                     make("size", field_kind::number, "size of each (64)"),
                                     make("inc", field_kind::flag_bit, "true: used up in pieces")};
constexpr field_row group_fields[] = {group};
constexpr field_row sync_cancel_fields[] = {
    make("target", field_kind::user_data, "the request, as of async_cancel"),
    make("fd", field_kind::descriptor, "with the flag fd"),
    make("op", field_kind::number, "with the flag op: an opcode's number"),
    with(make("cancel_flags", field_kind::flags, "as of async_cancel"), uring::flags::cancel_flags,
         place::off),
    make("timeout", field_kind::timespec_in, "how long to wait (default 1s)")};
constexpr field_row range_fields[] = {make("offset", field_kind::number, "first slot"),
                                      make("len", field_kind::number, "number of slots", true)};
constexpr field_row clock_fields[] = {
    with(make("clock", field_kind::choice, "monotonic or boottime", true), clocks, place::off)};
constexpr field_row clone_fields[] = {
    make("from", field_kind::descriptor, "{ \"ring\": … } whose buffers to share", true),
    make("src_offset", field_kind::number, "first of them"),
    make("dst_offset", field_kind::number, "where they go"),
    make("count", field_kind::number, "how many; 0 = all"),
    with(make("clone_flags", field_kind::flags, "how"), clones, place::off)};
constexpr field_row resize_fields[] = {make("sq_entries", field_kind::number, "new size", true),
                                       make("cq_entries", field_kind::number, "new size", true)};
constexpr field_row cpu_fields[] = {
    make("cpus", field_kind::index, "numbers of processors, from 0", true)};
constexpr field_row descriptor_fields[] = {
    make("slot", field_kind::number, "which of 16 (default: any that is free)"),
    make("fd", field_kind::descriptor, "{ \"ring\": … } (default: the step's own)")};
constexpr field_row slot_fields[] = {make("slot", field_kind::number, "which of 16", true)};
constexpr field_row napi_fields[] = {
    make("busy_poll", field_kind::timespec_in, "for how long, in whole microseconds"),
    make("prefer_busy_poll", field_kind::flag_bit, "true: rather than interrupts")};
// As those of the opcode msg_ring.
constexpr field_row message_fields[] = {
    make("to", field_kind::descriptor, "{ \"ring\": … }", true),
    with(make("command", field_kind::choice, "data; any other is refused"),
         uring::flags::msg_ring_command, place::addr),
    at(make("result", field_kind::signed_number, "res of the completion"), place::len),
    at(make("data", field_kind::user_data, "user_data of the completion"), place::off),
    at(make("cqe_flags", field_kind::number, "with flags_pass: its flags"), place::file_index),
    with(make("msg_ring_flags", field_kind::flags, "as of msg_ring"), uring::flags::msg_ring_flags,
         place::op_flags)};
constexpr field_row region_fields[] = {
    make("size", field_kind::number, "in bytes, whole pages", true),
    make("kernel", field_kind::flag_bit, "true: the kernel's memory, not the program's"),
    with(make("region_flags", field_kind::flags, "what it is for"), regions, place::off)};
constexpr field_row query_fields[] = {
    with(make("query", field_kind::choice, "opcodes, or a number", true), queries, place::off)};

constexpr register_row rows[] = {
    {"buffers", IORING_REGISTER_BUFFERS, "5.1", buffers_fields, true, "registers buffers: [sizes]"},
    {"unregister_buffers", IORING_UNREGISTER_BUFFERS, "5.1", {}, true, "drops them"},
    {"files", IORING_REGISTER_FILES, "5.1", files_fields, true, "a file table: [descriptors]"},
    {"unregister_files", IORING_UNREGISTER_FILES, "5.1", {}, true, "drops it"},
    {"eventfd", IORING_REGISTER_EVENTFD, "5.2", eventfd_fields, true,
     "an eventfd that counts completions"},
    {"unregister_eventfd", IORING_UNREGISTER_EVENTFD, "5.2", {}, true, "drops it"},
    {"eventfd_enabled", eventfd_switch, "5.8", switch_fields, true,
     "no call but a bit in the completion queue: whether the eventfd is told"},
    {"files_update", IORING_REGISTER_FILES_UPDATE, "5.5", files_update_fields, false,
     "changes slots; the result is how many"},
    {"eventfd_async", IORING_REGISTER_EVENTFD_ASYNC, "5.6", eventfd_fields, true,
     "an eventfd that counts only what did not complete at once"},
    {"probe", IORING_REGISTER_PROBE, "5.6", {}, true, "asks for opcodes: the field last_op"},
    {"personality",
     IORING_REGISTER_PERSONALITY,
     "5.6",
     {},
     true,
     "keeps the current credentials; the result is their id"},
    {"unregister_personality", IORING_UNREGISTER_PERSONALITY, "5.6", personality_fields, true,
     "drops credentials by id"},
    {"restrictions", IORING_REGISTER_RESTRICTIONS, "5.10", restriction_fields, false,
     "what the ring may do from its enabling on"},
    {"enable_rings", IORING_REGISTER_ENABLE_RINGS, "5.10", {}, true, "enables an r_disabled ring"},
    {"files2", IORING_REGISTER_FILES2, "5.13", files2_fields, false, "files, sparse or with tags"},
    {"files_update2", IORING_REGISTER_FILES_UPDATE2, "5.13", files_update2_fields, false,
     "changes slots, with tags"},
    {"buffers2", IORING_REGISTER_BUFFERS2, "5.13", buffers2_fields, false,
     "buffers, sparse or with tags"},
    {"buffers_update", IORING_REGISTER_BUFFERS_UPDATE, "5.13", buffers_update_fields, false,
     "changes registered buffers, with tags"},
    {"iowq_aff", IORING_REGISTER_IOWQ_AFF, "5.14", cpu_fields, true,
     "where the task's workers may run: [processors]"},
    {"unregister_iowq_aff", IORING_UNREGISTER_IOWQ_AFF, "5.14", {}, true, "lets them run anywhere"},
    {"iowq_max_workers", IORING_REGISTER_IOWQ_MAX_WORKERS, "5.15", worker_fields, false,
     "limits of workers; what they were are the fields bounded and unbounded"},
    {"ring_fds", IORING_REGISTER_RING_FDS, "5.18", descriptor_fields, false,
     "a place among the task's ring descriptors: the field slot"},
    {"unregister_ring_fds", IORING_UNREGISTER_RING_FDS, "5.18", slot_fields, true, "frees it"},
    {"pbuf_ring", IORING_REGISTER_PBUF_RING, "5.19", pbuf_fields, false,
     "a group of provided buffers, filled"},
    {"unregister_pbuf_ring", IORING_UNREGISTER_PBUF_RING, "5.19", group_fields, true,
     "drops a group"},
    {"sync_cancel", IORING_REGISTER_SYNC_CANCEL, "6.0", sync_cancel_fields, false,
     "cancels and waits for the end"},
    {"file_alloc_range", IORING_REGISTER_FILE_ALLOC_RANGE, "6.0", range_fields, false,
     "slots that the kernel may pick"},
    {"pbuf_status", uring::compat::register_pbuf_status, "6.8", group_fields, true,
     "where the kernel is in a group: the field head"},
    {"napi", uring::compat::register_napi, "6.9", napi_fields, false,
     "busy polling of sockets; what it was are the fields busy_poll_us and prefer_busy_poll"},
    {"unregister_napi",
     uring::compat::unregister_napi,
     "6.9",
     {},
     true,
     "ends it; what it was, as of napi"},
    {"clock", uring::compat::register_clock, "6.12", clock_fields, true, "the clock of waits"},
    {"clone_buffers", uring::compat::register_clone_buffers, "6.12", clone_fields, false,
     "shares another ring's buffers"},
    {"send_msg_ring", uring::compat::register_send_msg_ring, "6.13", message_fields, false,
     "a message to a ring, sent by none"},
    {"resize_rings", uring::compat::register_resize_rings, "6.13", resize_fields, false,
     "new sizes, on a defer_taskrun ring only"},
    {"mem_region", uring::compat::register_mem_region, "6.13", region_fields, false,
     "memory that it shares with the kernel, for wait arguments"},
    {"query", uring::compat::register_query, "6.18", query_fields, true,
     "what the kernel has: the fields request_opcodes, register_opcodes, features, setup_flags, "
     "enter_flags and sqe_flags; result is negative if it does not know the query"},
};

}  // namespace

std::span<const register_row> register_table() {
  return rows;
}

const register_row* find_register(std::string_view name) {
  const auto* found = std::ranges::find(rows, name, &register_row::name);
  return found == std::end(rows) ? nullptr : found;
}

std::span<const key_row> register_keys() {
  static const std::vector<key_row> keys = [] {
    static std::deque<std::string> texts;  // what the rows point to
    std::vector<key_row> made;
    for (const register_row& row : rows) {
      std::string& doc = texts.emplace_back(row.doc);
      if (!row.fields.empty() && !row.alone) {
        std::string_view between = ": { ";
        for (const field_row& field : row.fields)
          doc.append(std::exchange(between, ", ")).append(field.name);
        doc += " }";
      }
      const json_types types = row.fields.empty() ? j::boolean
                               : row.alone        ? types_of(row.fields.front()) | j::object
                                                  : j::object;
      made.push_back({row.name, types, key_state::optional, doc});
    }
    return made;
  }();
  return keys;
}

}  // namespace scenarios
