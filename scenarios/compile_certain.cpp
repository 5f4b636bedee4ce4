// What can be known to fail before anything runs: expectations that contradict the step's own
// bounds, names that nothing can have, and steps on connections that the steps before them have
// closed.
//
// Only what is certain is told. A step that says how it fails (`expect`), that may not run
// (`when`), or that is no `must` is let through: to send on a closed connection is a test, too.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "engine/flag_sets.hpp"
#include "engine/kernel_compat.hpp"
#include "scenarios/codec.hpp"
#include "scenarios/compile_strand.hpp"
#include "scenarios/make_table.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr std::size_t udp_bytes_max = 65'507, udp6_bytes_max = 65'527;

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

/// Why a recv that ends well can't have this data, or "".
std::string contradiction(const recv_step& step, const std::string& data) {
  using mode = recv_step::mode;
  const std::optional<std::int64_t> count = constant_count(step);
  const auto size = static_cast<std::int64_t>(data.size());
  switch (step.how) {
    case mode::exactly:
      return count && *count != size
                 ? fmt::format("`exactly` takes {} bytes, and {} are expected", *count, size)
                 : "";
    case mode::at_least:
      return count && *count > size
                 ? fmt::format("`at_least` takes {} bytes, and only {} are expected", *count, size)
                 : "";
    case mode::some:
      return count && *count < size
                 ? fmt::format("`some` takes {} bytes at most, and {} are expected", *count, size)
                 : "";
    case mode::line:
      if (data.find('\n') != std::string::npos)
        return "a line has no line end in it: it is left out";
      break;
    case mode::until:
      if (step.delimiter.is_constant() && !data.ends_with(step.delimiter.constant()))
        return fmt::format(
            "`until` takes the delimiter {}, too, and the data that is expected "
            "does not end with it",
            describe_data(step.delimiter.constant(), 20));
      break;
    default:
      return {};
  }
  if (data.size() > step.max)
    return fmt::format("`max` is {}, and {} bytes are expected", step.max, data.size());
  return {};
}

std::optional<std::int64_t> size_of(const payload& data) {
  if (!data.is_constant()) return std::nullopt;
  return static_cast<std::int64_t>(data.constant().size());
}

/// What its one completion has at most: the room, or the data that is there.
std::optional<std::int64_t> most_of(const sqe_step& step) {
  if (step.row == nullptr || step.multishot) return std::nullopt;
  // A NOP is told what to come to.
  if (step.row->result == uring::result_kind::none &&
      step.row->success == uring::success_rule::zero && step.row->opcode != IORING_OP_NOP &&
      step.row->opcode != uring::compat::op_nop128)
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

bool works_on_connection(const step_body& body) {
  return std::holds_alternative<send_step>(body) || std::holds_alternative<recv_step>(body) ||
         std::holds_alternative<half_close_step>(body) ||
         std::holds_alternative<close_step>(body) || std::holds_alternative<rst_step>(body) ||
         std::holds_alternative<start_tls_step>(body) ||
         std::holds_alternative<stop_tls_step>(body) ||
         std::holds_alternative<trickle_step>(body) || std::holds_alternative<split_step>(body) ||
         std::holds_alternative<stall_reads_step>(body);
}

bool sends(const step_body& body) {
  return std::holds_alternative<send_step>(body) || std::holds_alternative<trickle_step>(body) ||
         std::holds_alternative<split_step>(body);
}

}  // namespace

bool holds_others(const step_body& body) {
  return std::holds_alternative<repeat_step>(body) || std::holds_alternative<for_step>(body) ||
         std::holds_alternative<while_step>(body) || std::holds_alternative<loop_step>(body) ||
         std::holds_alternative<if_step>(body) || std::holds_alternative<parallel_step>(body) ||
         std::holds_alternative<call_step>(body) || std::holds_alternative<join_step>(body);
}

bool must_end_well(const step_plan& step) {
  return !step.expect && step.severity == step_severity::must && !step.retry;
}

namespace {

/// What the steps of one list have done to their connections, in the order in which they run.
class conversation {
 public:
  explicit conversation(diagnostics& out) : out_(out) {}

  void follow(const step_plan& step) {
    // A single submission may close anything.
    if (holds_others(step.body) || std::holds_alternative<chain_step>(step.body) ||
        std::holds_alternative<sqe_step>(step.body))
      done_.clear();
    for (const std::uint32_t made : step.as_more) done_.erase(made);
    done_.erase(step.as_handle);
    if (step.handle == no_index || !works_on_connection(step.body)) return;
    // Below TLS the connection is open, whatever its end of stream was.
    if (std::holds_alternative<stop_tls_step>(step.body)) done_.erase(step.handle);
    if (step.when || step.async != no_index) {
      done_.erase(step.handle);
      return;
    }
    if (const auto known = done_.find(step.handle); known != done_.end())
      check(step, *known->second);
    if (!must_end_well(step)) return;
    if (std::holds_alternative<close_step>(step.body) ||
        std::holds_alternative<rst_step>(step.body) ||
        (std::holds_alternative<half_close_step>(step.body) && !done_.contains(step.handle)))
      done_[step.handle] = &step;
  }

 private:
  void check(const step_plan& step, const step_plan& before) {
    const bool half = std::holds_alternative<half_close_step>(before.body);
    if (!must_end_well(step) || (half && !sends(step.body))) return;
    diagnostic& told = out_.error(
        code::misplaced_step, step.op_at,
        half ? fmt::format("`{}` after `half_close` can't succeed: nothing is sent any more",
                           step.op)
             : fmt::format("`{}` can't succeed: the connection was closed before", step.op));
    told.notes.push_back(fmt::format("by `{}` in line {}", before.op,
                                     before.op_at.in->locate(before.op_at.begin).line));
    told.help = half ? "if that is what is tested, say \"expect\": \"EPIPE\""
                     : "if that is what is tested, say with `expect` how it fails";
  }

  diagnostics& out_;
  std::map<std::uint32_t, const step_plan*> done_;
};

}  // namespace

void check_bounds(strand_context& in, const step_plan& of) {
  const auto* step = std::get_if<recv_step>(&of.body);
  // What --bless is to write may stand for anything until then.
  if (step == nullptr || !of.expect || !of.expect->data || in.in().files.bless) return;
  const expectation& wanted = *of.expect;
  // Cut short it may have any part of the data.
  if (wanted.outcome || wanted.res || of.severity != step_severity::must || of.when) return;
  const std::optional<std::string> data = literal_of(*wanted.data);
  if (!data) return;
  const std::string why = contradiction(*step, *data);
  if (why.empty()) return;
  in.out().error(code::value_out_of_range, wanted.data->at(), why).help =
      "a recv that ends well never has this data";
}

void check_result(strand_context& in, const step_plan& of) {
  const auto& wanted = of.expect->res;
  // What a fault makes of a result is its own affair.
  if (!wanted || in.in().has_faults || in.in().files.bless) return;
  const std::optional<std::int64_t> most = most_of(of.body);
  const number_range range = wanted->range();
  if (!most || range.min <= *most) return;
  in.out()
      .error(code::value_out_of_range, of.expect->res_at,
             fmt::format("`{}` comes to {} at most, and {} is expected", of.op, *most,
                         wanted->describe()))
      .help = "say what it comes to, or make it larger";
}

void check_expected_end(strand_context& in, const step_plan& of, const step_row& row) {
  using enum step_outcome;
  const auto& wanted = of.expect->outcome;
  // A fault may end anything in any way.
  if (!wanted || row.layer != step_layer::stream || in.in().has_faults) return;
  const bool late = *wanted == timed_out || *wanted == ok_after_timeout;
  const bool cut = *wanted == cancelled || *wanted == ok_after_cancel;
  const bool may_be_late = of.timeout.has_value();
  const bool may_be_cut = of.cancel_after || of.async != no_index;
  if ((!late || may_be_late) && (!cut || may_be_cut)) return;
  in.out()
      .error(code::value_out_of_range, of.expect->outcome_at,
             fmt::format("`{}` never ends as {}: nothing {} it", of.op, step_outcome_name(*wanted),
                         late ? "bounds" : "cancels"))
      .help = late ? "give it a \"timeout\""
                   : "give it \"cancel_after\", or make it \"async\" for a `cancel` step";
}

void check_conversation(strand_context& in, const block& steps) {
  conversation all(in.out());
  for (const step_plan& step : steps) all.follow(step);
}

void check_datagram_size(strand_context& in, const step_plan& of) {
  const auto* step = std::get_if<send_step>(&of.body);
  if (step == nullptr || !must_end_well(of) || !step->data.is_constant()) return;
  const bool to_udp = step->to && step->to->is_constant() &&
                      step->to->constant().is(value_type::data) &&
                      step->to->constant().data().starts_with("udp://");
  const bool from_udp = in.is_udp_peer() && of.handle == 0;
  const bool to_known = to_udp && !step->to->constant().data().starts_with("udp://[");
  const std::size_t most = to_known ? udp_bytes_max : udp6_bytes_max;
  if ((!to_udp && !from_udp) || step->data.constant().size() <= most) return;
  in.out()
      .error(code::value_out_of_range, of.op_at,
             fmt::format("a datagram of UDP has at most {} bytes, and these are {}", most,
                         step->data.constant().size()))
      .help = "if that is what is tested, say \"expect\": \"EMSGSIZE\"";
}

/// How many descriptors the step can have made when it has ended; none if that has no bound.
static std::optional<std::size_t> descriptors_made(const step_plan& of) {
  if (const auto* make = std::get_if<make_step>(&of.body))
    return make->row != nullptr ? std::optional(make->row->makes) : std::nullopt;
  const auto* sqe = std::get_if<sqe_step>(&of.body);
  if (sqe == nullptr) return 1;
  if (sqe->row == nullptr || sqe->multishot) return std::nullopt;
  return sqe->row->result == uring::result_kind::descriptor ? 1 : 2;
}

/// A name that no descriptor can get would never be published, and who waits for it, for ever.
void check_number_of_names(strand_context& in, const step_plan& of, const node& as) {
  const std::optional<std::size_t> made = descriptors_made(of);
  const std::size_t names = as.is(node_kind::string) ? 1 : as.items().size();
  if (!made || names <= *made) return;
  const node& first = as.is(node_kind::string) ? as : as.items()[*made];
  const auto* make = std::get_if<make_step>(&of.body);
  const std::string what = make != nullptr ? fmt::format("{} {}", of.op, make->row->name) : of.op;
  const char* plural = *made == 1 ? "" : "s";
  in.out()
      .error(code::wrong_type, first.at(),
             *made == 0 ? fmt::format("`{}` makes nothing that can be named", what)
                        : fmt::format("`{}` makes {} descriptor{}, and `as` names {}", what, *made,
                                      plural, names))
      .help =
      *made == 0 ? "leave out `as`" : fmt::format("name {} descriptor{} at most", *made, plural);
}

}  // namespace scenarios
