// Expectations that contradict their own step: no run can meet them, whatever the other end does.
//
// Only what is certain is told; what a fault makes of a step is its own affair. Each alternative of
// an any_of is held against the step by itself: one that can't come says nothing.

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/flag_sets.hpp"
#include "engine/kernel_compat.hpp"
#include "scenarios/codec.hpp"
#include "scenarios/compile_strand.hpp"
#include "scenarios/may_multishot.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

/// The octets that are expected where they stand in the file as they are.
std::optional<std::string> literal_of(const matcher& wanted) {
  const std::optional<plain_value> plain = wanted.plain();
  if (!plain || plain->at.in == nullptr || plain->how == plain_value::form::golden)
    return std::nullopt;
  const auto read = nlohmann::json::parse(plain->at.text(), nullptr, false);
  const bool is_object = read.is_object() && read.size() == 1 && read.contains("hex");
  const nlohmann::json& text = is_object ? read["hex"] : read;
  if (!text.is_string()) return std::nullopt;
  auto written = text.get<std::string>();
  if (is_object || plain->how == plain_value::form::hex) {
    decoded octets = from_hex(written);
    return octets ? std::optional(std::move(octets.bytes)) : std::nullopt;
  }
  if (written.find('$') != std::string::npos) return std::nullopt;
  return written;
}

std::optional<std::int64_t> constant_count(const recv_step& step) {
  if (!step.has_count || !step.count.is_constant() ||
      !step.count.constant().is(value_type::integer))
    return std::nullopt;
  return step.count.constant().integer();
}

bool ends_early(step_outcome outcome) {
  return outcome == step_outcome::timed_out || outcome == step_outcome::cancelled ||
         outcome == step_outcome::interrupted || outcome == step_outcome::eof;
}

/// "5", "at least 5", "at most 5": how many bytes a matcher takes.
std::string words_of(const number_range& lengths) {
  if (lengths.min == lengths.max) return std::to_string(lengths.min);
  return lengths.max == INT64_MAX ? fmt::format("at least {}", lengths.min)
                                  : fmt::format("at most {}", lengths.max);
}

/// Why a recv that ends well never has data of these lengths, or "".
std::string wrong_length(const recv_step& step, const number_range& lengths) {
  using mode = recv_step::mode;
  const std::optional<std::int64_t> count = constant_count(step);
  switch (step.how) {
    case mode::exactly:
      if (count && (*count < lengths.min || *count > lengths.max))
        return fmt::format("`exactly` takes {} bytes, and {} are expected", *count,
                           words_of(lengths));
      return {};
    case mode::at_least:
      if (count && *count > lengths.max)
        return fmt::format("`at_least` takes {} bytes, and only {} are expected", *count,
                           lengths.max);
      return {};
    case mode::some:
      if (count && *count < lengths.min)
        return fmt::format("`some` takes {} bytes at most, and {} are expected", *count,
                           words_of(lengths));
      return {};
    case mode::line:
    case mode::until:
    case mode::eof:
      if (lengths.min > static_cast<std::int64_t>(step.max))
        return fmt::format("`max` is {}, and {} bytes are expected", step.max, words_of(lengths));
      return {};
    default:
      return {};
  }
}

/// The same of what stands in it.
std::string wrong_content(const recv_step& step, const std::string& data) {
  using mode = recv_step::mode;
  if (step.how == mode::line && data.find('\n') != std::string::npos)
    return "a line has no line end in it: it is left out";
  if (step.how == mode::until && step.delimiter.is_constant() &&
      !data.ends_with(step.delimiter.constant()))
    return fmt::format(
        "`until` takes the delimiter {}, too, and the data that is expected "
        "does not end with it",
        describe_data(step.delimiter.constant(), 20));
  return {};
}

std::optional<std::int64_t> size_of(const payload& data) {
  if (!data.is_constant()) return std::nullopt;
  return static_cast<std::int64_t>(data.constant().size());
}

/// A NOP is told what to come to.
bool is_nop(const uring::op_row& row) {
  return row.opcode == IORING_OP_NOP || row.opcode == uring::compat::op_nop128;
}

/// What its one completion has at most: the room, or the data that is there.
std::optional<std::int64_t> most_of(const sqe_step& step) {
  if (step.row == nullptr || step.multishot) return std::nullopt;
  if (step.row->result == uring::result_kind::none &&
      step.row->success == uring::success_rule::zero && !is_nop(*step.row))
    return 0;
  // With `trunc` it tells how much there was.
  const auto says_how = [](const sqe_field& f) { return f.row->flags == &uring::flags::msg_flags; };
  if (step.row->result != uring::result_kind::bytes || std::ranges::any_of(step.fields, says_how))
    return std::nullopt;
  for (const sqe_field& field : step.fields) {
    if (field.row->kind == uring::field_kind::data_out && field.data) return size_of(*field.data);
    // No room of its own: it takes a buffer of the group.
    if (field.row->kind == uring::field_kind::buffer_in && field.is_constant && field.constant != 0)
      return static_cast<std::int64_t>(field.constant);
  }
  return std::nullopt;
}

/// The largest result that a step can have; none where that is not known.
std::optional<std::int64_t> most_of(const step_body& body) {
  using mode = recv_step::mode;
  if (const auto* recv = std::get_if<recv_step>(&body)) {
    const bool bounded = recv->how == mode::exactly || recv->how == mode::some;
    return bounded ? constant_count(*recv) : std::nullopt;
  }
  if (const auto* send = std::get_if<send_step>(&body)) return size_of(send->data);
  if (const auto* sqe = std::get_if<sqe_step>(&body)) return most_of(*sqe);
  return std::nullopt;
}

/// It ends with a number that is no error, or with an error, and not with both.
bool tells_errors(const step_row& row, const step_body& body) {
  const auto* single = std::get_if<sqe_step>(&body);
  if (single == nullptr) return row.layer == step_layer::stream;
  if (single->row == nullptr || single->multishot || is_nop(*single->row)) return false;
  using enum uring::success_rule;
  const uring::success_rule rule = single->row->success;
  return rule == zero || rule == non_negative || rule == positive;
}

class contradiction_finder {
 public:
  contradiction_finder(strand_context& in, const step_plan& of, const step_row& row)
      : in_(in), of_(of), row_(row) {}

  void check(const expectation& wanted) {
    for (const expectation& each : wanted.any_of) check(each);
    check_data(wanted);
    // What --bless is to write may stand for anything until then.
    if (in_.in().has_faults || in_.in().files.bless) return;
    check_end(wanted);
    check_result(wanted);
    check_completions(wanted);
  }

 private:
  void tell(span at, std::string message, std::string help) {
    in_.out().error(code::contradiction, at, std::move(message)).help = std::move(help);
  }

  void check_data(const expectation& wanted) {
    const auto* recv = std::get_if<recv_step>(&of_.body);
    const bool is_open = of_.severity != step_severity::must || of_.when || in_.in().files.bless;
    if (recv == nullptr || !wanted.data || is_open || wanted.res) return;
    const number_range lengths = wanted.data->lengths();
    if (wanted.outcome && ends_early(*wanted.outcome)) return check_cut(*recv, wanted, lengths);
    if (wanted.outcome && *wanted.outcome != step_outcome::ok) return;
    std::string why = wrong_length(*recv, lengths);
    if (const auto data = literal_of(*wanted.data); why.empty() && data)
      why = wrong_content(*recv, *data);
    if (!why.empty())
      tell(wanted.data->at(), std::move(why), "a recv that ends well never has this data");
  }

  /// Cut short it has less than it waits for: with all of it, it would have ended well.
  void check_cut(const recv_step& recv, const expectation& wanted, const number_range& lengths) {
    const bool waits =
        recv.how == recv_step::mode::exactly || recv.how == recv_step::mode::at_least;
    const auto count = constant_count(recv);
    if (!waits || !count || lengths.min < *count) return;
    tell(wanted.data->at(),
         fmt::format("a recv that waits for {} bytes never ends as {} with {}", *count,
                     step_outcome_name(*wanted.outcome), words_of(lengths)),
         "with all that it waits for it ends as ok, or as ok_after_timeout");
  }

  /// A step ends late, or is cancelled, only where something makes it.
  void check_end(const expectation& wanted) {
    using enum step_outcome;
    if (!wanted.outcome || row_.layer != step_layer::stream) return;
    const bool late = *wanted.outcome == timed_out || *wanted.outcome == ok_after_timeout;
    const bool cut = *wanted.outcome == cancelled || *wanted.outcome == ok_after_cancel;
    const bool may_be_cut = of_.cancel_after || of_.async != no_index;
    if ((!late || of_.timeout) && (!cut || may_be_cut)) return;
    tell(wanted.outcome_at,
         fmt::format("`{}` never ends as {}: nothing {} it", of_.op,
                     step_outcome_name(*wanted.outcome), late ? "bounds" : "cancels"),
         late ? "give it a \"timeout\""
              : "give it \"cancel_after\", or make it \"async\" for a `cancel` step");
  }

  void check_result(const expectation& wanted) {
    if (!wanted.res) return;
    const number_range range = wanted.res->range();
    const std::optional<std::int64_t> most = most_of(of_.body);
    if (most && range.min > *most)
      return tell(wanted.res_at,
                  fmt::format("`{}` comes to {} at most, and {} is expected", of_.op, *most,
                              wanted.res->describe()),
                  "say what it comes to, or make it larger");
    if (!wanted.outcome || !tells_errors(row_, of_.body)) return;
    const bool well = *wanted.outcome == step_outcome::ok;
    const bool badly = *wanted.outcome == step_outcome::error;
    if ((well && range.max < 0) || (badly && range.min >= 0))
      tell(wanted.res_at,
           fmt::format("`{}` never ends as {} with {}", of_.op, step_outcome_name(*wanted.outcome),
                       wanted.res->describe()),
           well ? "an errno is an error: leave \"outcome\" out, or expect \"error\""
                : "an error has an errno: leave \"outcome\" out, or expect \"ok\"");
  }

  void check_completions(const expectation& wanted) {
    const std::optional<std::uint64_t> number = completions_of(of_);
    if (!wanted.cqes || !number || wanted.cqes->size() == *number) return;
    tell(wanted.cqes_at,
         fmt::format("`{}` has {} completion{}, and {} {} expected", of_.op, *number,
                     *number == 1 ? "" : "s", wanted.cqes->size(),
                     wanted.cqes->size() == 1 ? "is" : "are"),
         "\"cqes\" lists all of them");
  }

  strand_context& in_;
  const step_plan& of_;
  const step_row& row_;
};

}  // namespace

std::optional<std::uint64_t> completions_of(const step_plan& of) {
  if (of.timeout || of.cancel_after || of.retry) return std::nullopt;
  if (const auto* chain = std::get_if<chain_step>(&of.body)) {
    const bool each_once = std::ranges::all_of(
        chain->members, [](const step_plan& member) { return completions_of(member) == 1; });
    return each_once ? std::optional(chain->members.size()) : std::nullopt;
  }
  const auto* single = std::get_if<sqe_step>(&of.body);
  if (single == nullptr || single->row == nullptr || may_multishot(*single)) return std::nullopt;
  const bool any_opcode = single->row->name.starts_with("uring_cmd");
  const bool may_skip = (of.sqe_flags & IOSQE_CQE_SKIP_SUCCESS) != 0;
  if (any_opcode || may_skip || single->row->shot == uring::shots::zero_copy) return std::nullopt;
  // A bundle is one submission of several sends.
  const bool may_bundle = std::ranges::any_of(single->fields, [](const sqe_field& field) {
    return field.row->at == uring::sqe_member::ioprio;
  });
  return may_bundle ? std::nullopt : std::optional<std::uint64_t>(1);
}

void check_contradictions(strand_context& in, const step_plan& of, const step_row& row) {
  if (of.expect) contradiction_finder(in, of, row).check(*of.expect);
}

}  // namespace scenarios
