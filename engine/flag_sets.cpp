#include "engine/flag_sets.hpp"

#include <charconv>

namespace uring {
namespace {

std::string hex(uint64_t value) {
  char text[18] = {'0', 'x'};
  const auto end = std::to_chars(text + 2, text + sizeof text, value, 16).ptr;
  return {text, end};
}

}  // namespace

std::span<const flag_set* const> all_flag_sets() {
  using namespace flags;
  static constexpr const flag_set* sets[] = {
      &sqe_flags,       &cqe_flags,       &setup_flags,      &features,       &msg_flags,
      &rw_flags,        &fsync_flags,     &sync_range_flags, &splice_flags,   &accept_flags,
      &accept_ioprio,   &recvsend_ioprio, &timeout_flags,    &cancel_flags,   &poll_events,
      &poll_flags,      &epoll_events,    &open_flags,       &resolve_flags,  &statx_flags,
      &statx_mask,      &at_flags,        &rename_flags,     &unlink_flags,   &link_flags,
      &fallocate_mode,  &xattr_flags,     &nop_flags,        &msg_ring_flags, &install_fd_flags,
      &uring_cmd_flags, &pipe_flags,      &futex_flags,      &waitid_options, &socket_domain,
      &socket_type,     &socket_protocol, &shutdown_how,     &fadvise_advice, &madvise_advice,
      &epoll_op,        &waitid_idtype,   &msg_ring_command, &socket_command, &socket_level,
  };
  return sets;
}

const flag_set* find_flag_set(std::string_view name) {
  for (const flag_set* set : all_flag_sets())
    if (set->name == name) return set;
  return nullptr;
}

std::optional<uint64_t> find_flag(const flag_set& set, std::string_view name) {
  for (const flag_name& each : set.names)
    if (each.name == name) return each.bits;
  return std::nullopt;
}

std::vector<std::string> flag_names(const flag_set& set, uint64_t value) {
  std::vector<std::string> found;
  uint64_t left = value;
  for (const flag_name& each : set.names) {
    if ((value & each.mask) != each.bits) continue;
    // A composite took this one's bits already ("sync" contains "dsync").
    if (each.bits != 0 && (left & each.bits) == 0) continue;
    found.emplace_back(each.name);
    left &= ~each.mask;
    if (set.kind == set_kind::choice) return found;
  }
  if (set.kind == set_kind::choice) return {std::to_string(value)};
  if (left != 0) found.push_back(hex(left));
  return found;
}

std::string flags_text(const flag_set& set, uint64_t value) {
  std::string text;
  for (const std::string& name : flag_names(set, value)) {
    if (!text.empty()) text += '|';
    text += name;
  }
  return text.empty() ? "0" : text;
}

}  // namespace uring
