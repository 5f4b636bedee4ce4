#include "reports/report_nodes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/flag_sets.hpp"
#include "reports/result_text.hpp"
#include "scenarios/codec.hpp"
#include "scenarios/codes.hpp"

namespace reports {

using nlohmann::json;
using scenarios::completion_event;
using scenarios::step_result;
using scenarios::step_status;
using scenarios::submission_event;

namespace {

// Above this, data is written as its beginning, its length and its checksum: a report is read by
// people and kept by CI systems, and that it differs is told by the checksum.
constexpr std::size_t data_bytes_max = 64U << 10U;
constexpr std::size_t data_bytes_shown = 4U << 10U;

constexpr std::uint32_t flag_buffer = 1U << 0U;
constexpr std::uint32_t flag_more = 1U << 1U;
constexpr std::uint32_t flag_sock_nonempty = 1U << 2U;
constexpr std::uint32_t flag_bits = 0xffff;  // above them is the buffer's number
constexpr unsigned buffer_shift = 16;

/// Not in the middle of a code point, or text would come out as hex.
std::string_view beginning(std::string_view octets) {
  std::size_t end = data_bytes_shown;
  while (end > 0 && (static_cast<unsigned char>(octets[end]) & 0xC0U) == 0x80U) --end;
  return octets.substr(0, end);
}

template <typename Event>
std::vector<const Event*> sorted(const std::vector<Event>& events, bool by_request) {
  std::vector<const Event*> out;
  out.reserve(events.size());
  for (const Event& event : events) out.push_back(&event);
  std::ranges::sort(out, {}, [&](const Event* event) {
    return std::pair(by_request ? static_cast<int>(event->kind) : 0, event->order);
  });
  return out;
}

}  // namespace

template <typename Fields>
void node_writer::node(Fields fields) {
  to_.open_object();
  fields(half::firm);
  if (all_) to_.object_unless_empty("volatile", [&] { fields(half::loose); });
  to_.close();
}

template <typename Nodes, typename Write>
void node_writer::list(std::string_view key, const Nodes& nodes, Write write) {
  to_.key(key);
  to_.open_array();
  for (const auto& each : nodes) write(each);
  to_.close();
}

void node_writer::put_text(std::string_view key, std::string_view unredacted) {
  if (!unredacted.empty()) to_.put(key, text(unredacted));
}

void node_writer::put_texts(std::string_view key, const std::vector<std::string>& unredacted) {
  list(key, unredacted, [&](const std::string& each) { to_.text(text(each)); });
}

void node_writer::put_place(const scenarios::span& at) {
  if (at.in == nullptr) return;
  const scenarios::position where = at.in->locate(at.begin);
  const bool home = at.in == of_.text.get();
  to_.put("at", home ? fmt::format("{}:{}", where.line, where.column)
                     : fmt::format("{}:{}:{}", text(at.in->name()), where.line, where.column));
}

json node_writer::bytes(std::string_view octets) const {
  const std::string stable = text(octets);
  if (stable.size() <= data_bytes_max) return scenarios::bytes_to_json(stable);
  json node = scenarios::bytes_to_json(beginning(stable));
  node["bytes"] = stable.size();
  node["crc32"] = fmt::format("{:08x}", scenarios::crc32(stable));
  return node;
}

json node_writer::data(const scenarios::value& v) const {
  using scenarios::value_type;
  if (v.is(value_type::data)) return bytes(v.data());
  if (v.is(value_type::list)) {
    json items = json::array();
    for (const scenarios::value& item : v.items()) items.push_back(data(item));
    return items;
  }
  if (v.is(value_type::record)) {
    json object = json::object();
    for (const auto& [name, content] : v.fields()) object[text(name)] = data(content);
    return object;
  }
  return scenarios::to_json(v);
}

bool node_writer::length_varies(const step_result& of) const {
  const bool loose = of.data_varies || of.sent_varies;
  if (of.res_varies || (loose && of.res_is == scenarios::res_kind::bytes)) return true;
  if (of_.redactions.empty() || of.res_is != scenarios::res_kind::bytes) return false;
  const auto redacted = [&](std::string_view octets) { return text(octets) != octets; };
  const bool in_data = of.data && of.data->is(scenarios::value_type::data);
  return (in_data && redacted(of.data->data())) || (of.sent && redacted(*of.sent));
}

void node_writer::failure(const scenarios::diagnostic& of) {
  node([&](half which) {
    if (which == half::loose) {
      put_text("help", of.help);
      put_text("label", of.label);
      put_text("message", of.message);
      if (!of.notes.empty()) put_texts("notes", of.notes);
      return;
    }
    const scenarios::code_info& about = scenarios::info(of.id);
    put_place(of.where);
    to_.put("code", about.name);
    if (of.severity == scenarios::level::warning) to_.put("severity", "warning");
    to_.put("title", about.title);
  });
}

void node_writer::failures(std::string_view key, const std::vector<scenarios::diagnostic>& all) {
  if (!all.empty()) list(key, all, [&](const auto& each) { failure(each); });
}

void node_writer::completion(const completion_event& event, const step_result& of, bool firm) {
  using scenarios::res_kind;
  const bool main = event.kind == uring::request_kind::main;
  // The one descriptor that the step names; a multishot accept makes more, which have no name.
  const bool named = of.res && *of.res == event.res;
  const std::uint32_t shown = event.flags & flag_bits & ~(firm ? flag_sock_nonempty : 0U);
  const auto raw = [&](half which) { return firm ? which == half::loose : which == half::firm; };
  const auto fields = [&](half which) {
    const bool first = which == half::firm;
    if (raw(which)) to_.put("at_ns", event.at_ns);
    if (first && event.big) {
      to_.key("big");
      to_.tree(*event.big);
    }
    if (first && (event.flags & flag_buffer) != 0) to_.put("buffer", event.flags >> buffer_shift);
    const bool loose_data = firm && of.data_varies;
    if (event.data && first != loose_data) to_.key("data"), to_.tree(bytes(*event.data));
    if (first) put_text("fault", event.fault);
    if (first && shown != 0) {
      to_.key("flags");
      to_.tree(uring::flag_names(uring::flags::cqe_flags, shown));
    }
    if (first) to_.put("kind", uring::request_kind_name(event.kind));
    if (first) to_.put("op", event.op);
    if (raw(which)) to_.put("order", event.order);
    if (raw(which) && event.flags != 0) to_.put("raw_flags", event.flags);
    if (raw(which)) to_.put("raw_res", event.res);
    if (first && !(firm && main && length_varies(of))) {
      to_.key("res");
      const std::string& name = event.res_name.empty() && named ? of.res_name : event.res_name;
      const bool made = !event.res_name.empty();
      to_.tree(result_node(event.res,
                           made   ? res_kind::descriptor
                           : main ? of.res_is
                                  : res_kind::number,
                           text(name)));
    }
    if (raw(which) && event.user_data) to_.put("user_data", *event.user_data);
  };
  node(fields);
}

void node_writer::completions(const step_result& of, bool firm) {
  if (of.completions.empty()) return;
  list("completions", sorted(of.completions, firm),
       [&](const completion_event* event) { completion(*event, of, firm); });
}

void node_writer::submissions(const step_result& of, bool firm) {
  if (of.submissions.empty()) return;
  list("submissions", sorted(of.submissions, firm), [&](const submission_event* event) {
    node([&](half which) {
      const bool first = which == half::firm;
      const bool raw = firm ? !first : first;
      if (raw) to_.put("at_ns", event->at_ns);
      if (first) to_.put("kind", uring::request_kind_name(event->kind));
      if (first) to_.put("op", event->op);
      if (raw) to_.put("order", event->order);
    });
  });
}

/// How often a multishot timeout has fired when it is removed is up to the clock.
bool ticks(const step_result& of) {
  return std::ranges::any_of(of.completions, [](const completion_event& each) {
    return each.op == "timeout" && (each.flags & flag_more) != 0;
  });
}

/// In which half a field stands depends on the step; in their order they stand here.
void node_writer::step_fields(const step_result& of, half which) {
  const bool first = which == half::firm;
  const bool settled = !of.alternatives && of.status != step_status::not_judged;
  const bool came = first == settled;
  const bool sent =
      of.sent && first == (settled && !of.sent_varies && (of.low_level || of.outcome == "ok"));
  const bool request = first == (settled && of.low_level && !ticks(of));
  if (first) put_place(of.at);
  if (!first && of.attempts > 1) to_.put("attempts", of.attempts);
  if (request) completions(of, first);
  if (of.data && first == (settled && !of.data_varies)) to_.key("data"), to_.tree(data(*of.data));
  if (!first && of.ended_ns >= 0) to_.put("ended_ns", of.ended_ns);
  if (first) {
    put_text("expected", of.expected);
    failures("failures", of.failures);
  }
  // A message's are as stable as the data that they are taken from.
  const bool firm_fields = of.fields_are_message && settled && !of.data_varies;
  if (of.fields && first == firm_fields) to_.key("fields"), to_.tree(data(*of.fields));
  if (first) {
    put_text("id", of.id);
    put_text("mechanism", of.mechanism);
    put_text("note", of.note);
    to_.put("op", of.op);
  }
  if (came) put_text("outcome", of.outcome);
  if (first) to_.put("path", of.path);
  if (!first && of.res) to_.put("raw_res", *of.res);
  if (first) failures("remarks", of.remarks);
  if (of.res && first == (settled && !length_varies(of))) {
    to_.key("res");
    to_.tree(result_node(*of.res, of.res_is, text(of.res_name)));
  }
  if (sent) to_.key("sent"), to_.tree(bytes(*of.sent));
  if (sent && of.sent_bytes != of.sent->size()) to_.put("sent_bytes", of.sent_bytes);
  if (first && of.severity != scenarios::step_severity::must)
    to_.put("severity", step_severity_name(of.severity));
  if (!first && of.started_ns >= 0) to_.put("started_ns", of.started_ns);
  if (first) to_.put("status", step_status_name(of.status));
  if (request) submissions(of, first);
  if (first && of.took != scenarios::timing::unchecked) to_.put("took", timing_name(of.took));
}

void node_writer::step(const step_result& of) {
  node([&](half which) { step_fields(of, which); });
}

void node_writer::actor(const scenarios::actor_result& of) {
  node([&](half which) {
    if (which == half::loose) return;
    put_place(of.at);
    to_.put("kind", of.kind);
    to_.put("name", text(of.name));
    to_.put("status", step_status_name(of.status));
    list("steps", of.steps, [&](const step_result& each) { step(each); });
  });
}

// Sorted: which of two actors was hit first is not the scenario's choice.
void node_writer::put_sites(const scenarios::fault_result& of) {
  if (of.sites.empty()) return;
  std::vector<scenarios::fault_site> sites = of.sites;
  std::ranges::sort(sites);
  list("sites", sites, [&](const scenarios::fault_site& each) {
    to_.open_object();
    if (each.conn.empty()) {
      to_.put("actor", text(each.actor));
    } else {
      to_.put("conn", text(each.conn));
      if (!each.dir.empty()) to_.put("dir", each.dir);
    }
    if (each.nth != 0) to_.put("nth", each.nth);
    if (each.offset) to_.put("offset", *each.offset);
    to_.close();
  });
}

void node_writer::fault(const scenarios::fault_result& of) {
  node([&](half which) {
    if (which == half::loose) {
      to_.put("candidates", of.candidates);
      to_.put("matched", of.matched);
      put_text("nearest_miss", of.nearest_miss);
      if (!of.sites_are_stable) put_sites(of);
      to_.put("times_fired", of.fired);
      to_.put("times_observed", of.observed);
      return;
    }
    put_place(of.at);
    if (of.by_clock) to_.put("by_clock", true);
    if (of.by_accept_order) to_.put("by_accept_order", true);
    to_.put("fired", of.fired > 0);
    to_.put("id", text(of.id));
    to_.put("observed", of.observed > 0);
    to_.put("required", of.required);
    to_.put("satisfied", of.satisfied);
    if (of.sites_are_stable) put_sites(of);
    to_.put("type", of.type);
  });
}

// What it brought depends on how a stream was cut.
void node_writer::stray(const scenarios::fault_stray& of) {
  node([&](half which) {
    if (which == half::loose) {
      to_.put("flags", of.flags);
      to_.put("res", of.res);
      return;
    }
    to_.put("actor", text(of.actor));
    to_.put("fault", text(of.fault));
    to_.put("op", of.op);
    to_.put("step", of.step);
    to_.put("type", of.type);
  });
}

// How many requests there are depends on how streams were cut; that they add up does not.
void node_writer::account(const scenarios::request_account& of) {
  to_.key("account");
  node([&](half which) {
    if (which == half::firm) {
      to_.put("balances", of.balances());
      return;
    }
    to_.put("cancelled", of.cancelled);
    to_.put("changed", of.changed);
    to_.put("delivered", of.delivered);
    to_.put("dropped", of.dropped);
    to_.put("submitted", of.submitted);
  });
}

void node_writer::service(const scenarios::service_result& of) {
  node([&](half which) {
    if (which == half::loose) {
      put_text("output_tail", of.output_tail);
      if (of.pid != 0) to_.put("pid", of.pid);
      if (of.ready_ns >= 0) to_.put("ready_ns", of.ready_ns);
      return;
    }
    put_texts("argv", of.argv);
    put_place(of.at);
    to_.put("exit", text(of.exit));
    to_.put("exit_as_expected", of.exit_as_expected);
    to_.put("name", text(of.name));
    to_.put("ready", of.ready);
    to_.put("started", of.started);
  });
}

/// In order of arrival they would differ from run to run; within one actor they don't.
std::vector<std::string> node_writer::logs_by_actor() const {
  std::vector<std::pair<std::string_view, std::size_t>> order;
  order.reserve(of_.logs.size());
  for (const std::string& log : of_.logs) {
    order.emplace_back(std::string_view(log).substr(0, log.find(": ")), order.size());
  }
  std::ranges::sort(order);
  std::vector<std::string> out;
  out.reserve(order.size());
  for (const auto& [actor_name, index] : order) out.push_back(of_.logs[index]);
  return out;
}

void node_writer::scenario_fields(half which) {
  if (which == half::loose) {
    to_.put("attempts", of_.attempts);
    to_.put("duration_ns", of_.duration_ns);
    failures("earlier_failures", of_.earlier_failures);
    if (of_.logs.size() > 1) put_texts("logs_in_order", of_.logs);
    if (!of_.resolved_faults.empty()) {
      to_.key("plan");
      to_.tree({{"faults", json::parse(text(of_.resolved_faults), nullptr, false)}});
    }
    if (!of_.rerun.empty()) put_texts("rerun", of_.rerun);
    return;
  }
  if (of_.account) account(*of_.account);
  list("actors", of_.actors, [&](const auto& each) { actor(each); });
  put_text("case", of_.case_label);
  failures("failures", of_.failures);
  if (!of_.fault_strays.empty())
    list("fault_strays", of_.fault_strays, [&](const auto& each) { stray(each); });
  list("faults", of_.faults, [&](const auto& each) { fault(each); });
  to_.put("file", text(of_.file));
  to_.put("id", text(of_.id));
  if (!of_.logs.empty()) put_texts("logs", logs_by_actor());
  put_text("name", of_.name);
  if (!of_.processes.empty())
    list("processes", of_.processes, [&](const auto& each) { service(each); });
  put_text("ring_mode", of_.ring_mode);
  to_.put("seed", of_.seed);
  list("services", of_.services, [&](const auto& each) { service(each); });
  put_text("skip_reason", of_.skip_reason);
  to_.put("strays", of_.strays);
  put_texts("tags", of_.tags);
  to_.put("verdict", verdict_name(of_.result));
}

void node_writer::scenario() {
  node([&](half which) { scenario_fields(which); });
}

}  // namespace reports
