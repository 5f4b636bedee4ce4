// What the pointers of one submission point to, and reading what the kernel put there.
//
// Made before the submission is filled and kept until its last completion: a request that can't be
// ended takes its memory with it (private_ring). Allocations stay where they are.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/value.hpp"

namespace scenarios {

/// A structure that the kernel fills, by what is published of it.
enum class output_kind : std::uint8_t {
  address,      // sockaddr and its length: addr
  message,      // msghdr: msg_flags, addr, control_len
  statx,        // stx_size …
  siginfo,      // si_pid …
  events,       // epoll events: events
  descriptors,  // int[2]: not published, but named by `as`
  slots,        // int list that files_update wrote back: slots
  integer,      // an option's value: value
};

class submission_memory {
 public:
  /// Nothing was taken: the kernel has nowhere to write to.
  [[nodiscard]] bool empty() const { return blocks_.empty(); }
  /// Zeroed; the address is a multiple of `alignment`, a power of two.
  std::byte* take(std::size_t size, std::size_t alignment = 16);
  template <class T>
  T* make(std::size_t count = 1) {
    return reinterpret_cast<T*>(take(count * sizeof(T)));
  }
  /// A copy with a NUL behind it.
  char* keep(std::string_view octets);

  void add_output(output_kind kind, void* at, std::size_t size) {
    outputs_.push_back({kind, at, size});
  }
  /// Where received bytes land, one place after the other.
  std::vector<iovec> room;
  std::optional<std::string> sent;  // the beginning of what goes out

  /// What the kernel filled in, after a completion with this result.
  [[nodiscard]] value::record_type fields(std::int64_t res) const;
  /// The first `size` bytes of what was received.
  [[nodiscard]] std::string received(std::size_t size) const;
  /// The two descriptors or slots of a pipe; null when there are none.
  [[nodiscard]] const int* pair() const;

 private:
  struct output {
    output_kind kind;
    void* at;
    std::size_t size;
  };
  static void publish(const output& from, std::int64_t res, value::record_type& into);

  std::deque<std::unique_ptr<std::byte[]>> blocks_;
  std::vector<output> outputs_;
};

/// What comes with a message: a msghdr's address with the room that it was given.
struct received_message {
  msghdr header;
  sockaddr_storage name;
};

/// Closes descriptors that came in control data (SCM_RIGHTS) and returns how many there were.
std::size_t close_passed_descriptors(const msghdr& message);

}  // namespace scenarios
