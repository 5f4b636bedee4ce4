// Rows of the op table that are about the ring itself and about waiting: nop, timeouts, cancel,
// poll, epoll, messages between rings, buffers, tables, futexes, child processes. Private to
// op_table.cpp.
#pragma once

#include "engine/op_row_parts.hpp"

namespace uring::rows {

inline constexpr field_row nop_fields[] = {
    bits("nop_flags", uring::flags::nop_flags),
    {.name = "result",
     .kind = signed_number,
     .at = member::len,
     .since = "6.10",
     .doc = "with inject_result: the completion's res"},
    {.name = "fd", .kind = descriptor, .at = member::fd, .doc = "with file: looked up, not used"},
    registered_buffer(false),
    {.name = "extra1", .kind = number, .at = member::off, .since = "6.18", .doc = "with cqe32"},
    {.name = "extra2", .kind = number, .at = member::addr, .since = "6.18", .doc = "with cqe32"},
};
inline constexpr op_row nop{
    .name = "nop",
    .opcode = IORING_OP_NOP,
    .since = "5.1",
    .fields = nop_fields,
    .result = result_kind::value,
    .success = success_rule::non_negative,
    .cls = cls::inline_,
    .errnos = errors<EBADF, EFAULT>,
    .doc =
        "Does nothing and completes with 0 while it is submitted. With inject_result it "
        "completes with any value, a negative one breaks a soft link like a real failure."};

inline constexpr op_row nop128{
    .name = "nop128",
    .opcode = compat::op_nop128,
    .since = "6.19",
    .fields = nop_fields,
    .result = result_kind::value,
    .success = success_rule::non_negative,
    .cls = cls::inline_,
    .errnos = errors<EBADF, EFAULT>,
    .doc = "A nop that takes a 128-byte SQE on a ring made with sqe_mixed."};

inline constexpr field_row poll_add_fields[] = {
    fd(),
    {.name = "events",
     .kind = flags,
     .at = member::poll_events,
     .flags = &uring::flags::poll_events,
     .required = true,
     .doc = "what to wait for; err and hup are always reported"},
    bits("poll_flags", uring::flags::poll_flags, member::len),
    multishot_bit(member::len, IORING_POLL_ADD_MULTI, "5.13"),
};
inline constexpr op_row poll_add{
    .name = "poll_add",
    .opcode = IORING_OP_POLL_ADD,
    .since = "5.1",
    .fields = poll_add_fields,
    .result = result_kind::mask,
    .success = success_rule::positive,
    .cls = cls::poll,
    .shot = shots::multi,
    .takes_descriptor = true,
    .errnos = errors<>,
    .doc =
        "Waits until the descriptor is ready; the result is the mask of ready events. Multishot "
        "ends on cancel, error or a full CQ, not on hup alone."};

inline constexpr field_row poll_remove_fields[] = {
    target("user_data of the poll"),
    bits("poll_flags", uring::flags::poll_flags, member::len),
    {.name = "events",
     .kind = flags,
     .at = member::poll_events,
     .flags = &uring::flags::poll_events,
     .doc = "with update_events: the new events"},
    {.name = "new_user_data",
     .kind = user_data,
     .at = member::off,
     .doc = "with update_user_data: what its completions carry from now on"},
};
inline constexpr op_row poll_remove{
    .name = "poll_remove",
    .opcode = IORING_OP_POLL_REMOVE,
    .since = "5.1",
    .fields = poll_remove_fields,
    .success = success_rule::zero,
    .cls = cls::inline_,
    .errnos = errors<ENOENT, EALREADY>,
    .doc =
        "Ends a poll_add by user_data, which then completes with ECANCELED, or changes it in "
        "place. ENOENT also when the target is another operation's internal poll."};

inline constexpr field_row timeout_fields[] = {
    timespec_at("ts", member::addr, true),
    count_at("count", member::off, "complete with 0 after this many completions of the ring"),
    bits("timeout_flags", uring::flags::timeout_flags),
    multishot_bit(member::op_flags, compat::timeout_multishot, "6.4"),
};
inline constexpr op_row timeout{
    .name = "timeout",
    .opcode = IORING_OP_TIMEOUT,
    .since = "5.4",
    .fields = timeout_fields,
    .constants = one_timespec,
    .success = success_rule::expiry,
    .cls = cls::timer,
    .shot = shots::multi,
    .errnos = errors<ETIME>,
    .doc =
        "Completes with ETIME when the time is over, its normal end, or with 0 when `count` "
        "other completions came first. ETIME breaks a soft link unless etime_success is set."};

inline constexpr field_row timeout_remove_fields[] = {
    target("user_data of the timeout"),
    timespec_at("ts", member::addr2, false),
    bits("timeout_flags", uring::flags::timeout_flags),
};
inline constexpr op_row timeout_remove{
    .name = "timeout_remove",
    .opcode = IORING_OP_TIMEOUT_REMOVE,
    .since = "5.5",
    .fields = timeout_remove_fields,
    .success = success_rule::zero,
    .cls = cls::inline_,
    .errnos = errors<ENOENT, EALREADY>,
    .doc =
        "Removes a timeout, which then completes with ECANCELED, or with `update` gives it a "
        "new time. Updating a count-limited multishot timeout makes it endless."};

inline constexpr field_row async_cancel_fields[] = {
    target("user_data of the request"),
    {.name = "fd",
     .kind = descriptor,
     .at = member::fd,
     .since = "5.19",
     .doc = "with `fd`: requests on this descriptor"},
    {.name = "op",
     .kind = opcode,
     .at = member::len,
     .since = "6.6",
     .doc = "with `op`: requests of this opcode"},
    bits("cancel_flags", uring::flags::cancel_flags),
};
inline constexpr op_row async_cancel{
    .name = "async_cancel",
    .opcode = IORING_OP_ASYNC_CANCEL,
    .since = "5.5",
    .fields = async_cancel_fields,
    .result = result_kind::count,
    .success = success_rule::non_negative,
    .cls = cls::inline_,
    .errnos = errors<ENOENT, EALREADY, EBADF>,
    .doc =
        "Asks to end pending requests; each still completes, with ECANCELED if the cancel won. "
        "The result is 0, a count with all or any, 1 for a futex or waitid, EALREADY when a "
        "worker runs it (ENOENT on an SQPOLL ring)."};

inline constexpr field_row link_timeout_fields[] = {
    timespec_at("ts", member::addr, true),
    bits("timeout_flags", uring::flags::timeout_flags),
};
inline constexpr op_row link_timeout{
    .name = "link_timeout",
    .opcode = IORING_OP_LINK_TIMEOUT,
    .since = "5.5",
    .fields = link_timeout_fields,
    .constants = one_timespec,
    .result = result_kind::expiry,
    .success = success_rule::link_expiry,
    .cls = cls::timer,
    .ended = "no: cancel -ENOENT; what it bounds can",
    .errnos = errors<ETIME, ENOENT, EALREADY>,
    .doc =
        "Bounds the request linked before it. ECANCELED: that one completed first; ETIME (1 for "
        "a futex or waitid): the time was over and it was cancelled. It never fires on a request "
        "that blocks in a worker, and it picks its victim by user_data."};

inline constexpr field_row msg_ring_fields[] = {
    fd("the target ring"),
    one_of("command", uring::flags::msg_ring_command, member::addr, "data, or send_fd"),
    {.name = "result",
     .kind = signed_number,
     .at = member::len,
     .doc = "res of the completion that the target gets"},
    {.name = "data",
     .kind = user_data,
     .at = member::off,
     .doc = "user_data of the completion that the target gets"},
    {.name = "cqe_flags",
     .kind = number,
     .at = member::file_index,
     .since = "6.3",
     .doc = "with flags_pass: flags of the completion that the target gets"},
    {.name = "source_slot",
     .kind = number,
     .at = member::addr3,
     .since = "6.0",
     .doc = "with send_fd: 0-based slot in this ring's file table"},
    slot("6.0"),
    bits("msg_ring_flags", uring::flags::msg_ring_flags),
};
inline constexpr op_row msg_ring{
    .name = "msg_ring",
    .opcode = IORING_OP_MSG_RING,
    .since = "5.18",
    .fields = msg_ring_fields,
    .result = result_kind::value,
    .success = success_rule::non_negative,
    .cls = cls::inline_,
    .takes_descriptor = true,
    .errnos = errors<EBADFD, ENFILE, ENXIO, EOVERFLOW>,
    .doc =
        "Posts a completion with any result and user_data on another ring, or on its own, or "
        "hands it a registered file. EBADFD when the target is no ring or is disabled."};

inline constexpr field_row provide_buffers_fields[] = {
    {.name = "addr", .kind = address, .at = member::addr, .doc = "the memory, `count` x `len`"},
    count_at("len", member::len, "size of each buffer in bytes"),
    count_at("count", member::fd, "number of buffers"),
    {.name = "group", .kind = index, .at = member::buf_group, .doc = "buffer group"},
    count_at("buf_id", member::off, "id of the first buffer"),
};
inline constexpr op_row provide_buffers{
    .name = "provide_buffers",
    .opcode = IORING_OP_PROVIDE_BUFFERS,
    .since = "5.7",
    .fields = provide_buffers_fields,
    .success = success_rule::zero,
    .cls = cls::inline_,
    .errnos = errors<E2BIG, EOVERFLOW>,
    .doc =
        "Adds buffers to a group that buffer selection takes from. EINVAL when the group is a "
        "registered buffer ring, E2BIG for none."};

inline constexpr field_row remove_buffers_fields[] = {
    count_at("count", member::fd, "number of buffers"),
    {.name = "group", .kind = index, .at = member::buf_group, .doc = "buffer group"},
};
inline constexpr op_row remove_buffers{
    .name = "remove_buffers",
    .opcode = IORING_OP_REMOVE_BUFFERS,
    .since = "5.7",
    .fields = remove_buffers_fields,
    .result = result_kind::count,
    .success = success_rule::non_negative,
    .cls = cls::inline_,
    .errnos = errors<ENOENT>,
    .doc = "Takes buffers out of a group; the result is how many, 0 when it was empty."};

inline constexpr field_row files_update_fields[] = {
    {.name = "fds",
     .kind = descriptor_list,
     .at = member::addr,
     .length_at = member::len,
     .required = true,
     .doc = "descriptors for the slots; -1 clears one, -2 leaves it"},
    {.name = "offset",
     .kind = number,
     .at = member::off,
     .doc = "first slot; 4294967295 lets the kernel pick and writes the slots back"},
};
inline constexpr op_row files_update{
    .name = "files_update",
    .opcode = IORING_OP_FILES_UPDATE,
    .since = "5.6",
    .fields = files_update_fields,
    .result = result_kind::count,
    .success = success_rule::non_negative,
    .cls = cls::inline_,
    .errnos = errors<ENXIO, EBADF, ENFILE>,
    .doc =
        "Changes slots of the ring's file table; the result is how many were done, which may be "
        "fewer than asked for when one fails."};

inline constexpr field_row fixed_fd_install_fields[] = {
    fd("slot of the file table; fixed_file must be set"),
    bits("install_flags", uring::flags::install_fd_flags),
};
inline constexpr op_row fixed_fd_install{
    .name = "fixed_fd_install",
    .opcode = compat::op_fixed_fd_install,
    .since = "6.8",
    .fields = fixed_fd_install_fields,
    .result = result_kind::descriptor,
    .success = success_rule::non_negative,
    .cls = cls::inline_,
    .takes_descriptor = true,
    .errnos = errors<EPERM, EMFILE>,
    .doc =
        "Makes an ordinary descriptor of a slot; the result is its number, close-on-exec unless "
        "no_cloexec is set."};

inline constexpr field_row epoll_ctl_fields[] = {
    fd("the epoll descriptor"),
    one_of("op", uring::flags::epoll_op, member::len, "add, mod or del"),
    {.name = "target_fd", .kind = descriptor, .at = member::off, .doc = "the descriptor to watch"},
    {.name = "event", .kind = epoll_event, .at = member::addr, .doc = "events and data"},
};
inline constexpr op_row epoll_ctl{
    .name = "epoll_ctl",
    .opcode = IORING_OP_EPOLL_CTL,
    .since = "5.6",
    .fields = epoll_ctl_fields,
    .success = success_rule::zero,
    .cls = cls::inline_,
    .takes_descriptor = true,
    .errnos = errors<EEXIST, ENOENT, EPERM, ELOOP, ENOSPC>,
    .doc = "Changes what an epoll descriptor watches. It resolves the number itself: no slots."};

inline constexpr field_row epoll_wait_fields[] = {
    fd("the epoll descriptor"),
    {.name = "max_events",
     .kind = epoll_events_out,
     .at = member::addr,
     .length_at = member::len,
     .required = true,
     .doc = "room for this many events"},
};
inline constexpr op_row epoll_wait{
    .name = "epoll_wait",
    .opcode = compat::op_epoll_wait,
    .since = "6.15",
    .fields = epoll_wait_fields,
    .result = result_kind::count,
    .success = success_rule::non_negative,
    .cls = cls::poll,
    .takes_descriptor = true,
    .errnos = errors<>,
    .doc =
        "Waits for events of an epoll descriptor; the result is how many. Time limits come from "
        "a link timeout."};

inline constexpr field_row waitid_fields[] = {
    one_of("idtype", uring::flags::waitid_idtype, member::len, "how `id` is meant"),
    {.name = "id", .kind = signed_number, .at = member::fd, .doc = "pid, process group or pidfd"},
    bits("options", uring::flags::waitid_options, member::file_index),
    {.name = "siginfo", .kind = siginfo_out, .at = member::addr2, .doc = "what the child did"},
};
inline constexpr op_row waitid{
    .name = "waitid",
    .opcode = compat::op_waitid,
    .since = "6.7",
    .fields = waitid_fields,
    .success = success_rule::zero,
    .cls = cls::futex,
    .errnos = errors<ECHILD, ESRCH>,
    .doc =
        "Waits for a child to change state. Cancelling it answers 1, not 0, and so does a link "
        "timeout that fires on it."};

inline constexpr field_row futex_wait_fields[] = {
    {.name = "word", .kind = futex_word, .at = member::addr, .required = true, .doc = "the word"},
    count_at("value", member::off, "wait only while the word has this value"),
    count_at("mask", member::addr3, "wake-ups with a common bit count; 0 is EINVAL"),
    bits("futex_flags", uring::flags::futex_flags, member::fd),
};
inline constexpr op_row futex_wait{
    .name = "futex_wait",
    .opcode = compat::op_futex_wait,
    .since = "6.7",
    .fields = futex_wait_fields,
    .success = success_rule::zero,
    .cls = cls::futex,
    .errnos = errors<EAGAIN>,
    .doc =
        "Waits until the word is woken; EAGAIN when it has another value already. A cancel and "
        "a link timeout that hit it complete with 1."};

inline constexpr field_row futex_wake_fields[] = {
    {.name = "word", .kind = futex_word, .at = member::addr, .required = true, .doc = "the word"},
    count_at("count", member::off, "wake at most this many"),
    count_at("mask", member::addr3, "waiters with a common bit only"),
    bits("futex_flags", uring::flags::futex_flags, member::fd),
};
inline constexpr op_row futex_wake{
    .name = "futex_wake",
    .opcode = compat::op_futex_wake,
    .since = "6.7",
    .fields = futex_wake_fields,
    .result = result_kind::count,
    .success = success_rule::non_negative,
    .cls = cls::inline_,
    .errnos = errors<>,
    .doc = "Wakes waiters of a word; the result is how many there were."};

inline constexpr field_row futex_waitv_fields[] = {
    {.name = "words",
     .kind = field_kind::futex_waitv,
     .at = member::addr,
     .length_at = member::len,
     .required = true,
     .doc = "1 to 128 words with their values"},
};
inline constexpr op_row futex_waitv_row{
    .name = "futex_waitv",
    .opcode = compat::op_futex_waitv,
    .since = "6.7",
    .fields = futex_waitv_fields,
    .constants = fd_zero,
    .result = result_kind::value,
    .success = success_rule::non_negative,
    .cls = cls::futex,
    .errnos = errors<EAGAIN>,
    .doc = "Waits on several words; the result is the index of one that was woken."};

}  // namespace uring::rows
