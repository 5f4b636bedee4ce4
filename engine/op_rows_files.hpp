// Rows of the op table that work on names: open, close, stat, rename, links, extended attributes.
// Private to op_table.cpp.
#pragma once

#include "engine/op_row_parts.hpp"

namespace uring::rows {

inline constexpr field_row openat_fields[] = {
    dir(),
    path_at("path", member::addr),
    bits("open_flags", uring::flags::open_flags),
    {.name = "mode", .kind = mode, .at = member::len, .doc = "permissions of a new file"},
    slot("5.15"),
};
inline constexpr auto& open_errors =
    errors<ENOENT, EEXIST, EISDIR, ENOTDIR, ELOOP, ENXIO, EMFILE, ENFILE, ENAMETOOLONG, EPERM,
           EROFS, ENOSPC, EDQUOT, ETXTBSY, EBADF, EAGAIN, EFBIG, EOVERFLOW, ENODEV, EBUSY,
           EOPNOTSUPP>;
inline constexpr op_row openat{
    .name = "openat",
    .opcode = IORING_OP_OPENAT,
    .since = "5.6",
    .fields = openat_fields,
    .result = result_kind::descriptor,
    .success = success_rule::non_negative,
    .cls = cls::worker,
    .ended = "yes, in its worker, too",
    .errnos = open_errors,
    .doc =
        "Opens a file; the result is its descriptor or slot. A FIFO does not block it: a reader "
        "opens at once, a writer gets ENXIO, unless `async` sends it to a worker. cloexec with a "
        "slot is EINVAL."};

inline constexpr field_row openat2_fields[] = {
    dir(),
    path_at("path", member::addr),
    {.name = "open_how",
     .kind = field_kind::open_how,
     .at = member::off,
     .length_at = member::len,
     .required = true,
     .doc = "flags, mode and how the path is resolved"},
    slot("5.15"),
};
inline constexpr op_row openat2{
    .name = "openat2",
    .opcode = IORING_OP_OPENAT2,
    .since = "5.6",
    .fields = openat2_fields,
    .result = result_kind::descriptor,
    .success = success_rule::non_negative,
    .cls = cls::worker,
    .ended = "yes, in its worker, too",
    .errnos = errors<ENOENT, EEXIST, EISDIR, ENOTDIR, ELOOP, ENXIO, EMFILE, ENFILE, ENAMETOOLONG,
                     EPERM, EROFS, ENOSPC, EDQUOT, ETXTBSY, EBADF, EAGAIN, EXDEV, E2BIG, EFBIG,
                     EOVERFLOW, ENODEV, EBUSY, EOPNOTSUPP>,
    .doc =
        "openat with limits on how the path is resolved: EXDEV when it would leave `beneath`, "
        "EAGAIN when `cached` is not enough."};

inline constexpr field_row close_fields[] = {
    {.name = "fd", .kind = descriptor, .at = member::fd, .doc = "the descriptor to close"},
    {.name = "file_index",
     .kind = file_index,
     .at = member::file_index,
     .since = "5.15",
     .doc = "the slot to empty instead (1-based); fd must then be 0"},
};
inline constexpr op_row close{
    .name = "close",
    .opcode = IORING_OP_CLOSE,
    .since = "5.6",
    .fields = close_fields,
    .success = success_rule::zero,
    .cls = cls::inline_,
    .takes_descriptor = true,
    .errnos = errors<EIO, ENXIO, ENOSPC, EDQUOT, EAGAIN, EINTR, ESTALE>,
    .doc =
        "Closes a descriptor or empties a slot. What is pending on it goes on: a recv may even "
        "still get data, so cancel first. EBADF on a ring's own descriptor."};

inline constexpr field_row statx_fields[] = {
    dir(),
    path_at("path", member::addr),
    bits("statx_flags", uring::flags::statx_flags),
    bits("mask", uring::flags::statx_mask, member::len),
    {.name = "statx",
     .kind = statx_out,
     .at = member::off,
     .required = true,
     .doc = "where the answer is stored"},
};
inline constexpr auto& path_errors =
    errors<ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EBADF, EIO, EPERM, EROFS, EEXIST, ENOSPC, EDQUOT,
           EXDEV, EMLINK, EBUSY, ENOTEMPTY, EISDIR, EOPNOTSUPP>;
inline constexpr op_row statx{
    .name = "statx",
    .opcode = IORING_OP_STATX,
    .since = "5.6",
    .fields = statx_fields,
    .success = success_rule::zero,
    .cls = cls::worker,
    .errnos = errors<ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EBADF, EIO>,
    .doc = "Reads a file's metadata, in a worker; 0, and the answer in memory."};

inline constexpr field_row renameat_fields[] = {
    dir(), path_at("path", member::addr), dir("newdirfd", member::len),
    path_at("newpath", member::off), bits("rename_flags", uring::flags::rename_flags)};
inline constexpr op_row renameat{
    .name = "renameat",
    .opcode = IORING_OP_RENAMEAT,
    .since = "5.11",
    .fields = renameat_fields,
    .success = success_rule::zero,
    .cls = cls::worker,
    .errnos = path_errors,
    .doc = "Renames a file, in a worker. EEXIST when `noreplace` finds the new name taken."};

inline constexpr field_row unlinkat_fields[] = {dir(), path_at("path", member::addr),
                                                bits("unlink_flags", uring::flags::unlink_flags)};
inline constexpr op_row unlinkat{
    .name = "unlinkat",
    .opcode = IORING_OP_UNLINKAT,
    .since = "5.11",
    .fields = unlinkat_fields,
    .success = success_rule::zero,
    .cls = cls::worker,
    .errnos = path_errors,
    .doc = "Removes a name, with `removedir` an empty directory, in a worker."};

inline constexpr field_row mkdirat_fields[] = {
    dir(),
    path_at("path", member::addr),
    {.name = "mode", .kind = mode, .at = member::len, .doc = "permissions of the directory"}};
inline constexpr op_row mkdirat{.name = "mkdirat",
                                .opcode = IORING_OP_MKDIRAT,
                                .since = "5.15",
                                .fields = mkdirat_fields,
                                .success = success_rule::zero,
                                .cls = cls::worker,
                                .errnos = path_errors,
                                .doc = "Makes a directory, in a worker."};

inline constexpr field_row symlinkat_fields[] = {path_at("target", member::addr), dir(),
                                                 path_at("path", member::off)};
inline constexpr op_row symlinkat{
    .name = "symlinkat",
    .opcode = IORING_OP_SYMLINKAT,
    .since = "5.15",
    .fields = symlinkat_fields,
    .success = success_rule::zero,
    .cls = cls::worker,
    .errnos = path_errors,
    .doc = "Makes a symbolic link named `path` that says `target`, in a worker."};

inline constexpr field_row linkat_fields[] = {
    dir(), path_at("path", member::addr), dir("newdirfd", member::len),
    path_at("newpath", member::off), bits("link_flags", uring::flags::link_flags)};
inline constexpr op_row linkat{.name = "linkat",
                               .opcode = IORING_OP_LINKAT,
                               .since = "5.15",
                               .fields = linkat_fields,
                               .success = success_rule::zero,
                               .cls = cls::worker,
                               .errnos = path_errors,
                               .doc = "Gives a file a second name, in a worker."};

inline constexpr auto& xattr_errors =
    errors<ENODATA, ERANGE, EEXIST, EOPNOTSUPP, ENOSPC, EDQUOT, EPERM, EROFS, E2BIG, ENOENT,
           ENOTDIR, ELOOP, ENAMETOOLONG, EIO, EBADF>;
inline constexpr field_row attribute{.name = "attribute",
                                     .kind = text,
                                     .at = member::addr,
                                     .required = true,
                                     .doc = "name with its namespace, user.note"};
inline constexpr field_row attribute_value{.name = "data",
                                           .kind = data_out,
                                           .at = member::addr2,
                                           .length_at = member::len,
                                           .doc = "the value"};
inline constexpr field_row attribute_room{.name = "len",
                                          .kind = buffer_in,
                                          .at = member::addr2,
                                          .length_at = member::len,
                                          .doc = "room for the value; 0 asks for its length"};

inline constexpr field_row fsetxattr_fields[] = {fd(), attribute, attribute_value,
                                                 bits("xattr_flags", uring::flags::xattr_flags)};
inline constexpr op_row fsetxattr{
    .name = "fsetxattr",
    .opcode = IORING_OP_FSETXATTR,
    .since = "5.19",
    .fields = fsetxattr_fields,
    .success = success_rule::zero,
    .cls = cls::worker,
    .takes_descriptor = true,
    .errnos = xattr_errors,
    .doc = "Sets an extended attribute of an open file, in a worker."};

inline constexpr field_row setxattr_fields[] = {path_at("path", member::addr3), attribute,
                                                attribute_value,
                                                bits("xattr_flags", uring::flags::xattr_flags)};
inline constexpr op_row setxattr{
    .name = "setxattr",
    .opcode = IORING_OP_SETXATTR,
    .since = "5.19",
    .fields = setxattr_fields,
    .constants = fd_zero,
    .success = success_rule::zero,
    .cls = cls::worker,
    .errnos = xattr_errors,
    .doc = "Sets an extended attribute of a file by name, in a worker."};

inline constexpr field_row fgetxattr_fields[] = {fd(), attribute, attribute_room};
inline constexpr op_row fgetxattr{
    .name = "fgetxattr",
    .opcode = IORING_OP_FGETXATTR,
    .since = "5.19",
    .fields = fgetxattr_fields,
    .result = result_kind::bytes,
    .success = success_rule::non_negative,
    .cls = cls::worker,
    .takes_descriptor = true,
    .errnos = xattr_errors,
    .doc =
        "Reads an extended attribute of an open file; the result is its length, ERANGE when the "
        "room is too small."};

inline constexpr field_row getxattr_fields[] = {path_at("path", member::addr3), attribute,
                                                attribute_room};
inline constexpr op_row getxattr{
    .name = "getxattr",
    .opcode = IORING_OP_GETXATTR,
    .since = "5.19",
    .fields = getxattr_fields,
    .constants = fd_zero,
    .result = result_kind::bytes,
    .success = success_rule::non_negative,
    .cls = cls::worker,
    .errnos = xattr_errors,
    .doc = "Reads an extended attribute of a file by name; the result is its length."};

}  // namespace uring::rows
