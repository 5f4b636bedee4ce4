// Free loopback ports: for listeners that asked for port 0, and for `${port.NAME}`.
//
// Ports are candidates from a range of our own, outside the one from which the kernel gives ports
// to connecting sockets, taken in turn by a counter of the whole process. bind(2) with port 0 is
// not used: it draws from the kernel's range, where sockets in TIME_WAIT of thousands of earlier
// connections make it slow, then fail; and a port that it gave and that was closed again may be
// given to any connecting socket. The counter starts at a place that depends on the process, so
// that two runners at the same time rarely try the same ones. Any thread.
#pragma once

#include <cstdint>
#include <utility>

#include "engine/socket_address.hpp"

namespace scenarios {

struct port_range {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  [[nodiscard]] unsigned size() const { return last - first + 1U; }
  friend bool operator==(const port_range&, const port_range&) = default;
};

/// The range of candidates beside the kernel's range of ephemeral ports: 20000–32767 as far as it
/// is below that one, else what is above it, else what is below down to 10000.
port_range choose_port_range(port_range ephemeral);
/// The same with what net.ipv4.ip_local_port_range says; read once.
port_range candidate_ports();

/// The next of the range, each once before any comes again. It may be in use.
std::uint16_t next_port_candidate() noexcept;

/// Binds `fd` to `wanted` with a free port, which is written into it. Streams get SO_REUSEADDR
/// (else every port that was used in the last minute is taken); datagram sockets do not, for there
/// it would mean sharing. 0 or -errno; -EADDRINUSE when all are taken. For streams, listen(2) may
/// still answer EADDRINUSE, when somebody else bound the same port in the same way: open_listener.
int bind_free_port(int fd, uring::socket_address& wanted) noexcept;

/// A listening stream socket, close-on-exec, at `wanted`; its port 0 becomes a free one. The
/// descriptor, which the caller owns, or -errno.
int open_listener(uring::socket_address& wanted, int backlog) noexcept;

/// A port on which nobody listens or has listened lately, for a program that binds it itself: free
/// for TCP and UDP on all addresses, also without SO_REUSEADDR. The port, or -errno.
int find_free_port() noexcept;

}  // namespace scenarios
