// What the kernel knows and liburing 2.3's headers do not: every opcode, flag, feature bit and
// register call up to Linux 6.19, each with the version that brought it, and the argument
// structures that grew since. Anything in the engine that needs a number newer than Linux 6.0
// takes it from here, never from a macro: the file compiles unchanged with liburing 2.9 and later,
// whose headers define the upper-case names. It holds constants only. Their presence says nothing
// about the running kernel: ask probe.hpp. Sources: include/uapi/linux/io_uring.h and the manual
// pages io_uring_enter(2), io_uring_setup(2), io_uring_register(2).
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>

namespace uring::compat {

// Opcodes that liburing 2.3 has no name for.
inline constexpr uint8_t op_read_multishot = 49;    // 6.7
inline constexpr uint8_t op_waitid = 50;            // 6.7
inline constexpr uint8_t op_futex_wait = 51;        // 6.7
inline constexpr uint8_t op_futex_wake = 52;        // 6.7
inline constexpr uint8_t op_futex_waitv = 53;       // 6.7
inline constexpr uint8_t op_fixed_fd_install = 54;  // 6.8
inline constexpr uint8_t op_ftruncate = 55;         // 6.9
inline constexpr uint8_t op_bind = 56;              // 6.11
inline constexpr uint8_t op_listen = 57;            // 6.11
inline constexpr uint8_t op_recv_zc = 58;           // 6.15
inline constexpr uint8_t op_epoll_wait = 59;        // 6.15
inline constexpr uint8_t op_readv_fixed = 60;       // 6.15
inline constexpr uint8_t op_writev_fixed = 61;      // 6.15
inline constexpr uint8_t op_pipe = 62;              // 6.16
inline constexpr uint8_t op_nop128 = 63;            // 6.19
inline constexpr uint8_t op_uring_cmd128 = 64;      // 6.19
inline constexpr unsigned op_count = 65;

// sqe->nop_flags (the place of rw_flags).
inline constexpr uint32_t nop_inject_result = 1U << 0;  // 6.10
inline constexpr uint32_t nop_file = 1U << 1;           // 6.13
inline constexpr uint32_t nop_fixed_file = 1U << 2;     // 6.13
inline constexpr uint32_t nop_fixed_buffer = 1U << 3;   // 6.13
inline constexpr uint32_t nop_tw = 1U << 4;             // 6.15
inline constexpr uint32_t nop_cqe32 = 1U << 5;          // 6.18

// sqe->timeout_flags.
inline constexpr uint32_t timeout_multishot = 1U << 6;      // 6.4
inline constexpr uint32_t timeout_immediate_arg = 1U << 7;  // 7.1

// sqe->cancel_flags.
inline constexpr uint32_t cancel_userdata = 1U << 4;  // 6.6
inline constexpr uint32_t cancel_op = 1U << 5;        // 6.6

// sqe->ioprio of send, recv and their relatives.
inline constexpr uint16_t send_zc_report_usage = 1U << 3;    // 6.2
inline constexpr uint16_t recvsend_bundle = 1U << 4;         // 6.10
inline constexpr uint16_t send_vectorized = 1U << 5;         // 6.17
inline constexpr int32_t notif_usage_zc_copied = INT32_MIN;  // res of a notification, 6.2

// sqe->ioprio of accept.
inline constexpr uint16_t accept_dontwait = 1U << 1;    // 6.10
inline constexpr uint16_t accept_poll_first = 1U << 2;  // 6.10

// sqe->uring_cmd_flags, sqe->msg_ring_flags, sqe->install_fd_flags.
inline constexpr uint32_t uring_cmd_multishot = 1U << 1;  // 6.18
inline constexpr uint32_t msg_ring_flags_pass = 1U << 1;  // 6.3
inline constexpr uint32_t fixed_fd_no_cloexec = 1U << 0;  // 6.8

// sqe->cmd_op of IORING_OP_URING_CMD on a socket.
inline constexpr uint32_t socket_op_siocinq = 0;       // 6.7
inline constexpr uint32_t socket_op_siocoutq = 1;      // 6.7
inline constexpr uint32_t socket_op_getsockopt = 2;    // 6.7
inline constexpr uint32_t socket_op_setsockopt = 3;    // 6.7
inline constexpr uint32_t socket_op_tx_timestamp = 4;  // 6.17
inline constexpr uint32_t socket_op_getsockname = 5;   // 6.19

// RWF_* for rw_flags.
inline constexpr uint32_t rwf_noappend = 0x20;   // 6.9
inline constexpr uint32_t rwf_atomic = 0x40;     // 6.11
inline constexpr uint32_t rwf_dontcache = 0x80;  // 6.14

// cqe->flags.
inline constexpr uint32_t cqe_f_buf_more = 1U << 4;  // 6.12
inline constexpr uint32_t cqe_f_skip = 1U << 5;      // 6.18, a filler of a mixed ring
inline constexpr uint32_t cqe_f_32 = 1U << 15;       // 6.18, this CQE takes 32 bytes
inline constexpr unsigned cqe_buffer_shift = 16;

// io_uring_setup(2).
inline constexpr uint32_t setup_no_mmap = 1U << 14;             // 6.5
inline constexpr uint32_t setup_registered_fd_only = 1U << 15;  // 6.5
inline constexpr uint32_t setup_no_sqarray = 1U << 16;          // 6.6
inline constexpr uint32_t setup_hybrid_iopoll = 1U << 17;       // 6.13
inline constexpr uint32_t setup_cqe_mixed = 1U << 18;           // 6.18
inline constexpr uint32_t setup_sqe_mixed = 1U << 19;           // 6.19
inline constexpr uint32_t setup_sq_rewind = 1U << 20;           // 7.0

// io_uring_params.features.
inline constexpr uint32_t feat_reg_reg_ring = 1U << 13;     // 6.3
inline constexpr uint32_t feat_recvsend_bundle = 1U << 14;  // 6.10
inline constexpr uint32_t feat_min_timeout = 1U << 15;      // 6.12
inline constexpr uint32_t feat_rw_attr = 1U << 16;          // 6.14
inline constexpr uint32_t feat_no_iowait = 1U << 17;        // 6.15

// io_uring_enter(2).
inline constexpr uint32_t enter_abs_timer = 1U << 5;    // 6.12
inline constexpr uint32_t enter_ext_arg_reg = 1U << 6;  // 6.13
inline constexpr uint32_t enter_no_iowait = 1U << 7;    // 6.15

// io_uring_register(2).
inline constexpr unsigned register_pbuf_status = 26;                // 6.8
inline constexpr unsigned register_napi = 27;                       // 6.9
inline constexpr unsigned unregister_napi = 28;                     // 6.9
inline constexpr unsigned register_clock = 29;                      // 6.12
inline constexpr unsigned register_clone_buffers = 30;              // 6.12
inline constexpr unsigned register_send_msg_ring = 31;              // 6.13
inline constexpr unsigned register_zcrx_ifq = 32;                   // 6.15
inline constexpr unsigned register_resize_rings = 33;               // 6.13
inline constexpr unsigned register_mem_region = 34;                 // 6.13
inline constexpr unsigned register_query = 35;                      // 6.18
inline constexpr unsigned register_zcrx_ctrl = 36;                  // 6.19
inline constexpr unsigned register_use_registered_ring = 1U << 31;  // 6.3
inline constexpr uint32_t clone_src_registered = 1U << 0;           // 6.12
inline constexpr uint32_t clone_dst_replace = 1U << 1;              // 6.13

// Provided-buffer rings, io_uring_buf_reg.flags (the place of `pad` in liburing 2.3).
inline constexpr uint16_t pbuf_ring_mmap = 1;  // 6.4
inline constexpr uint16_t pbuf_ring_inc = 2;   // 6.12

// Memory regions and registered waits, 6.13.
inline constexpr uint32_t mem_region_type_user = 1;
inline constexpr uint64_t mem_region_reg_wait_arg = 1;
inline constexpr uint32_t reg_wait_ts = 1U << 0;

// io_uring_register_sync_cancel(3) with `opcode`, 6.6: the same 64 bytes as liburing 2.3's.
struct sync_cancel_reg {
  uint64_t addr;
  int32_t fd;
  uint32_t flags;
  __kernel_timespec timeout;
  uint8_t opcode;
  uint8_t pad[7];
  uint64_t pad2[3];
};

// The extended argument of io_uring_enter(2) with `min_wait_usec`, 6.12.
struct getevents_arg {
  uint64_t sigmask;
  uint32_t sigmask_sz;
  uint32_t min_wait_usec;
  uint64_t ts;
};

struct buf_reg {
  uint64_t ring_addr;
  uint32_t ring_entries;
  uint16_t bgid;
  uint16_t flags;
  uint64_t resv[3];
};

struct buf_status {
  uint32_t buf_group;  // in
  uint32_t head;       // out
  uint32_t resv[8];
};

struct clock_register {
  uint32_t clockid;
  uint32_t resv[3];
};

struct clone_buffers {
  uint32_t src_fd;
  uint32_t flags;
  uint32_t src_off;
  uint32_t dst_off;
  uint32_t nr;
  uint32_t pad[3];
};

struct region_desc {
  uint64_t user_addr;
  uint64_t size;
  uint32_t flags;
  uint32_t id;
  uint64_t mmap_offset;
  uint64_t resv[4];
};

struct mem_region_reg {
  uint64_t region_uptr;
  uint64_t flags;
  uint64_t resv[2];
};

struct reg_wait {
  __kernel_timespec ts;
  uint32_t min_wait_usec;
  uint32_t flags;
  uint64_t sigmask;
  uint32_t sigmask_sz;
  uint32_t pad[3];
  uint64_t pad2[2];
};

struct napi {
  uint32_t busy_poll_to;
  uint8_t prefer_busy_poll;
  uint8_t pad[3];
  uint64_t resv;
};

// IORING_REGISTER_QUERY, 6.18: a list of questions, linked by `next`.
struct query_header {
  uint64_t next;
  uint64_t query_data;
  uint32_t query_op;
  uint32_t size;   // in: room at query_data; out: what the answer took
  int32_t result;  // out
  uint32_t resv[3];
};
inline constexpr uint32_t query_about_opcodes = 0;
struct query_opcodes {
  uint32_t request_opcodes;   // how many
  uint32_t register_opcodes;  // how many
  uint64_t features;
  uint64_t setup_flags;
  uint64_t enter_flags;
  uint64_t sqe_flags;
};

static_assert(sizeof(sync_cancel_reg) == sizeof(io_uring_sync_cancel_reg));
static_assert(sizeof(getevents_arg) == sizeof(io_uring_getevents_arg));
static_assert(sizeof(buf_reg) == sizeof(io_uring_buf_reg));
static_assert(sizeof(reg_wait) == 64);
static_assert(sizeof(region_desc) == 64);

// An SQE by place. liburing 2.3 has no name for nop_flags, optlen, level and the like, so the
// engine writes fields through uring::store() (op_table.hpp) and these are its offsets.
static_assert(offsetof(io_uring_sqe, off) == 8);
static_assert(offsetof(io_uring_sqe, addr) == 16);
static_assert(offsetof(io_uring_sqe, len) == 24);
static_assert(offsetof(io_uring_sqe, rw_flags) == 28);
static_assert(offsetof(io_uring_sqe, user_data) == 32);
static_assert(offsetof(io_uring_sqe, buf_index) == 40);
static_assert(offsetof(io_uring_sqe, personality) == 42);
static_assert(offsetof(io_uring_sqe, file_index) == 44);
static_assert(offsetof(io_uring_sqe, addr3) == 48);
static_assert(sizeof(io_uring_sqe) == 64);

}  // namespace uring::compat
