// The part of the plan that is about the low level: single submissions, private rings, what
// io_uring_register does, and what has no opcode. Included by plan.hpp only, which says what plans
// are and how long they live.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/op_table.hpp"
#include "scenarios/expression.hpp"
#include "scenarios/payload.hpp"
#include "scenarios/source.hpp"

namespace scenarios {

inline constexpr std::uint32_t no_index = ~std::uint32_t{0};

struct step_plan;

// One argument of a submission that was given, with how to fill it. Which members are set follows
// from row->kind: `data` for bytes, `parts` for what is made of several, else `number` (an integer,
// or text that stands for a path, an address, a duration) or, when it is known, `constant`.
struct sqe_field {
  const uring::field_row* row = nullptr;
  std::optional<payload> data;
  std::optional<expression> number;
  std::uint64_t constant = 0;
  bool is_constant = false;
  bool bad_address = false;           // { "address": N }: `constant` is passed as the pointer
  bool is_slot = false;               // { "slot": N }: `number` is one of a file table
  bool timeout_of = false;            // of the target's link timeout
  std::uint32_t handle = no_index;    // a descriptor or futex by its name
  std::uint32_t own_ring = no_index;  // { "ring": "b" }: that ring's descriptor
  std::string target;                 // id of the step whose request is meant
  std::vector<sqe_field> parts;
  span at;
};

// Exactly one submission.
struct sqe_step {
  const uring::op_row* row = nullptr;
  std::vector<sqe_field> fields;
  bool on_given = false;
  bool multishot = false;
  std::optional<expression> on_number;  // "on": 7, or the slot's number
  bool on_slot = false;
  std::uint32_t on_ring = no_index;
  std::optional<expression> user_data;
  std::optional<expression> personality;
};

// Several submissions in one io_uring_enter; `link` puts IOSQE_IO_LINK or HARDLINK between them.
struct chain_step {
  unsigned link_flag = 0;
  std::vector<step_plan> members;  // sqe steps
};

// Waits until a request that is under way has had so many completions.
struct await_cqes_step {
  std::uint32_t async = 0;
  expression count;
};
// Takes the next completion that belongs to no request: of a private ring, or of what a fault does
// to this actor's requests.
struct await_stray_step {
  std::optional<expression> user_data;  // any, without it
  std::string fault;                    // its id; empty: on a private ring
};

// What io_uring_register does with a ring: `row` says what its arguments mean.
struct register_row;
struct register_step {
  const register_row* row = nullptr;
  std::vector<sqe_field> fields;
};
struct recycle_step {
  expression group;
  std::vector<expression> buffers;  // empty: all that were used
};

// What has no opcode.
struct make_row;
struct make_step {
  const make_row* row = nullptr;
  std::vector<sqe_field> fields;
};
struct option_step {
  bool sets = false;
  int level = 0;
  int name = 0;
  std::optional<payload> data;
  std::optional<expression> number;
  expression length;  // of what is read; 4 without it
};

// ---- Private rings -----------------------------------------------------------------------------

struct buffer_group_plan {
  std::string name;
  std::uint16_t id = 0;
  std::uint32_t count = 0;
  std::uint32_t size = 0;
  bool incremental = false;
  bool recycle = false;
};
struct ring_plan {
  std::string name;
  span at;
  std::uint32_t sq_entries = 64;
  std::uint32_t cq_entries = 0;        // 0: the kernel's choice
  std::optional<std::uint32_t> flags;  // IORING_SETUP_*; without it those of the run's ring mode
  std::uint32_t files = 0;             // slots of a sparse file table
  std::vector<std::uint32_t> buffers;  // sizes of registered buffers
  std::vector<buffer_group_plan> groups;
  std::uint32_t actor = no_index;  // on whose thread it lives, if that is one of its own
  bool own_eventfd = false;        // a step registers one: the harness must do without
};

}  // namespace scenarios
