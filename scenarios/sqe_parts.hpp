// How the fields of a submission are written in a file: which JSON each kind takes, and the parts
// of those that are made of several (an iovec, a message, open_how).
//
// Parts are rows of the same kind as the op table's, so that they are checked, filled and explained
// in the same way; `at` says nothing for them. Constant data, alive for ever.
#pragma once

#include <span>

#include "engine/op_table.hpp"
#include "scenarios/key_table.hpp"

namespace scenarios {

namespace parts {
extern const uring::field_row out_data, in_size, one_descriptor;
extern const uring::field_row msg_name, msg_want_name, msg_iov_out, msg_iov_in, msg_data, msg_len,
    msg_control, msg_control_room, msg_rights;
extern const uring::field_row how_flags, how_mode, how_resolve, how_size;
extern const uring::field_row event_events, event_data;
extern const uring::field_row wait_word, wait_value, wait_flags;
extern const uring::field_row time_sec, time_nsec;
}  // namespace parts

/// Of a kind whose value is an object of parts; empty for all others.
std::span<const uring::field_row* const> parts_of(uring::field_kind kind);
/// Of a kind whose value is a list: what an element is; null for all others.
const uring::field_row* element_of(uring::field_kind kind);

/// What the interpreter needs beside the op table's fields: how much of a registered buffer.
std::span<const uring::field_row> extra_fields(const uring::op_row& op);

/// What a field takes in a file.
json_types types_of(const uring::field_row& field);
/// The kernel wants it, or it makes no sense without; what only receives is there by itself.
bool must_be_given(const uring::field_row& field);
/// The descriptor stands beside the op, as `on`.
bool is_on(const uring::field_row& field);

}  // namespace scenarios
