// One echo load, written three times: on the engine, on liburing by hand, on epoll by hand.
//
// A way runs connected sockets on the calling thread until all have ended: clients, which send a
// message and wait for it to come back so many times, and servers, which send back what they get
// until the end of the stream. It closes all of them. Each is written as well as its author could:
// one system call a turn, no allocation a message, completions and events handled in batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

struct echo_load {
  std::uint64_t messages = 5000;  // round trips of each client
  std::size_t bytes = 512;        // of each message
};

// Only clients that did all of their round trips, each with the right bytes, count as work done.
struct echo_tally {
  std::uint64_t round_trips = 0;
  unsigned failed_clients = 0;
  void operator+=(const echo_tally& other) {
    round_trips += other.round_trips;
    failed_clients += other.failed_clients;
  }
};

struct echo_way {
  const char* name;
  echo_tally (*run)(std::span<const int> clients, std::span<const int> servers,
                    const echo_load& load);
};

echo_tally run_on_engine(std::span<const int> clients, std::span<const int> servers,
                         const echo_load& load);
echo_tally run_on_liburing(std::span<const int> clients, std::span<const int> servers,
                           const echo_load& load);
echo_tally run_on_epoll(std::span<const int> clients, std::span<const int> servers,
                        const echo_load& load);

inline constexpr echo_way echo_ways[] = {
    {"engine", &run_on_engine}, {"liburing", &run_on_liburing}, {"epoll", &run_on_epoll}};

// One end of a connection as the two hand-written ways see it: a message that goes out, or one that
// comes in, and how much of it has.
struct echo_end {
  int fd = -1;
  bool is_client = false;
  bool sending = false;
  std::uint64_t left = 0;     // round trips still to do
  std::size_t done = 0;       // bytes of the message that went out or came in
  std::size_t length = 0;     // of the message
  std::vector<char> message;  // a client's stays as it is; a server's is what came

  std::vector<char> answer;  // what came back to a client
  // Takes note that `count` more bytes went out or came in. False when the connection is over: all
  // is done, or the peer has ended it (0), or something failed (negative).
  bool advance(long count);
  [[nodiscard]] char* data() { return (is_client && !sending ? answer : message).data() + done; }
  [[nodiscard]] std::size_t missing() const { return length - done; }
};

std::vector<echo_end> echo_ends(std::span<const int> clients, std::span<const int> servers,
                                const echo_load& load);
echo_tally tally_of(std::span<const echo_end> ends, const echo_load& load);
