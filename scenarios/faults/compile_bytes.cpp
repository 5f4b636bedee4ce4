// Rules about bytes: behind how many of them, or with what in them; and whether that can be known
// when the fault has to be done.

#include <fmt/format.h>

#include <algorithm>

#include "engine/fault_injector.hpp"
#include "engine/request_data.hpp"
#include "scenarios/faults/compile_rule.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

void tell_unknown(const node& from, diagnostics& out) {
  out.error(code::not_yet_available, from.at(), "this must be known when the file is loaded").help =
      "write the bytes themselves";
}

std::shared_ptr<const stream_pattern> read_exact(const node& from, compile_scope& scope) {
  const std::size_t errors_before = scope.out().error_count();
  const payload data = scope.read_data(from);
  if (scope.out().error_count() != errors_before) return nullptr;
  if (!data.is_constant()) {
    tell_unknown(from, scope.out());
  } else if (data.constant().empty()) {
    scope.out().error(code::empty_value, from.at(), "there is nothing to look for");
  } else {
    return stream_pattern::exact(std::string(data.constant()));
  }
  return nullptr;
}

uring::data_way way_of(std::uint8_t opcode) {
  io_uring_sqe sqe{};
  sqe.opcode = opcode;
  return uring::way_of(sqe);
}

}  // namespace

void fault_compiler::compile_bytes(const checked_object& when) {
  if (const node* bytes = when.find("after_bytes")) {
    const auto count = scope_.read_integer(*bytes, {0, INT64_MAX}, "\"after_bytes\"");
    if (count) made_.when.bytes.after_bytes = static_cast<std::uint64_t>(*count);
  }
  if (const node* match = when.find("match")) compile_match(*match);
  if (made_.when.bytes.any()) check_bytes();
}

void fault_compiler::compile_match(const node& match) {
  std::shared_ptr<const stream_pattern>& made = made_.when.bytes.match;
  if (match.is(node_kind::string)) {
    made = read_exact(match, scope_);
    return;
  }
  const checked_object keys(match, keys::fault_match, out_);
  if (!keys.sound()) return;
  const node* text = keys.find("text");
  const node* regex = keys.find("regex");
  if (match.members().size() != 1) {
    out_.error(code::conflicting_keys, match.at(), "a match is one of text, hex and regex");
  } else if (regex != nullptr) {
    std::string reason;
    made = stream_pattern::regex(regex->text(), reason);
    if (made == nullptr)
      out_.error(code::bad_regex, regex->at(), fmt::format("this can't be looked for: {}", reason));
  } else {
    made = read_exact(text != nullptr ? *text : match, scope_);
  }
}

/// What a rule about bytes needs: operations that move some, and to know of them in time.
void fault_compiler::check_bytes() {
  const std::vector<std::uint8_t> victims = opcodes();
  if (victims.empty()) return;
  const auto goes = [](uring::data_way wanted) {
    return [wanted](std::uint8_t opcode) { return way_of(opcode) == wanted; };
  };
  const bool sends = std::ranges::any_of(victims, goes(uring::data_way::out));
  const bool receives = std::ranges::any_of(victims, goes(uring::data_way::in));
  const fault_where& where = made_.where;
  const std::string what = where.op.empty()
                               ? "what this hits"
                               : fmt::format("{}{}", where.submissions ? "sqe." : "", where.op);
  if (!sends && !receives) {
    out_.error(code::rule_cannot_match, when_at_, fmt::format("{} moves no bytes", what)).help =
        "`after_bytes` and `match` are about what is sent and received";
    return;
  }
  const uring::cqe_effect* effect = made_.completion();
  if (sends || effect == nullptr || made_.when.bytes.match == nullptr) return;
  // Of any of them: what a fault does to receiving does not depend on the opcode.
  io_uring_sqe sqe{};
  sqe.opcode = *std::ranges::find_if(victims, goes(uring::data_way::in));
  if (!uring::acts_at_submission(*effect, sqe)) return;
  out_.error(code::fault_not_applicable, when_at_,
             fmt::format("what {} brings is known when it has come, and {} acts before", what,
                         row_->name))
      .help =
      "\"point\": \"after\", where the fault has it, acts on what has come; `after_bytes` hits the "
      "operation that begins behind so many bytes";
}

}  // namespace scenarios
