// From a raw SQE to its arguments by role, and to a line of text in the manner of strace:
//   recv(fd=5, len=16, msg_flags=waitall)
// The pointers in an SQE belong to the process that submitted it, so all memory is read through a
// memory_reader: of this process or of another. A bad pointer is a value here (`bad_pointer`),
// never a crash. Results own their strings and bytes. Callable from any thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/op_table.hpp"
#include "engine/records.hpp"

namespace uring {

/// Reads another's memory. `read` copies up to `size` bytes and returns how many it could: less
/// than asked when the range runs into unmapped memory, 0 when its first byte is.
class memory_reader {
 public:
  virtual ~memory_reader() = default;
  virtual size_t read(uint64_t address, void* to, size_t size) const = 0;
};

/// A process's memory by process_vm_readv(2), this process's own too: the kernel checks the
/// pointer, so a bad one is 0 bytes, not SIGSEGV. Where a sandbox forbids the call, /proc/PID/mem
/// is read instead. Reading another process needs the right to trace it.
class process_memory final : public memory_reader {
 public:
  process_memory();  ///< this process
  explicit process_memory(pid_t pid) : pid_(pid) {}
  size_t read(uint64_t address, void* to, size_t size) const override;

 private:
  pid_t pid_;
};

/// Reads nothing: pointers are shown as numbers. For records whose memory is gone.
class no_memory final : public memory_reader {
 public:
  size_t read(uint64_t, void*, size_t) const override { return 0; }
};

struct bad_pointer {
  uint64_t address;
};

/// Flag names with what no name explains, and the number itself.
struct named_bits {
  uint64_t value;
  std::vector<std::string> names;
};

/// Up to `decode_limits::data` bytes, and how many there are in all.
struct data_bytes {
  std::string bytes;
  uint64_t total;
};

/// A msghdr: the other end's address, its data (to send) or the sizes of its buffers (to receive),
/// and the room for control messages.
struct message_value {
  std::string name;
  data_bytes data;
  std::vector<int64_t> lengths;
  uint64_t control;
};

/// An address in the submitter's memory with the number of bytes there.
struct memory_range {
  uint64_t address;
  uint64_t length;
};

struct time_value {
  int64_t seconds;
  int64_t nanoseconds;
};

/// monostate: a null pointer. int64: signed kinds; uint64: numbers, lengths, bare addresses;
/// string: paths, socket addresses, opcode names and small structures as text.
using decoded_value =
    std::variant<std::monostate, uint64_t, int64_t, bool, std::string, named_bits, data_bytes,
                 message_value, memory_range, time_value, std::vector<int64_t>, bad_pointer>;

struct decoded_field {
  const field_row* row;  ///< points into the op table
  decoded_value value;
  bool is_default;  ///< what begin_sqe() leaves there: text omits it
};

struct decoded_submission {
  const op_row* op;  ///< nullptr for an opcode the table does not know
  uint8_t opcode;
  uint8_t sqe_flags;
  uint64_t user_data;
  std::vector<decoded_field> fields;  ///< in the row's order, then sqe_flags and personality
};

/// How much is read of what a submission points at.
struct decode_limits {
  size_t data = 64;        ///< bytes of data
  size_t path = 4096;      ///< bytes of a path
  size_t elements = 1024;  ///< elements of an iovec array or a list
};

decoded_submission decode(const io_uring_sqe& sqe, const memory_reader& memory,
                          const decode_limits& limits = {});

/// One value as text: `"GET /"...`, `10.0.0.1:80`, `1.5s`, `nonblock|cloexec`.
std::string to_text(const decoded_field& field);
/// One line, without user_data: `recv(fd=5, len=16, msg_flags=waitall)`.
std::string to_text(const decoded_submission& submission);
/// A completion's result: `= 16`, `= -104 ECONNRESET`, with its flags: `= 16 [more|buffer 3]`.
std::string result_text(const completion_record& completion);

/// A socket address as text: "10.0.0.1:80", "[::1]:80", "unix:///run/x", "unix://@name"; "" when
/// the family is unknown or the bytes are too few for it.
std::string address_text(const void* address, size_t length);

}  // namespace uring
