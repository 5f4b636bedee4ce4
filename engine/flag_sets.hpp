// The kernel's names for bits and small numbers, one table a field: lower case, without prefix
// ("waitall" for MSG_WAITALL). The op table's rows point here, so a scenario's flag lists, the
// decoder's text and the documentation use the same words. All data is constant and lives for
// ever; any thread may read it. A name is unique within its set, never across sets.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace uring {

/// One name. It stands for `bits` within `mask`: for a plain flag both are the same bit; for a
/// value inside a wider field (O_RDONLY = 0 within O_ACCMODE) the mask is that field.
// NOLINTBEGIN(readability-redundant-member-init): without them -Wextra wants every member named.
struct flag_name {
  std::string_view name;
  uint64_t bits = 0;
  uint64_t mask = 0;
  std::string_view since = {};  // NOLINTEND(readability-redundant-member-init)
                                ///< kernel version where it is newer than the field, else empty
};

/// `flags`: names combine, bit by bit. `choice`: exactly one name stands for the whole value.
enum class set_kind : uint8_t { flags, choice };

struct flag_set {
  std::string_view name;  ///< the field's own name, "msg_flags"
  set_kind kind;
  std::span<const flag_name> names;  ///< composite names stand before the bits they contain
};

namespace flags {

extern const flag_set sqe_flags, cqe_flags, setup_flags, features;
extern const flag_set msg_flags, rw_flags, fsync_flags, sync_range_flags, splice_flags;
extern const flag_set accept_flags, accept_ioprio, recvsend_ioprio;
extern const flag_set timeout_flags, cancel_flags, poll_events, poll_flags, epoll_events;
extern const flag_set open_flags, resolve_flags, statx_flags, statx_mask, at_flags;
extern const flag_set rename_flags, unlink_flags, link_flags, fallocate_mode, xattr_flags;
extern const flag_set nop_flags, msg_ring_flags, install_fd_flags, uring_cmd_flags, pipe_flags;
extern const flag_set futex_flags, waitid_options;
extern const flag_set socket_domain, socket_type, socket_protocol, shutdown_how;
extern const flag_set fadvise_advice, madvise_advice, epoll_op, waitid_idtype, msg_ring_command;
extern const flag_set socket_command, socket_level;

}  // namespace flags

/// Every set, for documentation and tests.
std::span<const flag_set* const> all_flag_sets();
const flag_set* find_flag_set(std::string_view name);

/// The bits that `name` stands for; nothing when the set has no such name.
std::optional<uint64_t> find_flag(const flag_set& set, std::string_view name);

/// The names in `value`, and what no name explains as one hexadecimal string at the end ("0x40").
/// For a choice: one element, the name or the number. Empty for flags that are all clear.
std::vector<std::string> flag_names(const flag_set& set, uint64_t value);

/// `flag_names` joined with "|"; "0" when there are none.
std::string flags_text(const flag_set& set, uint64_t value);

}  // namespace uring
