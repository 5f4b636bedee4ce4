#include "engine/inject.hpp"

#include "engine/give_back.hpp"
#include "engine/kernel_compat.hpp"

namespace uring {

void complete_instead(operation& op, io_uring_sqe& sqe, int res,
                      const capabilities& kernel) noexcept {
  const std::uint64_t user_data = sqe.user_data;
  op.mark_replaced();
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

void hide_result(const operation& op, std::int32_t& arrived, std::uint32_t& flags,
                 int res) noexcept {
  give_back(op, arrived, flags);
  if ((flags & IORING_CQE_F_BUFFER) != 0) {
    flags &= ~(IORING_CQE_F_BUFFER | compat::cqe_f_buf_more | ~0U << IORING_CQE_BUFFER_SHIFT);
  }
  arrived = res;
}

}  // namespace uring
