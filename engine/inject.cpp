#include "engine/inject.hpp"

#include <unistd.h>

#include "engine/kernel_compat.hpp"
#include "engine/op_table.hpp"

namespace uring {

void complete_instead(operation& op, io_uring_sqe& sqe, int res,
                      const capabilities& kernel) noexcept {
  const std::uint64_t user_data = sqe.user_data;
  // A NOP refuses buffer selection and a fixed file; links, drain and async stay as they were.
  const __u8 flags = sqe.flags & static_cast<__u8>(~(IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT));
  sqe = blank(IORING_OP_NOP, -1);
  sqe.flags = flags;
  sqe.user_data = user_data;
  if (kernel.nop_inject) {
    sqe.rw_flags = static_cast<int>(compat::nop_inject_result);
    sqe.len = static_cast<__u32>(res);
  } else {
    op.substitute_result(res);
  }
}

void hide_result(const operation& op, std::int32_t& arrived, int res) noexcept {
  const op_row* row = find_op(op.opcode());
  if (row != nullptr && row->result == result_kind::descriptor && arrived >= 0) ::close(arrived);
  arrived = res;
}

}  // namespace uring
