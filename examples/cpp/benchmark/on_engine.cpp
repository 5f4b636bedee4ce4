// The echo load on the engine: a coroutine for each end, written as if it blocked.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "engine/loop.hpp"
#include "engine/scope.hpp"
#include "open_loop.hpp"
#include "rivals.hpp"

namespace {

// False when the connection is over before all of it went out, or came in.
uring::task<bool> send_all(uring::loop& on, int fd, std::span<const std::byte> data) {
  while (!data.empty()) {
    const uring::completion c = co_await on.send(fd, data);
    if (c.res <= 0) co_return false;
    data = data.subspan(static_cast<std::size_t>(c.res));
  }
  co_return true;
}

uring::task<bool> recv_all(uring::loop& on, int fd, std::span<std::byte> room) {
  while (!room.empty()) {
    const uring::completion c = co_await on.recv(fd, room);
    if (c.res <= 0) co_return false;
    room = room.subspan(static_cast<std::size_t>(c.res));
  }
  co_return true;
}

uring::task<void> converse(uring::loop& on, int fd, echo_load load, echo_tally& tally) {
  const std::vector<std::byte> message(load.bytes, static_cast<std::byte>('a' + fd % 26));
  std::vector<std::byte> answer(load.bytes);
  std::uint64_t done = 0;
  for (; done < load.messages; ++done) {
    if (!co_await send_all(on, fd, message) || !co_await recv_all(on, fd, answer)) break;
    // Comparing std::byte one by one would cost more than the four operations together.
    if (std::memcmp(answer.data(), message.data(), load.bytes) != 0) break;
  }
  if (done == load.messages) {
    tally.round_trips += done;
  } else {
    ++tally.failed_clients;
  }
  co_await on.close_only(fd);
}

uring::task<void> answer(uring::loop& on, int fd, echo_load load) {
  std::vector<std::byte> buffer(load.bytes);
  while (true) {
    const uring::completion c = co_await on.recv(fd, buffer);
    if (c.res <= 0) break;
    const auto heard = std::span(buffer).first(static_cast<std::size_t>(c.res));
    if (!co_await send_all(on, fd, heard)) break;
  }
  co_await on.close_only(fd);
}

uring::task<echo_tally> all_ends(uring::loop& on, std::span<const int> clients,
                                 std::span<const int> servers, echo_load load) {
  echo_tally tally;
  uring::scope ends;
  for (const int fd : servers) ends.spawn(answer(on, fd, load));
  for (const int fd : clients) ends.spawn(converse(on, fd, load, tally));
  co_await ends.join();
  co_return tally;
}

}  // namespace

echo_tally run_on_engine(std::span<const int> clients, std::span<const int> servers,
                         const echo_load& load) {
  // Asked once a process: it is no part of the work.
  static const uring::capabilities kernel = uring::probe_kernel(uring::setup_trials::no);
  uring::loop_options options;
  options.kernel = &kernel;
  const auto on = open_loop(options);
  if (on == nullptr) std::exit(1);
  return on->run(all_ends(*on, clients, servers, load));
}
