// The values of a strand: what its names hold, where that comes from, and what of it two runs may
// see differently.

#include <fmt/format.h>

#include <algorithm>

#include "engine/draw.hpp"
#include "scenarios/capture.hpp"
#include "scenarios/endpoint.hpp"
#include "scenarios/step_runner.hpp"
#include "scenarios/tls_stream.hpp"

namespace scenarios {
namespace {

bool yields(const step_end& end) {
  return end.data || end.datagrams || (end.is_message && end.fields);
}

// What may be another one the next time: a number of bytes that were left open, a descriptor's.
bool result_varies(const step_result& of) {
  return of.res_varies || of.res_is == res_kind::descriptor ||
         (of.data_varies && of.res_is == res_kind::bytes);
}

bool capture_varies(const capture_plan& what, const step_end& end, const step_result& of) {
  if (what.from == capture_plan::source_kind::res) return result_varies(of);
  // What the kernel fills in stands nowhere in the stable half.
  if (what.from == capture_plan::source_kind::field && !end.is_message) return true;
  return of.data_varies;
}

// What a handshake agreed on; nothing for other properties, or before it.
const std::string* find_fact(const tls_facts& facts, handle_value what) {
  switch (what) {
    case handle_value::tls_version:
      return &facts.version;
    case handle_value::cipher:
      return &facts.cipher;
    case handle_value::alpn:
      return &facts.alpn;
    case handle_value::peer_cn:
      return &facts.peer_cn;
    case handle_value::server_name:
      return &facts.server_name;
    default:
      return nullptr;
  }
}

}  // namespace

// What `as` names: the bytes, or a list of them.
value strand::yielded_by(const step_end& end) {
  if (end.is_message && end.fields) return *end.fields;
  if (!end.datagrams) return value::bytes(end.data.value_or(std::string()));
  value::list_type items;
  for (const received_datagram& each : *end.datagrams) items.push_back(value::bytes(each.data));
  return value::list(std::move(items));
}

const value* strand::read(slot_ref slot) const {
  if (slot.space == local_space) return &locals_[slot.index];
  shared_future& future = run.future(slot.index);
  return future.assigned.is_set() ? &future.held : nullptr;
}

std::uint64_t strand::seed_for(std::string_view label) const {
  return uring::hash_identity(uring::hash_identity(run.seed, name), label);
}

void strand::assign(const name_target& target, value v, bool varies) {
  if (target.shared != no_index) run.publish(target.shared, v, varies);
  if (target.local == no_index) return;
  locals_[target.local] = std::move(v);
  varying_[target.local] = varies;
}

bool strand::varies(slot_ref slot) const {
  return slot.space == local_space ? varying_[slot.index] : run.future(slot.index).varies;
}

bool strand::any_varies(std::span<const slot_ref> slots) const {
  return std::ranges::any_of(slots, [&](slot_ref slot) { return varies(slot); });
}

void strand::refresh_handle(std::uint32_t index) {
  handle& made = handles_[index];
  const int fd = made.fd();
  if (fd >= 0) {
    made.local = uring::socket_address::local_of(fd);
    made.peer = uring::socket_address::peer_of(fd);
  }
  tls_facts facts;
  const bool secured = made.tls() != nullptr && made.tls()->session().is_established();
  if (secured) facts = made.tls()->session().facts();
  for (const handle_property& property : plan.properties) {
    if (property.handle != index) continue;
    if (const std::string* fact = find_fact(facts, property.what)) {
      if (secured) assign(property.to, value::text(*fact));
      continue;
    }
    const bool of_address = property.what != handle_value::fd &&
                            property.what != handle_value::slot &&
                            property.what != handle_value::pid;
    // A socket that is not bound yet has no address to publish.
    if (of_address && made.local.is_any_port()) continue;
    switch (property.what) {
      case handle_value::fd:
        assign(property.to, value(std::int64_t{fd}), true);
        break;
      case handle_value::addr:
      case handle_value::local:
        assign(property.to, value::text(endpoint{made.local, made.accepts_tls != nullptr}.url()));
        break;
      case handle_value::peer:
        assign(property.to, value::text(made.peer.url()));
        break;
      case handle_value::port:
        assign(property.to, value(std::int64_t{made.local.port()}));
        break;
      case handle_value::slot:
        assign(property.to, value(std::int64_t{made.slot()}));
        break;
      case handle_value::pid:
        assign(property.to, value(std::int64_t{made.pid()}), true);
        break;
      default:
        break;
    }
  }
}

// A list's slot holds it from the start on.
void strand::add_to_list(const step_plan& step, const step_end& end, bool varies) {
  value::list_type items = locals_[step.collect->local].items();
  items.push_back(yields(end) ? yielded_by(end) : value(end.res));
  locals_[step.collect->local] = value::list(std::move(items));
  if (varies) varying_[step.collect->local] = true;
}

bool strand::capture_all(const step_plan& step, const step_end& end, step_result& into) {
  if (step.collect) add_to_list(step, end, yields(end) ? into.data_varies : result_varies(into));
  if (step.as_value) assign(*step.as_value, yielded_by(end), into.data_varies);
  for (const capture_plan& each : step.captures) {
    evaluation taken = take_capture(each, end, *this);
    if (!taken) {
      into.failures.push_back(
          run.make(code::capture_failed, each.at,
                   fmt::format("nothing to capture for {}: {}", each.name, taken.message())));
      return false;
    }
    assign(each.to, *std::move(taken), capture_varies(each, end, into));
  }
  return true;
}

// Where a step of a macro stands says little without where it was called.
void strand::tell_calls(const step_plan& step, std::vector<diagnostic>& told) {
  for (diagnostic& each : told) {
    for (auto call = step.called_from.rbegin(); call != step.called_from.rend(); ++call) {
      const position place = call->at.in->locate(call->at.begin);
      each.notes.push_back(
          fmt::format("in the macro {}, called from line {}", call->macro, place.line));
    }
  }
}

}  // namespace scenarios
