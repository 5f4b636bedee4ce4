#include "engine/inject.hpp"

#include <unistd.h>

#include "engine/kernel_compat.hpp"
#include "engine/op_table.hpp"

namespace uring {

void complete_instead(operation& op, io_uring_sqe& sqe, int res,
                      const capabilities& kernel) noexcept {
  const std::uint64_t user_data = sqe.user_data;
  // Neither takes a fixed file or a selected buffer; links, drain and async stay as they were.
  const __u8 flags = sqe.flags & static_cast<__u8>(~(IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT));
  const bool injected = kernel.nop_inject;
  sqe = blank(!injected && res < 0 ? IORING_OP_READ : IORING_OP_NOP, -1);
  sqe.flags = flags;
  sqe.user_data = user_data;
  if (injected) {
    sqe.rw_flags = static_cast<int>(compat::nop_inject_result);
    sqe.len = static_cast<__u32>(res);
  } else {
    op.substitute_result(res);
  }
}

void hide_result(const operation& op, std::int32_t& arrived, int res) noexcept {
  const op_row* row = find_op(op.opcode());
  // With a file_index the result is no descriptor but a slot of the registered files, or 0.
  const bool opened = row != nullptr && row->result == result_kind::descriptor && arrived >= 0 &&
                      op.submission().file_index == 0;
  if (opened) ::close(arrived);
  arrived = res;
}

}  // namespace uring
