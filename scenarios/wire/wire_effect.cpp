#include "scenarios/wire/wire_effect.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/checked_object.hpp"
#include "scenarios/compile_scope.hpp"
#include "scenarios/faults/permutation.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"
#include "scenarios/wire/wire_parameters.hpp"

namespace scenarios {

const wire_fault_row& row_of(wire_fault type) {
  return wire_fault_table()[static_cast<std::size_t>(type)];
}

const wire_fault_row* find_wire_fault(std::string_view name) {
  if (name.starts_with("wire.")) name.remove_prefix(5);
  const auto rows = wire_fault_table();
  const auto found = std::ranges::find(rows, name, &wire_fault_row::name);
  return found == rows.end() ? nullptr : &*found;
}

std::string_view wire_fault_name(wire_fault type) {
  return row_of(type).name;
}

// A shuffle with an order draws, too, when not enough datagrams come.
bool draws(const wire_effect& effect) {
  return effect.type == wire_fault::reorder || effect.jitter.count() > 0 ||
         effect.size_variation > 0;
}

namespace {

/// What no table of keys can say: how two parameters of one fault go together.
bool check_together(const wire_effect& made, const node& fault, wire_carrier carrier,
                    diagnostics& out) {
  const auto wrong = [&](code id, std::string message, std::string help) {
    out.error(id, fault.at(), std::move(message)).help = std::move(help);
    return false;
  };
  using enum wire_fault;
  const bool only_delays =
      made.type == latency || made.type == slow_close || made.type == accept_delay;
  if (only_delays && (made.latency + made.jitter + made.delay).count() == 0)
    return wrong(code::value_out_of_range, "a delay of nothing delays nothing",
                 "say how long: \"50ms\"");
  if (made.type == slicer && made.average_size == 0 && made.cuts.empty())
    return wrong(code::missing_key, "wire.slicer needs \"average_size\" or \"cuts\"",
                 "average_size: 64 makes pieces of 64 bytes; cuts: [5, 9] cuts there");
  if (made.type == slicer && made.average_size != 0 && made.size_variation >= made.average_size)
    return wrong(code::value_out_of_range, "\"size_variation\" is not below \"average_size\"",
                 "no piece would be sure to have a byte");
  if (made.type == partition && made.kind == partition_kind::slowed && made.rate == 0 &&
      made.latency.count() == 0)
    return wrong(code::missing_key, "a slowed partition needs \"rate\" or \"latency\"",
                 "kind: stopped holds everything, and jammed reads nothing");
  const auto has = [&](const char* key) { return fault.find(key) != nullptr; };
  const auto idle = [&](std::string message, std::string help) {
    return wrong(code::fault_not_applicable, std::move(message), std::move(help));
  };
  if (made.type == partition && made.kind != partition_kind::slowed &&
      (has("rate") || has("latency")))
    return idle("only a slowed partition has a \"rate\" or a \"latency\"",
                "\"kind\": \"slowed\", or leave them out");
  if (made.type == slicer && made.average_size == 0 && has("size_variation"))
    return idle("\"size_variation\" has no meaning without \"average_size\"", "\"cuts\" are exact");
  if (made.type == corrupt && has("set") && has("xor"))
    return idle("\"xor\" has no meaning beside \"set\"",
                "bytes are turned over by the one, or replaced by the other");
  if (carrier == wire_carrier::stream && (made.type == drop || made.type == duplicate) &&
      made.bytes == 0)
    return wrong(code::missing_key,
                 fmt::format("wire.{} needs \"bytes\" on a stream", wire_fault_name(made.type)),
                 "a stream has no datagrams that could be meant; say how many bytes");
  constexpr std::uint64_t copied_max = 64U << 20U;
  if (made.type == duplicate && made.bytes * made.copies > copied_max)
    return wrong(code::value_out_of_range, "\"copies\" of so many bytes are above 64 MiB",
                 "copies of fewer bytes, or fewer copies");
  return true;
}

/// An order says how many it is of; a window beside it has to agree.
bool settle_window(wire_effect& made, const node& fault, diagnostics& out) {
  if (made.order.empty()) return true;
  const node* window = fault.find("window");
  const bool agrees =
      window == nullptr || window_agrees(*window, made.window, made.order.size(), out);
  made.window = made.order.size();
  return agrees;
}

bool check_carrier(const wire_fault_row& row, wire_carrier carrier, const node& type,
                   diagnostics& out) {
  const std::string_view reason = carrier == wire_carrier::stream     ? row.not_on_streams
                                  : carrier == wire_carrier::datagram ? row.not_on_datagrams
                                                                      : std::string_view();
  if (reason.empty()) return true;
  out.error(code::fault_not_applicable, type.at(),
            fmt::format("wire.{} can't hit {}: {}", row.name,
                        carrier == wire_carrier::stream ? "a stream" : "datagrams", reason));
  return false;
}

bool check_parameter(const wire_fault_row& row, const wire_parameter& of, const node& given,
                     wire_carrier carrier, diagnostics& out) {
  if (of.only_on == wire_carrier::unknown || carrier == wire_carrier::unknown ||
      carrier == of.only_on)
    return true;
  out.error(code::fault_not_applicable, given.at(),
            fmt::format("{} of wire.{} has no meaning {}", in_quotes(of.key), row.name,
                        carrier == wire_carrier::stream ? "on a stream" : "for datagrams"))
      .help = std::string(of.instead);
  return false;
}

}  // namespace

std::optional<wire_effect> compile_wire_effect(const node& fault, compile_scope& scope,
                                               wire_carrier carrier) {
  const node* type = fault.find("type");
  if (type == nullptr || !type->is(node_kind::string)) return std::nullopt;  // told by its table
  const wire_fault_row* row = find_wire_fault(type->text());
  if (row == nullptr) {
    std::vector<std::string> names;
    for (const wire_fault_row& each : wire_fault_table())
      names.push_back(fmt::format("wire.{}", each.name));
    const std::vector<std::string_view> views(names.begin(), names.end());
    const std::string near = did_you_mean(type->text(), views);
    scope.out()
        .error(code::unknown_fault, type->at(),
               fmt::format("there is no fault {}", in_quotes(type->text())))
        .help = near.empty() ? "`uring-scenario explain wire` lists them" : near;
    return std::nullopt;
  }
  wire_effect made;
  made.type = row->type;
  made.dir = row->dir;
  if (row->type == wire_fault::reorder) made.delay = std::chrono::milliseconds(100);
  bool sound = check_carrier(*row, carrier, *type, scope.out());
  for (const wire_parameter& each : row->parameters) {
    const node* given = fault.find(each.key);
    if (given == nullptr) {
      if (!each.required) continue;
      scope.out()
          .error(code::missing_key, fault.at(),
                 fmt::format("wire.{} needs {}", row->name, in_quotes(each.key)))
          .help = std::string(each.doc);
      sound = false;
      continue;
    }
    if (!check_parameter(*row, each, *given, carrier, scope.out()) ||
        !check_type(*given, each.accepts, fmt::format("{}", in_quotes(each.key)), scope.out())) {
      sound = false;
      continue;
    }
    wire_parameter_reader reader{*given, scope, in_quotes(each.key)};
    each.read(reader, made);
    sound = sound && reader.sound();
  }
  if (made.type == wire_fault::corrupt && made.bytes == 0) made.bytes = 1;
  if (made.type == wire_fault::corrupt && !made.data.empty()) made.bytes = made.data.size();
  sound = settle_window(made, fault, scope.out()) && sound;
  if (!sound || !check_together(made, fault, carrier, scope.out())) return std::nullopt;
  return made;
}

}  // namespace scenarios
