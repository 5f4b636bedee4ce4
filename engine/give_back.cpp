#include "engine/give_back.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

#include "engine/buffer_ring.hpp"
#include "engine/kernel_compat.hpp"
#include "engine/loop.hpp"
#include "engine/op_table.hpp"

namespace uring {
namespace {

// With a file_index the result is no descriptor but a slot, or 0 when the request named one.
void close_opened(loop& on, std::uint32_t file_index, int number) {
  if (file_index == 0) {
    ::close(number);
    return;
  }
  const bool chosen = file_index == file_slot::any().file_index();
  const unsigned slot = chosen ? static_cast<unsigned>(number) : file_index - 1;
  const int empty = -1;
  io_uring_register_files_update(on.io().raw(), slot, &empty, 1);
}

void close_pipe(loop& on, const io_uring_sqe& sqe) {
  const auto* ends = reinterpret_cast<const int*>(sqe.addr);
  const bool named = sqe.file_index != 0 && sqe.file_index != file_slot::any().file_index();
  for (std::uint32_t i = 0; i < 2; ++i) {
    // A pipe takes the slot that was named and the one behind it.
    close_opened(on, named ? sqe.file_index + i : sqe.file_index, ends[i]);
  }
}

// Copies what it reads: in a selected buffer nothing is aligned.
void close_rights(std::span<const std::byte> control) noexcept {
  constexpr int scm_pidfd = 4;  // Linux 6.5
  cmsghdr head;
  while (control.size() >= sizeof(head)) {
    std::memcpy(&head, control.data(), sizeof(head));
    if (head.cmsg_len < sizeof(head) || head.cmsg_len > control.size()) return;
    const bool descriptors = head.cmsg_level == SOL_SOCKET &&
                             (head.cmsg_type == SCM_RIGHTS || head.cmsg_type == scm_pidfd);
    int fd = -1;
    for (std::size_t at = CMSG_LEN(0); descriptors && at + sizeof(fd) <= head.cmsg_len;
         at += sizeof(fd)) {
      std::memcpy(&fd, &control[at], sizeof(fd));
      ::close(fd);
    }
    control = control.subspan(std::min<std::size_t>(CMSG_ALIGN(head.cmsg_len), control.size()));
  }
}

}  // namespace

void close_passed(const operation& op, std::int32_t res, std::uint32_t flags) noexcept {
  const io_uring_sqe& sqe = op.submission();
  if (sqe.opcode != IORING_OP_RECVMSG || res < 0 || op.replaced()) return;
  auto* header = reinterpret_cast<msghdr*>(sqe.addr);
  if ((sqe.ioprio & IORING_RECV_MULTISHOT) == 0) {
    close_rights({static_cast<const std::byte*>(header->msg_control), header->msg_controllen});
    header->msg_controllen = 0;  // for whoever reads it nevertheless
  } else if (buffer_ring* group = op.on().find_buffers(sqe.buf_group)) {
    if ((flags & IORING_CQE_F_BUFFER) == 0) return;
    close_rights(message_in(group->arrived({res, flags, outcome::ok}), *header).control);
  }
}

void give_back(const operation& op, std::int32_t res, std::uint32_t flags) noexcept {
  if (op.replaced()) return;
  close_passed(op, res, flags);
  give_back(op.on(), op.submission(), res, flags);
}

void give_back(loop& on, const io_uring_sqe& sqe, std::int32_t res, std::uint32_t flags) noexcept {
  if ((flags & IORING_CQE_F_BUFFER) != 0) {
    if (buffer_ring* group = on.find_buffers(sqe.buf_group)) {
      const bool bundle = (sqe.ioprio & compat::recvsend_bundle) != 0;
      group->take({res, flags, outcome::ok}, bundle).release();
    }
    return;
  }
  if (res < 0) return;
  const op_row* row = find_op(sqe.opcode);
  if (row != nullptr && row->result == result_kind::descriptor) {
    close_opened(on, sqe.file_index, res);
  } else if (sqe.opcode == compat::op_pipe) {
    close_pipe(on, sqe);
  }
}

}  // namespace uring
