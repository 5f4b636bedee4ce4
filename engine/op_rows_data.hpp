// Rows of the op table that move bytes of files and pipes, or give advice about them. Private to
// op_table.cpp.
#pragma once

#include "engine/op_row_parts.hpp"

namespace uring::rows {

// Sockets and pipes answer through read and write too, with their own errors.
inline constexpr auto& read_errors =
    errors<EAGAIN, EISDIR, EIO, ECONNRESET, ENOTCONN, ETIMEDOUT, ENOBUFS, EOPNOTSUPP, ENXIO,
           EOVERFLOW, ESPIPE, ECONNREFUSED, ESTALE>;
inline constexpr auto& write_errors =
    errors<EAGAIN, EPIPE, ECONNRESET, EFBIG, ENOSPC, EDQUOT, EIO, EPERM, EROFS, EOPNOTSUPP, ENXIO,
           ENOTCONN, EDESTADDRREQ, ETIMEDOUT, ESPIPE, EMSGSIZE, ESTALE>;

inline constexpr field_row readv_fields[] = {fd(), iov(iov_in), file_offset(), rw_flags(), group()};
inline constexpr op_row readv{
    .name = "readv",
    .opcode = IORING_OP_READV,
    .since = "5.1",
    .fields = readv_fields,
    .result = result_kind::bytes,
    .success = success_rule::non_negative,
    .cls = cls::poll,
    .takes_descriptor = true,
    .buffer_select = true,
    .errnos = read_errors,
    .doc =
        "Reads into several buffers; the result is the number of bytes, 0 at the end. A short "
        "read breaks a soft link. Buffer selection needs exactly one element."};

inline constexpr field_row writev_fields[] = {fd(), iov(iov_out), file_offset(), rw_flags()};
inline constexpr op_row writev{
    .name = "writev",
    .opcode = IORING_OP_WRITEV,
    .since = "5.1",
    .fields = writev_fields,
    .result = result_kind::bytes,
    .success = success_rule::non_negative,
    .cls = cls::poll,
    .takes_descriptor = true,
    .errnos = write_errors,
    .doc =
        "Writes from several places; the result is the number of bytes. On a pipe or socket "
        "without a reader EPIPE and, except on SQPOLL rings, SIGPIPE."};

inline constexpr field_row read_fields[] = {fd(), room(), file_offset(), rw_flags(), group()};
inline constexpr op_row read{
    .name = "read",
    .opcode = IORING_OP_READ,
    .since = "5.6",
    .fields = read_fields,
    .result = result_kind::bytes,
    .success = success_rule::non_negative,
    .cls = cls::poll,
    .takes_descriptor = true,
    .buffer_select = true,
    .errnos = read_errors,
    .doc =
        "Reads bytes; the result is how many, 0 at the end. O_NONBLOCK does not make it EAGAIN, "
        "only nowait does. A short read breaks a soft link."};

inline constexpr field_row write_fields[] = {fd(), data(), file_offset(), rw_flags()};
inline constexpr op_row write{
    .name = "write",
    .opcode = IORING_OP_WRITE,
    .since = "5.6",
    .fields = write_fields,
    .result = result_kind::bytes,
    .success = success_rule::non_negative,
    .cls = cls::poll,
    .takes_descriptor = true,
    .errnos = write_errors,
    .doc =
        "Writes bytes; the result is how many. On a pipe or socket without a reader EPIPE and, "
        "except on SQPOLL rings, SIGPIPE in the submitter."};

inline constexpr field_row fixed_read_fields[] = {fd(), registered_buffer(), registered_place(),
                                                  file_offset(), rw_flags()};
inline constexpr op_row read_fixed{
    .name = "read_fixed",
    .opcode = IORING_OP_READ_FIXED,
    .since = "5.1",
    .fields = fixed_read_fields,
    .result = result_kind::bytes,
    .success = success_rule::non_negative,
    .cls = cls::poll,
    .takes_descriptor = true,
    .errnos = read_errors,
    .doc = "read into a registered buffer. EFAULT when the index or the range is not one."};
inline constexpr op_row write_fixed{
    .name = "write_fixed",
    .opcode = IORING_OP_WRITE_FIXED,
    .since = "5.1",
    .fields = fixed_read_fields,
    .result = result_kind::bytes,
    .success = success_rule::non_negative,
    .cls = cls::poll,
    .takes_descriptor = true,
    .errnos = write_errors,
    .doc = "write from a registered buffer. EFAULT when the index or the range is not one."};

inline constexpr field_row readv_fixed_fields[] = {fd(), iov(iov_in), registered_buffer(),
                                                   file_offset(), rw_flags()};
inline constexpr op_row readv_fixed{.name = "readv_fixed",
                                    .opcode = compat::op_readv_fixed,
                                    .since = "6.15",
                                    .fields = readv_fixed_fields,
                                    .result = result_kind::bytes,
                                    .success = success_rule::non_negative,
                                    .cls = cls::poll,
                                    .takes_descriptor = true,
                                    .errnos = read_errors,
                                    .doc = "readv into several ranges of one registered buffer."};
inline constexpr field_row writev_fixed_fields[] = {fd(), iov(iov_out), registered_buffer(),
                                                    file_offset(), rw_flags()};
inline constexpr op_row writev_fixed{.name = "writev_fixed",
                                     .opcode = compat::op_writev_fixed,
                                     .since = "6.15",
                                     .fields = writev_fixed_fields,
                                     .result = result_kind::bytes,
                                     .success = success_rule::non_negative,
                                     .cls = cls::poll,
                                     .takes_descriptor = true,
                                     .errnos = write_errors,
                                     .doc = "writev from several ranges of one registered buffer."};

inline constexpr field_row read_multishot_fields[] = {
    fd(),
    count_at("len", member::len, "most bytes for one completion; 0 = the buffer's size"),
    file_offset(),
    group(),
};
inline constexpr op_row read_multishot{
    .name = "read_multishot",
    .opcode = compat::op_read_multishot,
    .since = "6.7",
    .fields = read_multishot_fields,
    .result = result_kind::bytes,
    .success = success_rule::non_negative,
    .cls = cls::poll,
    .shot = shots::multi,
    .takes_descriptor = true,
    .buffer_select = true,
    .errnos = errors<EAGAIN, EBADFD, ENOBUFS, EIO, ECONNRESET>,
    .doc =
        "Reads each time there is something, always into provided buffers; 0 at the end comes "
        "without MORE. EBADFD on a regular file."};

inline constexpr field_row splice_fields[] = {
    {.name = "fd_in",
     .kind = descriptor,
     .at = member::splice_fd_in,
     .required = true,
     .doc = "where bytes come from; a slot with fd_in_fixed"},
    {.name = "off_in",
     .kind = offset,
     .at = member::splice_off_in,
     .doc = "offset there; -1 for a pipe or the file's position"},
    fd("where bytes go"),
    file_offset(),
    count_at("len", member::len, "number of bytes"),
    bits("splice_flags", uring::flags::splice_flags),
};
inline constexpr op_row splice{
    .name = "splice",
    .opcode = IORING_OP_SPLICE,
    .since = "5.7",
    .fields = splice_fields,
    .result = result_kind::bytes,
    .success = success_rule::non_negative,
    .cls = cls::worker,
    .ended = "yes, in its worker, too",
    .takes_descriptor = true,
    .errnos = errors<EAGAIN, ESPIPE, EPIPE, EIO, ENOSPC>,
    .doc =
        "Moves bytes between a pipe and a file; the result is how many, 0 at the end. It always "
        "blocks in a worker: a link timeout does not end it, a cancel answers EALREADY and the "
        "splice 512."};

inline constexpr field_row tee_fields[] = {
    {.name = "fd_in",
     .kind = descriptor,
     .at = member::splice_fd_in,
     .required = true,
     .doc = "pipe that bytes are copied from; a slot with fd_in_fixed"},
    fd("pipe that bytes are copied to"),
    count_at("len", member::len, "number of bytes"),
    bits("splice_flags", uring::flags::splice_flags),
};
inline constexpr op_row tee{
    .name = "tee",
    .opcode = IORING_OP_TEE,
    .since = "5.8",
    .fields = tee_fields,
    .result = result_kind::bytes,
    .success = success_rule::non_negative,
    .cls = cls::worker,
    .ended = "yes, in its worker, too",
    .takes_descriptor = true,
    .errnos = errors<EAGAIN, EPIPE>,
    .doc =
        "Copies bytes from one pipe to another without taking them out; blocks in a worker as "
        "splice does."};

inline constexpr field_row fsync_fields[] = {
    fd(),
    bits("fsync_flags", uring::flags::fsync_flags),
    file_offset(),
    count_at("len", member::len, "number of bytes; 0 = to the end"),
};
inline constexpr op_row fsync{
    .name = "fsync",
    .opcode = IORING_OP_FSYNC,
    .since = "5.1",
    .fields = fsync_fields,
    .success = success_rule::zero,
    .cls = cls::worker,
    .takes_descriptor = true,
    .errnos = errors<EIO, ENOSPC, EROFS, EDQUOT, ESTALE>,
    .doc = "Writes a file's data to the device, always in a worker; EINVAL on a pipe."};

inline constexpr field_row sync_file_range_fields[] = {
    fd(),
    count_at("len", member::len, "number of bytes; 0 = to the end"),
    file_offset(),
    bits("sync_range_flags", uring::flags::sync_range_flags),
};
inline constexpr op_row sync_file_range{
    .name = "sync_file_range",
    .opcode = IORING_OP_SYNC_FILE_RANGE,
    .since = "5.2",
    .fields = sync_file_range_fields,
    .success = success_rule::zero,
    .cls = cls::worker,
    .takes_descriptor = true,
    .errnos = errors<EIO, ENOSPC, ESPIPE>,
    .doc = "Writes a part of a file to the device; no metadata, so no guarantee after a crash."};

inline constexpr field_row fallocate_fields[] = {
    fd(),
    bits("mode", uring::flags::fallocate_mode, member::len),
    file_offset(),
    count_at("len", member::addr, "number of bytes"),
};
inline constexpr op_row fallocate{
    .name = "fallocate",
    .opcode = IORING_OP_FALLOCATE,
    .since = "5.6",
    .fields = fallocate_fields,
    .success = success_rule::zero,
    .cls = cls::worker,
    .takes_descriptor = true,
    .errnos = errors<EFBIG, EIO, ENODEV, ENOSPC, EOPNOTSUPP, EPERM, ESPIPE, ETXTBSY, ENOSYS, EDQUOT,
                     ESTALE>,
    .doc =
        "Reserves, punches or zeroes a range of a file, in a worker. The SQE keeps the length "
        "in addr and the mode in len."};

inline constexpr field_row ftruncate_fields[] = {
    fd(),
    {.name = "len", .kind = signed_number, .at = member::off, .doc = "new size in bytes"},
};
inline constexpr op_row ftruncate{
    .name = "ftruncate",
    .opcode = compat::op_ftruncate,
    .since = "6.9",
    .fields = ftruncate_fields,
    .success = success_rule::zero,
    .cls = cls::worker,
    .takes_descriptor = true,
    .errnos = errors<EFBIG, EIO, ENOSPC, EDQUOT, EPERM, EROFS, ETXTBSY, ESTALE>,
    .doc =
        "Sets a file's size, in a worker. EINVAL for a negative size or a read-only descriptor."};

inline constexpr field_row fadvise_fields[] = {
    fd(),
    file_offset(),
    count_at("len", member::len, "number of bytes; 0 = to the end"),
    one_of("advice", uring::flags::fadvise_advice, member::op_flags, "how it will be used"),
};
inline constexpr op_row fadvise{
    .name = "fadvise",
    .opcode = IORING_OP_FADVISE,
    .since = "5.6",
    .fields = fadvise_fields,
    .success = success_rule::zero,
    .cls = cls::worker,
    .takes_descriptor = true,
    .errnos = errors<ESPIPE>,
    .doc =
        "Says how a range of a file will be used. normal, random and sequential complete at "
        "once, the others in a worker."};

inline constexpr field_row madvise_fields[] = {
    {.name = "addr", .kind = address, .at = member::addr, .doc = "start of the memory"},
    count_at("len", member::len, "number of bytes"),
    one_of("advice", uring::flags::madvise_advice, member::op_flags, "how it will be used"),
};
inline constexpr op_row madvise{
    .name = "madvise",
    .opcode = IORING_OP_MADVISE,
    .since = "5.6",
    .fields = madvise_fields,
    .success = success_rule::zero,
    .cls = cls::worker,
    .errnos = errors<EAGAIN, EBADF, EIO, EPERM, EFAULT>,
    .doc = "Says how a range of memory will be used, in a worker. ENOMEM when it is not mapped."};

inline constexpr field_row pipe_fields[] = {
    {.name = "fds",
     .kind = descriptor_pair,
     .at = member::addr,
     .required = true,
     .doc = "where the read end and the write end are stored"},
    bits("pipe_flags", uring::flags::pipe_flags),
    slot(),
};
inline constexpr op_row pipe{
    .name = "pipe",
    .opcode = compat::op_pipe,
    .since = "6.16",
    .fields = pipe_fields,
    .constants = fd_zero,
    .success = success_rule::zero,
    .cls = cls::inline_,
    .errnos = errors<EMFILE, ENFILE, ENXIO>,
    .doc = "Makes a pipe; 0, and both ends' descriptors or slots in memory."};

}  // namespace uring::rows
