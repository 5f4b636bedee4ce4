// The tables behind flag_sets.hpp. Numbers come from the system's headers, from kernel_compat.hpp
// where those are too old. Only data: flag_sets.cpp searches it.

#include "engine/flag_sets.hpp"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "engine/kernel_compat.hpp"

namespace uring {
namespace {

constexpr flag_name bit(std::string_view name, uint64_t bits, std::string_view since = {}) {
  return {name, bits, bits, since};
}

// A value of a field that is wider than one bit.
constexpr flag_name within(std::string_view name, uint64_t bits, uint64_t mask) {
  return {name, bits, mask, {}};
}

// A choice names the whole value, so its mask is everything.
constexpr flag_name pick(std::string_view name, uint64_t value, std::string_view since = {}) {
  return {name, value, ~uint64_t{0}, since};
}

constexpr flag_name sqe_names[] = {
    bit("fixed_file", IOSQE_FIXED_FILE),
    bit("io_drain", IOSQE_IO_DRAIN),
    bit("io_link", IOSQE_IO_LINK),
    bit("io_hardlink", IOSQE_IO_HARDLINK),
    bit("async", IOSQE_ASYNC),
    bit("buffer_select", IOSQE_BUFFER_SELECT),
    bit("cqe_skip_success", IOSQE_CQE_SKIP_SUCCESS, "5.17"),
};

// The upper 16 bits of cqe->flags are a buffer id, not flags: callers mask them off.
constexpr flag_name cqe_names[] = {
    bit("buffer", IORING_CQE_F_BUFFER),
    bit("more", IORING_CQE_F_MORE),
    bit("sock_nonempty", IORING_CQE_F_SOCK_NONEMPTY, "5.19"),
    bit("notif", IORING_CQE_F_NOTIF, "6.0"),
    bit("buf_more", compat::cqe_f_buf_more, "6.12"),
    bit("skip", compat::cqe_f_skip, "6.18"),
    bit("32", compat::cqe_f_32, "6.18"),
};

constexpr flag_name setup_names[] = {
    bit("iopoll", IORING_SETUP_IOPOLL, "5.1"),
    bit("sqpoll", IORING_SETUP_SQPOLL, "5.1"),
    bit("sq_aff", IORING_SETUP_SQ_AFF, "5.1"),
    bit("cqsize", IORING_SETUP_CQSIZE, "5.5"),
    bit("clamp", IORING_SETUP_CLAMP, "5.6"),
    bit("attach_wq", IORING_SETUP_ATTACH_WQ, "5.6"),
    bit("r_disabled", IORING_SETUP_R_DISABLED, "5.10"),
    bit("submit_all", IORING_SETUP_SUBMIT_ALL, "5.18"),
    bit("coop_taskrun", IORING_SETUP_COOP_TASKRUN, "5.19"),
    bit("taskrun_flag", IORING_SETUP_TASKRUN_FLAG, "5.19"),
    bit("sqe128", IORING_SETUP_SQE128, "5.19"),
    bit("cqe32", IORING_SETUP_CQE32, "5.19"),
    bit("single_issuer", IORING_SETUP_SINGLE_ISSUER, "6.0"),
    bit("defer_taskrun", IORING_SETUP_DEFER_TASKRUN, "6.1"),
    bit("no_mmap", compat::setup_no_mmap, "6.5"),
    bit("registered_fd_only", compat::setup_registered_fd_only, "6.5"),
    bit("no_sqarray", compat::setup_no_sqarray, "6.6"),
    bit("hybrid_iopoll", compat::setup_hybrid_iopoll, "6.13"),
    bit("cqe_mixed", compat::setup_cqe_mixed, "6.18"),
    bit("sqe_mixed", compat::setup_sqe_mixed, "6.19"),
    bit("sq_rewind", compat::setup_sq_rewind, "7.0"),
};

constexpr flag_name feature_names[] = {
    bit("single_mmap", IORING_FEAT_SINGLE_MMAP, "5.4"),
    bit("nodrop", IORING_FEAT_NODROP, "5.5"),
    bit("submit_stable", IORING_FEAT_SUBMIT_STABLE, "5.5"),
    bit("rw_cur_pos", IORING_FEAT_RW_CUR_POS, "5.6"),
    bit("cur_personality", IORING_FEAT_CUR_PERSONALITY, "5.6"),
    bit("fast_poll", IORING_FEAT_FAST_POLL, "5.7"),
    bit("poll_32bits", IORING_FEAT_POLL_32BITS, "5.9"),
    bit("sqpoll_nonfixed", IORING_FEAT_SQPOLL_NONFIXED, "5.11"),
    bit("ext_arg", IORING_FEAT_EXT_ARG, "5.11"),
    bit("native_workers", IORING_FEAT_NATIVE_WORKERS, "5.12"),
    bit("rsrc_tags", IORING_FEAT_RSRC_TAGS, "5.13"),
    bit("cqe_skip", IORING_FEAT_CQE_SKIP, "5.17"),
    bit("linked_file", IORING_FEAT_LINKED_FILE, "5.17"),
    bit("reg_reg_ring", compat::feat_reg_reg_ring, "6.3"),
    bit("recvsend_bundle", compat::feat_recvsend_bundle, "6.10"),
    bit("min_timeout", compat::feat_min_timeout, "6.12"),
    bit("rw_attr", compat::feat_rw_attr, "6.14"),
    bit("no_iowait", compat::feat_no_iowait, "6.15"),
};

constexpr flag_name msg_names[] = {
    bit("oob", MSG_OOB),
    bit("peek", MSG_PEEK),
    bit("dontroute", MSG_DONTROUTE),
    bit("ctrunc", MSG_CTRUNC),
    bit("trunc", MSG_TRUNC),
    bit("dontwait", MSG_DONTWAIT),
    bit("eor", MSG_EOR),
    bit("waitall", MSG_WAITALL),
    bit("confirm", MSG_CONFIRM),
    bit("errqueue", MSG_ERRQUEUE),
    bit("nosignal", MSG_NOSIGNAL),
    bit("more", MSG_MORE),
    bit("waitforone", MSG_WAITFORONE),
    bit("zerocopy", MSG_ZEROCOPY),
    bit("fastopen", MSG_FASTOPEN),
    bit("cmsg_cloexec", MSG_CMSG_CLOEXEC),
};

constexpr flag_name rw_names[] = {
    bit("hipri", 0x01),
    bit("dsync", 0x02),
    bit("sync", 0x04),
    bit("nowait", 0x08),
    bit("append", 0x10),
    bit("noappend", compat::rwf_noappend, "6.9"),
    bit("atomic", compat::rwf_atomic, "6.11"),
    bit("dontcache", compat::rwf_dontcache, "6.14"),
};

constexpr flag_name fsync_names[] = {bit("datasync", IORING_FSYNC_DATASYNC)};

constexpr flag_name sync_range_names[] = {
    bit("wait_before", SYNC_FILE_RANGE_WAIT_BEFORE),
    bit("write", SYNC_FILE_RANGE_WRITE),
    bit("wait_after", SYNC_FILE_RANGE_WAIT_AFTER),
};

constexpr flag_name splice_names[] = {
    bit("move", SPLICE_F_MOVE),
    bit("nonblock", SPLICE_F_NONBLOCK),
    bit("more", SPLICE_F_MORE),
    bit("gift", SPLICE_F_GIFT),
    bit("fd_in_fixed", SPLICE_F_FD_IN_FIXED),
};

constexpr flag_name accept_names[] = {
    bit("nonblock", SOCK_NONBLOCK),
    bit("cloexec", SOCK_CLOEXEC),
};

constexpr flag_name accept_ioprio_names[] = {
    bit("multishot", IORING_ACCEPT_MULTISHOT, "5.19"),
    bit("dontwait", compat::accept_dontwait, "6.10"),
    bit("poll_first", compat::accept_poll_first, "6.10"),
};

constexpr flag_name recvsend_ioprio_names[] = {
    bit("poll_first", IORING_RECVSEND_POLL_FIRST, "5.19"),
    bit("multishot", IORING_RECV_MULTISHOT, "6.0"),
    bit("fixed_buf", IORING_RECVSEND_FIXED_BUF, "6.0"),
    bit("zc_report_usage", compat::send_zc_report_usage, "6.2"),
    bit("bundle", compat::recvsend_bundle, "6.10"),
    bit("vectorized", compat::send_vectorized, "6.17"),
};

constexpr flag_name timeout_names[] = {
    bit("abs", IORING_TIMEOUT_ABS, "5.5"),
    bit("update", IORING_TIMEOUT_UPDATE, "5.11"),
    bit("boottime", IORING_TIMEOUT_BOOTTIME, "5.15"),
    bit("realtime", IORING_TIMEOUT_REALTIME, "5.15"),
    bit("link_timeout_update", IORING_LINK_TIMEOUT_UPDATE, "5.15"),
    bit("etime_success", IORING_TIMEOUT_ETIME_SUCCESS, "5.16"),
    bit("multishot", compat::timeout_multishot, "6.4"),
    bit("immediate_arg", compat::timeout_immediate_arg, "7.1"),
};

constexpr flag_name cancel_names[] = {
    bit("all", IORING_ASYNC_CANCEL_ALL, "5.19"),
    bit("fd", IORING_ASYNC_CANCEL_FD, "5.19"),
    bit("any", IORING_ASYNC_CANCEL_ANY, "5.19"),
    bit("fd_fixed", IORING_ASYNC_CANCEL_FD_FIXED, "6.0"),
    bit("userdata", compat::cancel_userdata, "6.6"),
    bit("op", compat::cancel_op, "6.6"),
};

constexpr flag_name poll_names[] = {
    bit("in", POLLIN),
    bit("pri", POLLPRI),
    bit("out", POLLOUT),
    bit("err", POLLERR),
    bit("hup", POLLHUP),
    bit("nval", POLLNVAL),
    bit("rdnorm", POLLRDNORM),
    bit("rdband", POLLRDBAND),
    bit("wrnorm", POLLWRNORM),
    bit("wrband", POLLWRBAND),
    bit("msg", EPOLLMSG),
    bit("rdhup", EPOLLRDHUP),
    bit("exclusive", EPOLLEXCLUSIVE, "5.9"),
    bit("wakeup", EPOLLWAKEUP),
    bit("oneshot", EPOLLONESHOT),
    bit("et", EPOLLET),
};

constexpr flag_name poll_flag_names[] = {
    bit("multi", IORING_POLL_ADD_MULTI, "5.13"),
    bit("update_events", IORING_POLL_UPDATE_EVENTS, "5.13"),
    bit("update_user_data", IORING_POLL_UPDATE_USER_DATA, "5.13"),
    bit("level", IORING_POLL_ADD_LEVEL, "6.0"),
};

// O_TMPFILE contains O_DIRECTORY and O_SYNC contains O_DSYNC: the wider ones come first.
constexpr flag_name open_names[] = {
    within("rdonly", O_RDONLY, O_ACCMODE),
    within("wronly", O_WRONLY, O_ACCMODE),
    within("rdwr", O_RDWR, O_ACCMODE),
    bit("tmpfile", O_TMPFILE),
    bit("sync", O_SYNC),
    bit("creat", O_CREAT),
    bit("excl", O_EXCL),
    bit("noctty", O_NOCTTY),
    bit("trunc", O_TRUNC),
    bit("append", O_APPEND),
    bit("nonblock", O_NONBLOCK),
    bit("dsync", O_DSYNC),
    bit("async", O_ASYNC),
    bit("direct", O_DIRECT),
    bit("directory", O_DIRECTORY),
    bit("nofollow", O_NOFOLLOW),
    bit("noatime", O_NOATIME),
    bit("cloexec", O_CLOEXEC),
    bit("path", O_PATH),
};

constexpr flag_name resolve_names[] = {
    bit("no_xdev", RESOLVE_NO_XDEV),         bit("no_magiclinks", RESOLVE_NO_MAGICLINKS),
    bit("no_symlinks", RESOLVE_NO_SYMLINKS), bit("beneath", RESOLVE_BENEATH),
    bit("in_root", RESOLVE_IN_ROOT),         bit("cached", RESOLVE_CACHED, "5.12"),
};

constexpr flag_name at_names[] = {
    bit("symlink_nofollow", AT_SYMLINK_NOFOLLOW), bit("symlink_follow", AT_SYMLINK_FOLLOW),
    bit("no_automount", AT_NO_AUTOMOUNT),         bit("empty_path", AT_EMPTY_PATH),
    bit("statx_force_sync", AT_STATX_FORCE_SYNC), bit("statx_dont_sync", AT_STATX_DONT_SYNC),
};

constexpr flag_name statx_mask_names[] = {
    bit("all", 0x0fff),
    bit("basic_stats", STATX_BASIC_STATS),
    bit("type", STATX_TYPE),
    bit("mode", STATX_MODE),
    bit("nlink", STATX_NLINK),
    bit("uid", STATX_UID),
    bit("gid", STATX_GID),
    bit("atime", STATX_ATIME),
    bit("mtime", STATX_MTIME),
    bit("ctime", STATX_CTIME),
    bit("ino", STATX_INO),
    bit("size", STATX_SIZE),
    bit("blocks", STATX_BLOCKS),
    bit("btime", STATX_BTIME),
    bit("mnt_id", 0x1000, "5.8"),
    bit("dioalign", 0x2000, "6.1"),
    bit("mnt_id_unique", 0x4000, "6.8"),
    bit("subvol", 0x8000, "6.10"),
    bit("write_atomic", 0x10000, "6.11"),
};

constexpr flag_name rename_names[] = {bit("noreplace", 1), bit("exchange", 2), bit("whiteout", 4)};
constexpr flag_name unlink_names[] = {bit("removedir", AT_REMOVEDIR)};
constexpr flag_name link_names[] = {bit("symlink_follow", AT_SYMLINK_FOLLOW),
                                    bit("empty_path", AT_EMPTY_PATH)};

constexpr flag_name fallocate_names[] = {
    bit("keep_size", FALLOC_FL_KEEP_SIZE),           bit("punch_hole", FALLOC_FL_PUNCH_HOLE),
    bit("collapse_range", FALLOC_FL_COLLAPSE_RANGE), bit("zero_range", FALLOC_FL_ZERO_RANGE),
    bit("insert_range", FALLOC_FL_INSERT_RANGE),     bit("unshare_range", FALLOC_FL_UNSHARE_RANGE),
};

constexpr flag_name xattr_names[] = {bit("create", XATTR_CREATE), bit("replace", XATTR_REPLACE)};

constexpr flag_name nop_names[] = {
    bit("inject_result", compat::nop_inject_result, "6.10"),
    bit("file", compat::nop_file, "6.13"),
    bit("fixed_file", compat::nop_fixed_file, "6.13"),
    bit("fixed_buffer", compat::nop_fixed_buffer, "6.13"),
    bit("tw", compat::nop_tw, "6.15"),
    bit("cqe32", compat::nop_cqe32, "6.18"),
};

constexpr flag_name msg_ring_names[] = {
    bit("cqe_skip", IORING_MSG_RING_CQE_SKIP, "6.0"),
    bit("flags_pass", compat::msg_ring_flags_pass, "6.3"),
};

constexpr flag_name install_names[] = {bit("no_cloexec", compat::fixed_fd_no_cloexec)};

constexpr flag_name uring_cmd_names[] = {
    bit("fixed", IORING_URING_CMD_FIXED),
    bit("multishot", compat::uring_cmd_multishot, "6.18"),
};

// O_NOTIFICATION_PIPE shares O_EXCL's bit.
constexpr flag_name pipe_names[] = {bit("nonblock", O_NONBLOCK), bit("cloexec", O_CLOEXEC),
                                    bit("direct", O_DIRECT), bit("notification", O_EXCL)};

// futex2 flags: the low two bits are the size of the word.
constexpr flag_name futex_names[] = {within("u8", 0, 3),  within("u16", 1, 3),
                                     within("u32", 2, 3), within("u64", 3, 3),
                                     bit("numa", 0x04),   bit("private", 0x80)};

constexpr flag_name waitid_names[] = {bit("nohang", WNOHANG), bit("stopped", WSTOPPED),
                                      bit("exited", WEXITED), bit("continued", WCONTINUED),
                                      bit("nowait", WNOWAIT)};

constexpr flag_name domain_names[] = {pick("inet", AF_INET),     pick("inet6", AF_INET6),
                                      pick("unix", AF_UNIX),     pick("netlink", AF_NETLINK),
                                      pick("packet", AF_PACKET), pick("vsock", AF_VSOCK),
                                      pick("unspec", AF_UNSPEC)};

// The type shares its argument with two flags, so this is a set of flags with a wide field in it.
constexpr flag_name type_names[] = {
    within("stream", SOCK_STREAM, 0xf),
    within("dgram", SOCK_DGRAM, 0xf),
    within("raw", SOCK_RAW, 0xf),
    within("rdm", SOCK_RDM, 0xf),
    within("seqpacket", SOCK_SEQPACKET, 0xf),
    bit("nonblock", SOCK_NONBLOCK),
    bit("cloexec", SOCK_CLOEXEC),
};

constexpr flag_name protocol_names[] = {
    pick("ip", IPPROTO_IP),     pick("icmp", IPPROTO_ICMP), pick("tcp", IPPROTO_TCP),
    pick("udp", IPPROTO_UDP),   pick("ipv6", IPPROTO_IPV6), pick("icmpv6", IPPROTO_ICMPV6),
    pick("sctp", IPPROTO_SCTP), pick("raw", IPPROTO_RAW),   pick("mptcp", 262, "5.6")};

constexpr flag_name how_names[] = {pick("rd", SHUT_RD), pick("wr", SHUT_WR),
                                   pick("rdwr", SHUT_RDWR)};

constexpr flag_name fadvise_names[] = {
    pick("normal", POSIX_FADV_NORMAL),         pick("random", POSIX_FADV_RANDOM),
    pick("sequential", POSIX_FADV_SEQUENTIAL), pick("willneed", POSIX_FADV_WILLNEED),
    pick("dontneed", POSIX_FADV_DONTNEED),     pick("noreuse", POSIX_FADV_NOREUSE)};

constexpr flag_name madvise_names[] = {
    pick("normal", MADV_NORMAL),
    pick("random", MADV_RANDOM),
    pick("sequential", MADV_SEQUENTIAL),
    pick("willneed", MADV_WILLNEED),
    pick("dontneed", MADV_DONTNEED),
    pick("free", MADV_FREE),
    pick("remove", MADV_REMOVE),
    pick("dontfork", MADV_DONTFORK),
    pick("dofork", MADV_DOFORK),
    pick("mergeable", MADV_MERGEABLE),
    pick("unmergeable", MADV_UNMERGEABLE),
    pick("hugepage", MADV_HUGEPAGE),
    pick("nohugepage", MADV_NOHUGEPAGE),
    pick("dontdump", MADV_DONTDUMP),
    pick("dodump", MADV_DODUMP),
    pick("wipeonfork", MADV_WIPEONFORK),
    pick("keeponfork", MADV_KEEPONFORK),
    pick("cold", 20, "5.4"),
    pick("pageout", 21, "5.4"),
    pick("populate_read", 22, "5.14"),
    pick("populate_write", 23, "5.14"),
};

constexpr flag_name epoll_op_names[] = {pick("add", EPOLL_CTL_ADD), pick("del", EPOLL_CTL_DEL),
                                        pick("mod", EPOLL_CTL_MOD)};

constexpr flag_name idtype_names[] = {pick("all", P_ALL), pick("pid", P_PID), pick("pgid", P_PGID),
                                      pick("pidfd", 3)};

constexpr flag_name msg_ring_command_names[] = {pick("data", IORING_MSG_DATA),
                                                pick("send_fd", IORING_MSG_SEND_FD, "6.0")};

constexpr flag_name socket_command_names[] = {
    pick("siocinq", compat::socket_op_siocinq, "6.7"),
    pick("siocoutq", compat::socket_op_siocoutq, "6.7"),
    pick("getsockopt", compat::socket_op_getsockopt, "6.7"),
    pick("setsockopt", compat::socket_op_setsockopt, "6.7"),
    pick("tx_timestamp", compat::socket_op_tx_timestamp, "6.17"),
    pick("getsockname", compat::socket_op_getsockname, "6.19"),
};

constexpr flag_name level_names[] = {pick("socket", SOL_SOCKET), pick("ip", IPPROTO_IP),
                                     pick("ipv6", IPPROTO_IPV6), pick("tcp", IPPROTO_TCP),
                                     pick("udp", IPPROTO_UDP)};

}  // namespace

namespace flags {

using enum set_kind;

// `extern` in the header gives these external linkage; constinit keeps them out of start-up code.
#define URING_FLAG_SET(set, kind, names) \
  constinit const flag_set set {         \
    #set, kind, names                    \
  }
URING_FLAG_SET(sqe_flags, flags, sqe_names);
URING_FLAG_SET(cqe_flags, flags, cqe_names);
URING_FLAG_SET(setup_flags, flags, setup_names);
URING_FLAG_SET(features, flags, feature_names);
URING_FLAG_SET(msg_flags, flags, msg_names);
URING_FLAG_SET(rw_flags, flags, rw_names);
URING_FLAG_SET(fsync_flags, flags, fsync_names);
URING_FLAG_SET(sync_range_flags, flags, sync_range_names);
URING_FLAG_SET(splice_flags, flags, splice_names);
URING_FLAG_SET(accept_flags, flags, accept_names);
URING_FLAG_SET(accept_ioprio, flags, accept_ioprio_names);
URING_FLAG_SET(recvsend_ioprio, flags, recvsend_ioprio_names);
URING_FLAG_SET(timeout_flags, flags, timeout_names);
URING_FLAG_SET(cancel_flags, flags, cancel_names);
URING_FLAG_SET(poll_events, flags, poll_names);
URING_FLAG_SET(poll_flags, flags, poll_flag_names);
URING_FLAG_SET(epoll_events, flags, poll_names);
URING_FLAG_SET(open_flags, flags, open_names);
URING_FLAG_SET(resolve_flags, flags, resolve_names);
URING_FLAG_SET(statx_flags, flags, at_names);
URING_FLAG_SET(statx_mask, flags, statx_mask_names);
URING_FLAG_SET(at_flags, flags, at_names);
URING_FLAG_SET(rename_flags, flags, rename_names);
URING_FLAG_SET(unlink_flags, flags, unlink_names);
URING_FLAG_SET(link_flags, flags, link_names);
URING_FLAG_SET(fallocate_mode, flags, fallocate_names);
URING_FLAG_SET(xattr_flags, flags, xattr_names);
URING_FLAG_SET(nop_flags, flags, nop_names);
URING_FLAG_SET(msg_ring_flags, flags, msg_ring_names);
URING_FLAG_SET(install_fd_flags, flags, install_names);
URING_FLAG_SET(uring_cmd_flags, flags, uring_cmd_names);
URING_FLAG_SET(pipe_flags, flags, pipe_names);
URING_FLAG_SET(futex_flags, flags, futex_names);
URING_FLAG_SET(waitid_options, flags, waitid_names);
URING_FLAG_SET(socket_domain, choice, domain_names);
URING_FLAG_SET(socket_type, flags, type_names);
URING_FLAG_SET(socket_protocol, choice, protocol_names);
URING_FLAG_SET(shutdown_how, choice, how_names);
URING_FLAG_SET(fadvise_advice, choice, fadvise_names);
URING_FLAG_SET(madvise_advice, choice, madvise_names);
URING_FLAG_SET(epoll_op, choice, epoll_op_names);
URING_FLAG_SET(waitid_idtype, choice, idtype_names);
URING_FLAG_SET(msg_ring_command, choice, msg_ring_command_names);
URING_FLAG_SET(socket_command, choice, socket_command_names);
URING_FLAG_SET(socket_level, choice, level_names);
#undef URING_FLAG_SET

}  // namespace flags

}  // namespace uring
