// Faults of the bytes between two ends.

#include "scenarios/faults/fault_row_parts.hpp"

namespace scenarios::fault_rows {
namespace {

struct wire_type {
  std::string_view name;
  std::string_view doc;
};
constexpr wire_type types[] = {
    {"wire.latency", "Bytes come later."},
    {"wire.bandwidth", "So many bytes a second pass."},
    {"wire.slicer", "Bytes come in small pieces."},
    {"wire.slow_close", "The end of the stream comes later."},
    {"wire.timeout", "Nothing passes, then the connection is closed."},
    {"wire.reset_peer", "The connection is reset."},
    {"wire.limit_data", "So many bytes pass, then the connection ends."},
    {"wire.half_close", "One direction ends."},
    {"wire.truncate", "Bytes are left out at the end."},
    {"wire.corrupt", "Bytes are changed."},
    {"wire.insert", "Bytes are added."},
    {"wire.duplicate", "Bytes come twice."},
    {"wire.drop", "Bytes are left out."},
    {"wire.reorder", "Datagrams change places."},
    {"wire.partition", "The two ends can't reach each other for a time."},
    {"wire.blackhole", "Bytes are swallowed."},
    {"wire.backpressure", "Nobody reads."},
    {"wire.refuse", "Connections are refused."},
    {"wire.accept_delay", "Connections are accepted later."},
    {"wire.close_on_accept", "Connections are closed at once."},
    {"wire.accept_hang", "Connections are never accepted."},
    {"wire.heal", "Ends conditions."},
};

}  // namespace

std::vector<fault_row> wire() {
  std::vector<fault_row> rows;
  for (const wire_type& each : types) rows.push_back(later(each.name, fault_plane::wire, each.doc));
  return rows;
}

}  // namespace scenarios::fault_rows
