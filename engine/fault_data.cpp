#include "engine/fault_data.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <span>

#include "engine/buffer_ring.hpp"
#include "engine/op_table.hpp"
#include "engine/request_data.hpp"

namespace uring {
namespace {

enum class layout : std::uint8_t { none, flat, vectors, message };
struct shape {
  layout how = layout::none;
  bool in = false;
};

shape shape_of(const io_uring_sqe& sqe) {
  const op_row* row = find_op(sqe.opcode);
  if (row == nullptr || row->result != result_kind::bytes) return {};
  // Theirs is a range of a registered buffer, or of pipes: no field says which way it goes.
  if (sqe.opcode == IORING_OP_READ_FIXED) return {layout::flat, true};
  if (sqe.opcode == IORING_OP_WRITE_FIXED) return {layout::flat, false};
  for (const field_row& field : row->fields) {
    switch (field.kind) {
      case field_kind::buffer_in:
        return {layout::flat, true};
      case field_kind::data_out:
        return {layout::flat, false};
      case field_kind::iov_in:
        return {layout::vectors, true};
      case field_kind::iov_out:
        return {layout::vectors, false};
      case field_kind::msg_in:
        return {layout::message, true};
      case field_kind::msg_out:
        return {layout::message, false};
      default:
        break;
    }
  }
  if (is_splice(sqe.opcode)) return {layout::flat, true};
  // Multishots that know no buffer but those of a group.
  return {row->shot == shots::multi ? layout::flat : layout::none, true};
}

std::span<const iovec> vectors_of(const io_uring_sqe& sqe, layout how) {
  if (how == layout::message) {
    const auto* message = reinterpret_cast<const msghdr*>(sqe.addr);
    return {message->msg_iov, message->msg_iovlen};
  }
  return {reinterpret_cast<const iovec*>(sqe.addr), sqe.len};
}

std::uint64_t size_of(std::span<const iovec> pieces) {
  return std::accumulate(pieces.begin(), pieces.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const iovec& each) { return sum + each.iov_len; });
}

// The list of buffers in the record takes the place of the request's own.
void use_pieces(faulted& record, io_uring_sqe& sqe, layout how) {
  if (how == layout::message) {
    record.original_message = reinterpret_cast<msghdr*>(sqe.addr);
    record.message = *record.original_message;
    record.message.msg_iov = record.pieces.data();
    record.message.msg_iovlen = record.pieces.size();
    sqe.addr = reinterpret_cast<std::uint64_t>(&record.message);
  } else {
    sqe.addr = reinterpret_cast<std::uint64_t>(record.pieces.data());
    sqe.len = static_cast<__u32>(record.pieces.size());
  }
}

// With MSG_TRUNC a result is the datagram's length, which may be more than there was room for.
std::size_t written(const io_uring_sqe& sqe, std::size_t arrived) {
  return std::min<std::size_t>(arrived, sqe.len);
}

// Overwrites `bytes`, of which the first is number `begin` of the whole, where the effect says so.
// False when all is as it was.
bool overwrite(std::span<std::byte> bytes, std::uint64_t begin, const cqe_effect& effect) {
  const std::uint64_t length = effect.corrupt_with.empty() ? 1 : effect.corrupt_with.size();
  bool any = false;
  for (std::uint64_t i = 0; i < length; ++i) {
    const std::uint64_t at = effect.corrupt_at + i;
    if (at < begin || at - begin >= bytes.size()) continue;
    std::byte& byte = bytes[at - begin];
    const std::byte made =
        effect.corrupt_with.empty() ? ~byte : static_cast<std::byte>(effect.corrupt_with[i]);
    any |= made != byte;
    byte = made;
  }
  return any;
}

}  // namespace

bool receives_data(const io_uring_sqe& sqe) {
  return shape_of(sqe).in;
}

bool moves_messages(const io_uring_sqe& sqe) {
  if ((sqe.flags & IOSQE_FIXED_FILE) != 0) return false;
  int type = 0;
  socklen_t size = sizeof(type);
  return getsockopt(sqe.fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type != SOCK_STREAM;
}

const char* shorten_request(faulted& record, io_uring_sqe& sqe) {
  const shape shape = shape_of(sqe);
  if (shape.how == layout::none) return "it moves no bytes";
  if (moves_messages(sqe)) return "a datagram is taken whole: what is left of it is lost";
  const byte_amount& amount = record.effect.amount;
  if (shape.how == layout::flat) {
    std::uint64_t all = sqe.len;
    if ((sqe.flags & IOSQE_BUFFER_SELECT) != 0 && all == 0) {
      const buffer_ring* group = record.op->on().find_buffers(sqe.buf_group);
      if (group == nullptr && amount.by != byte_amount::measure::bytes) {
        return "the size of the buffer that it will select is not known";
      }
      all = group != nullptr ? group->size() : std::numeric_limits<__u32>::max();
    }
    const std::uint64_t kept = kept_bytes(amount, all);
    if (kept >= all) return "it asks for no more than what is to be kept";
    sqe.len = static_cast<__u32>(kept);
    return nullptr;
  }
  const std::span<const iovec> given = vectors_of(sqe, shape.how);
  const std::uint64_t all = size_of(given);
  std::uint64_t left = kept_bytes(amount, all);
  if (left >= all) return "it asks for no more than what is to be kept";
  for (const iovec& each : given) {
    if (left == 0) break;
    const std::uint64_t here = std::min<std::uint64_t>(each.iov_len, left);
    record.pieces.push_back({each.iov_base, here});
    left -= here;
  }
  use_pieces(record, sqe, shape.how);
  return nullptr;
}

void finish_shortened(faulted& record) {
  if (record.original_message == nullptr) return;
  record.original_message->msg_namelen = record.message.msg_namelen;
  record.original_message->msg_controllen = record.message.msg_controllen;
  record.original_message->msg_flags = record.message.msg_flags;
  record.original_message = nullptr;
}

const char* corrupt_request(faulted& record, io_uring_sqe& sqe) {
  const shape shape = shape_of(sqe);
  if (shape.how == layout::none) return "it moves no bytes";
  const op_row& row = op(sqe.opcode);
  const bool registered =
      find_field(row, "buf_off") != nullptr ||
      (row.shot == shots::zero_copy && (sqe.ioprio & IORING_RECVSEND_FIXED_BUF) != 0) ||
      (sqe.flags & IOSQE_BUFFER_SELECT) != 0;
  if (registered || is_splice(sqe.opcode)) {
    return "its bytes are in a buffer that the kernel knows";
  }
  const auto copy = [&](const void* from, std::size_t size) {
    const auto* bytes = static_cast<const std::byte*>(from);
    record.data.insert(record.data.end(), bytes, bytes + size);
  };
  if (shape.how == layout::flat) {
    copy(reinterpret_cast<const void*>(sqe.addr), sqe.len);
  } else {
    for (const iovec& each : vectors_of(sqe, shape.how)) copy(each.iov_base, each.iov_len);
  }
  if (!overwrite(record.data, 0, record.effect)) return "it sends too few bytes, or these already";
  if (shape.how == layout::flat) {
    sqe.addr = reinterpret_cast<std::uint64_t>(record.data.data());
  } else {
    record.pieces.push_back({record.data.data(), record.data.size()});
    use_pieces(record, sqe, shape.how);
  }
  return nullptr;
}

bool corrupt_received(const operation& op, const cqe_effect& effect, std::int32_t res,
                      std::uint32_t flags) {
  if (res <= 0) return false;
  const io_uring_sqe& sqe = op.submission();
  const auto arrived = static_cast<std::size_t>(res);
  if ((flags & IORING_CQE_F_BUFFER) != 0) {
    buffer_ring* group = op.on().find_buffers(sqe.buf_group);
    return group != nullptr && overwrite(group->arrived({res, flags, outcome::ok}), 0, effect);
  }
  const shape shape = shape_of(sqe);
  const bool piped = is_splice(sqe.opcode);
  if (shape.how == layout::none || !shape.in || sqe.addr == 0 || piped) return false;
  if (shape.how == layout::flat) {
    return overwrite({reinterpret_cast<std::byte*>(sqe.addr), written(sqe, arrived)}, 0, effect);
  }
  bool any = false;
  std::uint64_t begin = 0;
  for (const iovec& each : vectors_of(sqe, shape.how)) {
    const std::size_t here = std::min<std::size_t>(each.iov_len, arrived - begin);
    any |= overwrite({static_cast<std::byte*>(each.iov_base), here}, begin, effect);
    begin += here;
    if (begin == arrived) break;
  }
  return any;
}

// ---- For those who only look ------------------------------------------------------------------

data_way way_of(const io_uring_sqe& sqe) {
  if (is_splice(sqe.opcode)) return data_way::none;
  const shape shape = shape_of(sqe);
  if (shape.how == layout::none) return data_way::none;
  return shape.in ? data_way::in : data_way::out;
}

bool is_peek(const io_uring_sqe& sqe) {
  const bool has_flags = sqe.opcode == IORING_OP_RECV || sqe.opcode == IORING_OP_RECVMSG;
  return has_flags && (sqe.msg_flags & MSG_PEEK) != 0;
}

std::optional<std::uint64_t> bytes_asked(const io_uring_sqe& sqe) {
  const shape shape = shape_of(sqe);
  if (shape.how == layout::vectors || shape.how == layout::message)
    return size_of(vectors_of(sqe, shape.how));
  if ((sqe.flags & IOSQE_BUFFER_SELECT) != 0 || sqe.len == 0) return {};
  return sqe.len;
}

std::optional<std::string> outgoing_bytes(const io_uring_sqe& sqe, std::uint64_t count) {
  const shape shape = shape_of(sqe);
  if (shape.how == layout::none || shape.in || (sqe.flags & IOSQE_BUFFER_SELECT) != 0) return {};
  std::string bytes;
  const auto copy = [&](const void* from, std::uint64_t size) {
    bytes.append(static_cast<const char*>(from), std::min(size, count - bytes.size()));
  };
  if (shape.how == layout::flat) {
    copy(reinterpret_cast<const void*>(sqe.addr), sqe.len);
  } else {
    for (const iovec& each : vectors_of(sqe, shape.how)) copy(each.iov_base, each.iov_len);
  }
  return bytes;
}

std::optional<std::string> arrived_bytes(const operation& op, std::int32_t res,
                                         std::uint32_t flags) {
  const io_uring_sqe& sqe = op.submission();
  const shape shape = shape_of(sqe);
  if (res <= 0 || shape.how == layout::none || !shape.in) return {};
  std::string bytes;
  const auto arrived = static_cast<std::size_t>(res);
  if ((flags & IORING_CQE_F_BUFFER) != 0) {
    buffer_ring* group = op.on().find_buffers(sqe.buf_group);
    if (group == nullptr) return {};
    const auto in_group = group->arrived({res, flags, outcome::ok});
    bytes.append(reinterpret_cast<const char*>(in_group.data()), in_group.size());
  } else if (sqe.addr == 0) {
    return {};
  } else if (shape.how == layout::flat) {
    bytes.append(reinterpret_cast<const char*>(sqe.addr), written(sqe, arrived));
  } else {
    for (const iovec& each : vectors_of(sqe, shape.how))
      bytes.append(static_cast<const char*>(each.iov_base),
                   std::min<std::size_t>(each.iov_len, arrived - bytes.size()));
  }
  return bytes;
}

}  // namespace uring
