// What the checks of the whole know of a step: how often it submits, and how many bytes it sends.
//
// Upper bounds, for rules of faults that wait for more than can come (faults/compile_reach.cpp).
// What is not certain is left open: a step that is left out by `when`, fails or is cancelled does
// less, never more.

#include <algorithm>

#include "engine/request_data.hpp"
#include "scenarios/compile_case.hpp"
#include "scenarios/endpoint.hpp"
#include "scenarios/may_multishot.hpp"

namespace scenarios {
namespace {

bool may_send(const step_row& row) {
  return std::ranges::any_of(row.opcodes, [](std::uint8_t opcode) {
    io_uring_sqe sqe{};
    sqe.opcode = opcode;
    switch (opcode) {
      // Between two descriptors.
      case IORING_OP_SPLICE:
      case IORING_OP_TEE:
        return true;
      default:
        return uring::way_of(sqe) == uring::data_way::out;
    }
  });
}

/// To where it connects nobody speaks TLS, whose handshake would be bytes, too. A proxy carries
/// what comes.
bool is_plain(const case_context& in, const connect_step& connect) {
  if (connect.tls != nullptr || !connect.to.is_valid()) return false;
  if (connect.to.is_constant()) {
    const auto known = known_endpoint(connect.to);
    return known && !known->tls;
  }
  const auto reads = connect.to.reads();
  if (reads.size() != 1 || reads.front().space != shared_space) return false;
  const std::uint32_t slot = reads.front().index;
  const auto listener = in.tls_at.find(slot);
  if (listener != in.tls_at.end()) return listener->second == false;
  return std::ranges::any_of(in.into.proxies,
                             [&](const relay_plan& each) { return each.addr.shared == slot; });
}

std::optional<std::uint64_t> bytes_of(const case_context& in, const step_row& row,
                                      const step_plan& of) {
  if (const auto* send = std::get_if<send_step>(&of.body)) {
    if (!send->data.is_constant() || of.retry) return std::nullopt;
    return send->data.constant().size();
  }
  if (const auto* connect = std::get_if<connect_step>(&of.body)) {
    if (is_plain(in, *connect)) return 0;
    return std::nullopt;
  }
  const bool any_opcode = row.low_level != nullptr &&
                          (row.low_level->name == "raw" || row.low_level->name == "uring_cmd");
  if (any_opcode || may_send(row) || row.layer == step_layer::process) return std::nullopt;
  return 0;
}

}  // namespace

step_seen see_step(const case_context& in, std::string actor, const step_row& row,
                   const step_plan& of, bool once) {
  step_seen made;
  made.actor = std::move(actor);
  made.id = of.id;
  made.row = &row;
  made.at = of.op_at;
  made.ring = of.ring;
  made.once = once;
  made.retried = of.retry.has_value();
  const auto* single = std::get_if<sqe_step>(&of.body);
  made.may_multishot = single != nullptr && may_multishot(*single);
  made.bytes_out = bytes_of(in, row, of);
  made.handle = of.handle;
  made.makes_connection =
      of.as_handle == 0 || std::ranges::find(of.as_more, 0U) != of.as_more.end();
  return made;
}

}  // namespace scenarios
