#include "scenarios/told_fields.hpp"

#include <fmt/format.h>
#include <liburing.h>

#include <algorithm>
#include <span>

#include "engine/kernel_compat.hpp"
#include "scenarios/amount.hpp"
#include "scenarios/register_table.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

using fields = std::span<const told_field>;
constexpr value_type text = value_type::text, integer = value_type::integer,
                     list = value_type::list, bytes = value_type::bytes;

constexpr told_field handshake[] = {
    {"tls_version", text, "the version that was agreed on: \"1.3\""},
    {"cipher", text, "the cipher suite"},
    {"alpn", text, "the application protocol, if one was agreed on"},
    {"peer_cn", text, "the common name in the other end's certificate"},
    {"server_name", text, "the name that the client asked for"}};
constexpr told_field failure[] = {{"alert", text, "the TLS alert that ended it"},
                                  {"alert_from", text, "who sent the alert: us or peer"},
                                  {"reason", text, "why TLS failed"}};
constexpr told_field datagram[] = {{"from", text, "the sender's address"},
                                   {"length", integer, "the datagram's length, whatever `max` is"},
                                   {"truncated", value_type::boolean, "`max` is less than that"}};
constexpr told_field program_end[] = {
    {"exit", integer | text, "the exit code, or the name of the signal"},
    {"stdout", bytes, "all that it wrote there"},
    {"stderr", bytes, "all that it wrote there"}};
constexpr told_field option[] = {{"value", integer | bytes, "a number if it has four bytes"}};

constexpr told_field address[] = {{"addr", text, "the other end's address"}};
constexpr told_field message[] = {{"msg_flags", list, "names of flags: trunc, ctrunc …"},
                                  {"addr", text, "the sender's address"},
                                  {"control_len", integer, "octets of control data"},
                                  {"rights", integer, "descriptors that came along"}};
constexpr told_field stat[] = {{"stx_mask", list, "names of what was filled in"},
                               {"stx_mode", integer, "type and permissions"},
                               {"stx_nlink", integer, "hard links"},
                               {"stx_uid", integer, "owner"},
                               {"stx_gid", integer, "group"},
                               {"stx_size", integer, "in bytes"},
                               {"stx_blocks", integer, "of 512 bytes"},
                               {"stx_blksize", integer, "for I/O, in bytes"},
                               {"stx_ino", integer, "the inode"}};
constexpr told_field child[] = {{"si_signo", integer, "SIGCHLD"},
                                {"si_code", integer, "CLD_EXITED, CLD_KILLED …"},
                                {"si_status", integer, "exit code or signal"},
                                {"si_pid", integer, "of the child"}};
constexpr told_field events[] = {{"events", list, "each { \"events\": [names], \"data\": N }"}};
constexpr told_field slots[] = {{"slots", list, "those that the kernel picked"}};

constexpr told_field last_op[] = {{"last_op", integer, "probe: the highest opcode"}};
constexpr told_field head[] = {{"head", integer, "pbuf_status: where the kernel is in the group"}};
constexpr told_field workers[] = {{"bounded", integer, "iowq_max_workers: the limit before"},
                                  {"unbounded", integer, "iowq_max_workers: the limit before"}};
constexpr told_field place[] = {{"slot", integer, "ring_fds: among the task's ring descriptors"}};
constexpr told_field polling[] = {{"busy_poll_us", integer, "napi: what it was, in microseconds"},
                                  {"prefer_busy_poll", integer, "napi: what it was"}};
constexpr told_field query[] = {
    {"result", integer, "query: negative if the kernel does not know it"},
    {"size", integer, "query: octets of the kernel's answer"},
    {"request_opcodes", integer, "query: how many there are"},
    {"register_opcodes", integer, "query: how many there are"},
    {"features", integer, "query: bits"},
    {"setup_flags", integer, "query: bits"},
    {"enter_flags", integer, "query: bits"},
    {"sqe_flags", integer, "query: bits"}};

struct call_fields {
  unsigned opcode;
  fields told;
};
constexpr call_fields of_calls[] = {{IORING_REGISTER_PROBE, last_op},
                                    {uring::compat::register_pbuf_status, head},
                                    {IORING_REGISTER_IOWQ_MAX_WORKERS, workers},
                                    {IORING_REGISTER_RING_FDS, place},
                                    {uring::compat::register_napi, polling},
                                    {uring::compat::unregister_napi, polling},
                                    {uring::compat::register_query, query}};

struct step_fields {
  std::string_view step;
  fields told;
};
constexpr step_fields of_steps[] = {
    {"connect", handshake},     {"accept", handshake}, {"start_tls", handshake}, {"recv", datagram},
    {"wait_exit", program_end}, {"exec", program_end}, {"getsockopt", option},
};

fields of_field(const uring::field_row& row) {
  switch (row.kind) {
    case uring::field_kind::address_out:
      return address;
    case uring::field_kind::msg_in:
      return message;
    case uring::field_kind::statx_out:
      return stat;
    case uring::field_kind::siginfo_out:
      return child;
    case uring::field_kind::epoll_events_out:
      return events;
    default:
      return {};
  }
}

std::vector<told_field> of_submission(const uring::op_row& op) {
  std::vector<told_field> all;
  const auto add = [&](fields more) { all.insert(all.end(), more.begin(), more.end()); };
  for (const uring::field_row& row : op.fields) add(of_field(row));
  if (op.opcode == IORING_OP_FILES_UPDATE) add(slots);
  if (op.opcode == IORING_OP_URING_CMD || op.opcode == uring::compat::op_uring_cmd128) add(option);
  return all;
}

}  // namespace

std::vector<told_field> told_fields(const step_row& row) {
  if (row.low_level != nullptr) return of_submission(*row.low_level);
  std::vector<told_field> all;
  const auto add = [&](fields more) { all.insert(all.end(), more.begin(), more.end()); };
  const auto* known = std::ranges::find(of_steps, row.name, &step_fields::step);
  if (known != std::end(of_steps)) add(known->told);
  if (row.name == "register") {
    for (const call_fields& each : of_calls)
      if (each.opcode != uring::compat::unregister_napi) add(each.told);
  }
  // Any stream may speak TLS.
  const bool on_a_stream = row.is(step_trait::works_on) || row.name == "connect";
  if (row.layer == step_layer::stream && on_a_stream) add(failure);
  return all;
}

std::vector<told_field> told_fields(const step_row& row, const step_body& body) {
  const auto as_list = [](fields told) {
    return std::vector<told_field>(told.begin(), told.end());
  };
  if (const auto* call = std::get_if<register_step>(&body)) {
    if (call->row == nullptr) return told_fields(row);  // already refused
    const auto* known = std::ranges::find(of_calls, call->row->opcode, &call_fields::opcode);
    return known == std::end(of_calls) ? std::vector<told_field>{} : as_list(known->told);
  }
  if (const auto* some = std::get_if<recv_datagram_step>(&body))
    return some->count ? std::vector<told_field>{} : as_list(datagram);
  if (std::holds_alternative<recv_step>(body)) return as_list(failure);
  return told_fields(row);
}

const told_field* find_told(std::span<const told_field> all, std::string_view name, span at,
                            const step_row& of, diagnostics& out) {
  const auto found = std::ranges::find(all, name, &told_field::name);
  if (found != all.end()) return &*found;
  std::vector<std::string_view> names;
  for (const told_field& each : all) names.push_back(each.name);
  if (names.empty()) {
    out.error(code::modifier_not_allowed, at, fmt::format("`{}` tells no fields", of.name));
    return nullptr;
  }
  out.error(code::unknown_name, at, fmt::format("`{}` tells no field {}", of.name, in_quotes(name)))
      .help = of.name == "recv" ? "it tells those of a message: { \"message\": NAME }; else " +
                                      suggestion(name, names)
                                : suggestion(name, names);
  return nullptr;
}

bool fits_type(const told_field& field, const node& written) {
  switch (written.kind()) {
    case node_kind::string:
      return has_hole(written.text()) || may_be(field.type, value_type::data);
    case node_kind::integer:
    case node_kind::real:
      return may_be(field.type, value_type::number);
    case node_kind::boolean:
      return may_be(field.type, value_type::boolean);
    case node_kind::array:
      return may_be(field.type, value_type::list);
    default:
      return true;
  }
}

}  // namespace scenarios
