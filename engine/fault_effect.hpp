// What a fault does: to one operation's completion, or to the ring itself. Plain values.
//
// Whoever decides when a fault fires (a rule of a scenario, a C++ test) fills one in and hands it
// to a fault_injector, which copies what it keeps. Names are those of the op table (cqe_fault) and
// of ring_fault_name; durations are on the loop's clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/op_table.hpp"
#include "engine/timer_heap.hpp"

namespace uring {

/// Faults of the ring plane, `ring.*`.
enum class ring_fault : uint8_t {
  sq_full,
  partial_submit,
  submit_errno,
  wait_errno,
  cq_overflow,
  reap_limit,
  count_,
};

/// "sq_full", "partial_submit" … without the `ring.` in front.
std::string_view ring_fault_name(ring_fault fault);
std::optional<ring_fault> find_ring_fault(std::string_view name);

/// How a race between an operation and a cancel of it ends. The operation's own result stands in
/// all but `cancel_wins`, in which it ran and says -ECANCELED; the cancel says 0 (op_wins and
/// cancel_wins), -EALREADY (too_late) or -ENOENT (not_found).
enum class cancel_race : uint8_t { op_wins, cancel_wins, too_late, not_found };

/// A number of bytes out of those that were asked for.
struct byte_amount {
  enum class measure : uint8_t { bytes, fraction, minus } by = measure::bytes;
  uint64_t bytes = 0;   // bytes: so many; minus: all but so many
  double fraction = 0;  // of all, rounded down
};

/// How many of `all` bytes the amount keeps: at least 1, at most `all`. (None would be the end of a
/// stream, which is another fault.)
uint64_t kept_bytes(const byte_amount& amount, uint64_t all);

/// What is done to one operation's completion. `before`: the operation never ran.
struct cqe_effect {
  cqe_fault type = cqe_fault::errno_;
  bool before = true;
  int error = 0;        // errno_: positive
  byte_amount amount;   // short_read, short_write: what is kept
  duration by{};        // delay, late, notif_delay; reorder, cancel_race: patience, 0 = one second
  uint32_t window = 0;  // reorder: so many completions are held and let go in another order
  std::vector<uint32_t> order;  // reorder: permutation of 0..window-1; empty: drawn from `seed`
  cancel_race race = cancel_race::op_wins;
  uint64_t corrupt_at = 0;   // corrupt: the first byte of this completion's data that is changed
  std::string corrupt_with;  // corrupt: what overwrites it; empty: one byte, every bit turned
  uint64_t seed = 0;
  uint32_t rule = 0;  // the caller's number, carried through
};

/// What is done to the ring. `count` is how often (submit_errno, wait_errno, sq_full), or how many
/// entries (partial_submit) or completions a turn (reap_limit); `lasting`, when not zero, is for
/// how long instead.
struct ring_effect {
  ring_fault type = ring_fault::sq_full;
  int error = 0;  // submit_errno, wait_errno: positive
  unsigned count = 0;
  duration lasting{};
  uint32_t rule = 0;  // the caller's number, carried through
};

}  // namespace uring
