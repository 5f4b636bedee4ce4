// Rules about bytes: behind how many of them, or with what in them; and whether that can be known
// when the fault has to be done.

#include <fmt/format.h>

#include <algorithm>

#include "engine/fault_injector.hpp"
#include "engine/request_data.hpp"
#include "scenarios/faults/compile_rule.hpp"
#include "scenarios/visible.hpp"
#include "scenarios/wire/stream_when.hpp"

namespace scenarios {
namespace {

uring::data_way way_of(std::uint8_t opcode) {
  io_uring_sqe sqe{};
  sqe.opcode = opcode;
  return uring::way_of(sqe);
}

}  // namespace

void fault_compiler::compile_bytes(const checked_object& when) {
  made_.when.bytes = read_stream_condition(when, scope_);
  if (made_.when.bytes.any() && !is_wire()) check_bytes();
}

/// What a rule about bytes needs: operations that move some, and to know of them in time.
void fault_compiler::check_bytes() {
  std::vector<std::uint8_t> victims = opcodes();
  // What can't suffer the fault at all is told elsewhere, and moves its bytes for others.
  const uring::cqe_effect* effect = made_.completion();
  if (effect != nullptr)
    std::erase_if(victims, [&](std::uint8_t opcode) {
      return !uring::can_suffer(uring::op(opcode), effect->type);
    });
  if (victims.empty()) return;
  const auto goes = [](uring::data_way wanted) {
    return [wanted](std::uint8_t opcode) { return way_of(opcode) == wanted; };
  };
  const bool sends = std::ranges::any_of(victims, goes(uring::data_way::out));
  const bool receives = std::ranges::any_of(victims, goes(uring::data_way::in));
  const fault_where& where = made_.where;
  const std::string what = where.op.empty()
                               ? "no operation that this could hit"
                               : fmt::format("{}{}", where.submissions ? "sqe." : "", where.op);
  if (!sends && !receives) {
    out_.error(code::rule_cannot_match, when_at_,
               fmt::format("{} moves {}bytes", what, where.op.empty() ? "" : "no "))
        .help = "`after_bytes` and `match` are about what is sent and received";
    return;
  }
  if (sends || effect == nullptr || made_.when.bytes.match == nullptr) return;
  // Of any of them: what a fault does to receiving does not depend on the opcode.
  io_uring_sqe sqe{};
  sqe.opcode = *std::ranges::find_if(victims, goes(uring::data_way::in));
  if (!uring::acts_at_submission(*effect, sqe)) return;
  out_.error(
          code::fault_not_applicable, when_at_,
          fmt::format("what {} is known when it has come, and {} acts before",
                      where.op.empty() ? std::string("is received") : what + " brings", row_->name))
      .help =
      "\"point\": \"after\", where the fault has it, acts on what has come; `after_bytes` hits the "
      "operation that begins behind so many bytes";
}

}  // namespace scenarios
