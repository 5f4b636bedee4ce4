// What tests of the loop share: a loop on each kind of ring, a log on its seam, pairs of sockets.
//
// Most behaviours must be the same whatever the ring is, so most tests say ON_EVERY_RING(): six
// sizes times four modes; a mode that this kernel refuses is skipped. Everything here closes what
// it opened.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/errno_name.hpp"
#include "engine/kernel_compat.hpp"
#include "engine/loop.hpp"
#include "engine/op_table.hpp"
#include "engine/scope.hpp"
#include "engine/seam.hpp"

namespace uring::testing {

using namespace std::chrono_literals;

// Asked once: a loop that is told what the kernel can do does not probe.
inline const capabilities& this_kernel() {
  static const capabilities found = probe_kernel();
  return found;
}

inline std::vector<ring_options> every_ring() {
  std::vector<ring_options> rings;
  for (const ring_mode mode :
       {ring_mode::defer, ring_mode::coop, ring_mode::plain, ring_mode::sqpoll}) {
    for (const unsigned entries : {1U, 2U, 4U, 256U}) {
      rings.push_back({.entries = entries, .cq_entries = 0, .mode = mode});
    }
    // The smallest completion queues that there are.
    for (const unsigned entries : {1U, 2U}) {
      rings.push_back({.entries = entries, .cq_entries = 2 * entries, .mode = mode});
    }
  }
  return rings;
}

// One of the size, in each mode: for what needs room for more than one submission.
inline std::vector<ring_options> rings_of(unsigned entries) {
  std::vector<ring_options> rings;
  for (const ring_options& each : every_ring()) {
    if (each.entries == entries) rings.push_back(each);
  }
  return rings;
}

// The smallest and a large one in each mode: for what takes long.
inline std::vector<ring_options> extreme_rings() {
  std::vector<ring_options> rings = rings_of(1);
  for (const ring_options& each : rings_of(256)) rings.push_back(each);
  return rings;
}

#define ON_RINGS(rings)                                                                     \
  const uring::ring_options each_ring = GENERATE(from_range(rings));                        \
  INFO("ring of " << each_ring.entries << " entries (completions: " << each_ring.cq_entries \
                  << ", 0 = usual), mode " << uring::ring_mode_name(each_ring.mode));       \
  const std::unique_ptr<uring::loop> on = uring::testing::open_loop(each_ring)
#define ON_EVERY_RING() ON_RINGS(uring::testing::every_ring())

inline std::unique_ptr<loop> open_loop(const ring_options& options = {},
                                       const capabilities& kernel = this_kernel()) {
  int refused = 0;
  std::unique_ptr<loop> made = loop::open({options, &kernel}, refused);
  if (made == nullptr) SKIP("the kernel refuses this ring: " << errno_name(-refused));
  return made;
}

// Runs a coroutine made by `body`, which lives as long as it runs (so it may capture).
template <class Body>
auto run(loop& on, Body body) {
  return on.run(body());
}

// "recv:5", "cancel:0", "link_timeout:-ETIME": one completion in the words of the reports.
inline std::string completion_text(std::string_view name, int res) {
  std::string text(name);
  if (res >= 0) return text + ":" + std::to_string(res);
  const char* error = errno_name(-res);
  return text + ":-" + (error != nullptr ? error : std::to_string(-res));
}

// Some answers have changed since Linux 6.1. The tests ask for those of 6.18 where the kernel has
// its opcodes, and allow the older ones elsewhere.
inline bool answers_as_6_18() {
  return this_kernel().has(compat::op_pipe);
}

// A linked timeout that fires completes before its operation on Linux 6.18 and after it on 6.1: the
// completions in order, or where that is not certain in one of their own.
inline std::vector<std::string> completions_of(const std::string& list) {
  std::vector<std::string> items;
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t end = std::min(list.find(", ", at), list.size());
    items.push_back(list.substr(at, end - at));
    at = end + 2;
  }
  if (!answers_as_6_18()) std::ranges::sort(items);
  return items;
}

// Everything that passed the seam, in order.
class seam_log final : public seam {
 public:
  explicit seam_log(loop& on) : loop_(on) { on.set_seam(this); }
  ~seam_log() override { loop_.set_seam(nullptr); }
  seam_log(const seam_log&) = delete;
  seam_log& operator=(const seam_log&) = delete;

  void on_submit(operation& /*op*/, request_kind kind, io_uring_sqe& sqe) noexcept override {
    join(submitted,
         kind == request_kind::main ? std::string(op_name(sqe.opcode)) : request_kind_name(kind));
  }
  verdict on_complete(operation& op, request_kind kind, std::int32_t& res,
                      std::uint32_t& /*flags*/) noexcept override {
    const std::string_view name =
        kind == request_kind::main ? op_name(op.opcode()) : request_kind_name(kind);
    join(arrived, completion_text(name, res));
    return verdict::deliver;
  }
  void on_stray(const io_uring_cqe& cqe) noexcept override {
    join(strays, completion_text(std::to_string(cqe.user_data), cqe.res));
  }

  std::string submitted, arrived, strays;

 private:
  static void join(std::string& list, const std::string& item) {
    list += (list.empty() ? "" : ", ") + item;
  }
  loop& loop_;
};

// A descriptor that closes itself.
class descriptor {
 public:
  explicit descriptor(int fd = -1) : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~descriptor() { close(); }
  operator int() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

struct socket_pair {
  descriptor a, b;
};

inline socket_pair unix_pair() {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  return {descriptor(ends[0]), descriptor(ends[1])};
}

struct tcp_listener {
  descriptor fd;
  sockaddr_in address{};
};

inline tcp_listener listen_on_loopback(int backlog = 16) {
  tcp_listener made{descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))};
  made.address.sin_family = AF_INET;
  made.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* address = reinterpret_cast<sockaddr*>(&made.address);
  socklen_t length = sizeof(made.address);
  REQUIRE(bind(made.fd, address, length) == 0);
  REQUIRE(getsockname(made.fd, address, &length) == 0);
  REQUIRE(listen(made.fd, backlog) == 0);
  return made;
}

inline socket_pair tcp_pair() {
  const tcp_listener listener = listen_on_loopback();
  socket_pair made;
  made.a = descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(connect(made.a, reinterpret_cast<const sockaddr*>(&listener.address),
                  sizeof(listener.address)) == 0);
  made.b = descriptor(accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC));
  REQUIRE(made.b >= 0);
  return made;
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline void put(int fd, std::string_view text) {
  const ssize_t written = ::write(fd, text.data(), text.size());
  CHECK(written == static_cast<ssize_t>(text.size()));
}

// Room to receive into, and what is in it.
struct room {
  std::byte bytes[256]{};
  operator std::span<std::byte>() { return bytes; }
  [[nodiscard]] std::span<std::byte> first(std::size_t n) { return std::span(bytes).first(n); }
  [[nodiscard]] std::string_view text(int count) const {
    return {reinterpret_cast<const char*>(bytes), count < 0 ? 0 : static_cast<std::size_t>(count)};
  }
};

inline std::size_t open_descriptors() {
  const std::filesystem::directory_iterator fds("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(fds), end(fds)));
}

// A NOP that the kernel refuses while it reads it; on a plain ring that ends the submission there,
// and what is behind it stays in the queue: how a queue is made to be full.
inline io_uring_sqe refused_nop() {
  io_uring_sqe sqe = blank(IORING_OP_NOP, -1);
  sqe.rw_flags = static_cast<int>(1U << 31);
  return sqe;
}

}  // namespace uring::testing
