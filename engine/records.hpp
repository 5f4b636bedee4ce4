// What is kept of one submission and of one completion. Plain data: trivially copyable, no heap,
// so a record can be written from the loop, from the tracer's thread or into shared memory. The
// engine's seam, the tracer and the relay make them; reports and traces read them. Times are
// CLOCK_MONOTONIC nanoseconds. A record refers to memory of the traced program only by address:
// decode.hpp reads it while it is still there.
#pragma once

#include <liburing.h>

#include <cstdint>
#include <type_traits>

namespace uring {

/// Who saw it: our own ring, a program under the tracer, or the relay between two ends.
enum class record_source : uint8_t { engine, tracee, relay };

/// What a request is for. Everything but `main` was made by the engine on behalf of a `main`.
enum class request_kind : uint8_t {
  main,
  link_timeout,
  cancel,
  timer,
  wakeup,
  close,
  fault,   ///< a placeholder or a message that a fault submitted
  custom,  ///< a further submission of an operation with several
};

/// What was done to a record on its way.
enum record_mark : uint16_t {
  mark_none = 0,
  mark_stray = 1U << 0,        ///< no live request has this user_data
  mark_fault = 1U << 1,        ///< a fault made or changed it
  mark_hidden = 1U << 2,       ///< the kernel posted it, the program never saw it
  mark_synthetic = 1U << 3,    ///< the program saw it, the kernel never posted it
  mark_system_call = 1U << 4,  ///< a fallback made by a plain system call, on no ring
};

struct submission_record {
  uint64_t sequence;  ///< order of submission within its source and ring, from 1
  uint64_t monotonic_ns;
  uint64_t user_data;  ///< as submitted
  uint32_t ring;       ///< number of the ring within its source
  int32_t thread;      ///< kernel thread id of the submitter
  record_source source;
  request_kind kind;
  uint16_t marks;  ///< record_mark bits
  uint8_t opcode;
  uint8_t sqe_flags;
  uint8_t reserved[6];
  io_uring_sqe sqe;  ///< a copy; `cmd` of a 128-byte SQE is not kept
};

struct completion_record {
  uint64_t sequence;  ///< order of arrival within its source and ring, from 1
  uint64_t monotonic_ns;
  uint64_t user_data;
  uint64_t submission;  ///< `sequence` of its submission; 0 = none known
  uint64_t big[2];      ///< the second half of a 32-byte CQE, else 0
  int32_t res;
  uint32_t flags;
  uint32_t ring;
  int32_t thread;  ///< kernel thread id of the one who reaped it
  record_source source;
  request_kind kind;
  uint16_t marks;
  uint8_t opcode;  ///< of its submission; 255 when none is known
  uint8_t reserved[3];
};

static_assert(std::is_trivially_copyable_v<submission_record>);
static_assert(std::is_trivially_copyable_v<completion_record>);

}  // namespace uring
