#include "reports/result_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "engine/errno_name.hpp"
#include "engine/flag_sets.hpp"
#include "scenarios/visible.hpp"

namespace reports {

using scenarios::res_kind;
using scenarios::step_result;
using scenarios::visible;

namespace {

/// nullptr for what is no errno, or one without a name.
const char* error_name(std::int64_t res) {
  return res < 0 && res >= -4095 ? uring::errno_name(static_cast<int>(-res)) : nullptr;
}

const std::string& descriptor_name(const std::string& name) {
  static const std::string nameless = "<fd>";
  return name.empty() ? nameless : name;
}

/// The data of a step in a few columns: what it received, or else what it sent.
std::string data_text(const step_result& step, std::size_t width) {
  if (step.data) {
    const bool nothing = step.data->is(scenarios::value_type::data) && step.data->data().empty();
    return nothing ? std::string() : scenarios::describe(*step.data, width);
  }
  if (!step.sent || step.sent->empty()) return {};
  if (step.sent_bytes == step.sent->size()) return scenarios::describe_data(*step.sent, width);
  // Only the beginning is kept.
  constexpr std::size_t enough = 16;
  const auto begin = std::string_view(*step.sent).substr(0, enough);
  return fmt::format("{} … ({} bytes)", scenarios::describe_data(begin, width), step.sent_bytes);
}

}  // namespace

nlohmann::json result_node(std::int64_t res, res_kind kind, const std::string& name) {
  if (const char* error = error_name(res)) return error;
  if (res < 0) return res;
  if (kind == res_kind::descriptor) return descriptor_name(name);
  if (kind == res_kind::mask) {
    return uring::flag_names(uring::flags::poll_events, static_cast<std::uint64_t>(res));
  }
  return res;
}

std::string result_text(std::int64_t res, res_kind kind, const std::string& name) {
  if (const char* error = error_name(res)) return fmt::format("-{}", error);
  if (res < 0) return fmt::format("{}", res);
  if (kind == res_kind::descriptor) return visible(descriptor_name(name));
  if (kind == res_kind::mask) {
    return uring::flags_text(uring::flags::poll_events, static_cast<std::uint64_t>(res));
  }
  return fmt::format("{}", res);
}

std::string came_text(const step_result& step, std::size_t width) {
  std::string text;
  if (step.res) text = result_text(*step.res, step.res_is, step.res_name);
  if (const std::string data = data_text(step, width); !data.empty()) {
    text += text.empty() ? data : ' ' + data;
  }
  // These say no more than the result does.
  const bool plain = step.outcome.empty() || step.outcome == "ok" || step.outcome == "error" ||
                     (step.outcome == "cancelled" && step.res == -ECANCELED);
  if (plain && !text.empty()) return text;
  if (text.empty()) return visible(step.outcome);
  return fmt::format("{} ({})", text, visible(step.outcome));
}

std::string step_text(const step_result& step, std::size_t width) {
  std::string text = visible(step.op);
  const bool ended = step.ended_ns >= 0;
  const bool has_data = ended && !data_text(step, width).empty();
  // Data says what the argument says, and more; what is not evaluated says nothing.
  if (!has_data && step.note.find("${") == std::string::npos && !step.note.empty()) {
    text += ' ' + visible(step.note);
  }
  if (step.status == scenarios::step_status::not_run && ended) return text + " (not run)";
  if (!ended) return step.started_ns < 0 ? text : text + " …";
  if (step.attempts > 1) text += fmt::format(" (attempt {})", step.attempts);
  if (step.status == scenarios::step_status::not_judged) return text + " (cut short)";
  const std::string came = came_text(step, width);
  // A barrier's 0 is no result of anything that was submitted.
  const bool idle = step.res == 0 && step.completions.empty() && !step.note.empty();
  if (came.empty() || came == "ok" || (idle && came == "0")) return text;
  return fmt::format("{} → {}", text, came);
}

bool tells_nothing(const step_result& step, const scenarios::completion_event& completion) {
  return !step.low_level && completion.kind == uring::request_kind::link_timeout &&
         completion.res == -ECANCELED;
}

std::string step_place(const scenarios::actor_result& actor, const step_result& step) {
  return fmt::format("{} step {} {}", visible(actor.name), visible(step.path), visible(step.op));
}

std::string milliseconds(std::int64_t ns) {
  const std::int64_t us = std::max<std::int64_t>(ns, 0) / 1000;
  return fmt::format("{}.{:03}", us / 1000, us % 1000);
}

std::string offset_text(std::int64_t ns) {
  const std::int64_t us = std::max<std::int64_t>(ns, 0) / 1000;
  return fmt::format("+{}.{} ms", us / 1000, us % 1000 / 100);
}

std::string duration_text(std::int64_t ns) {
  const std::int64_t us = std::max<std::int64_t>(ns, 0) / 1000;
  if (us < 1'000) return fmt::format("0.{:02} ms", us / 10);
  if (us < 10'000) return fmt::format("{}.{} ms", us / 1000, us % 1000 / 100);
  if (us < 10'000'000) return fmt::format("{} ms", us / 1000);
  return fmt::format("{}.{} s", us / 1'000'000, us % 1'000'000 / 100'000);
}

}  // namespace reports
