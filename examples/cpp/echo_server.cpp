// Shows: a server with a coroutine for each connection, and how it lives and ends.
//
//   echo_server [tcp://127.0.0.1:7000]
//
// * A connection's coroutine belongs to a scope, and the scope is joined: none is left behind.
// * A send that the kernel takes in pieces goes out whole (byte_stream::write_all).
// * Out of descriptors, it accepts nobody until a connection has ended. Clients wait in the
// backlog;
//   trying again at once would spin, because the listener stays readable.
// * SIGINT and SIGTERM arrive as a read of a signalfd. They stop one stop_source, which cancels the
//   accept and whatever every connection waits for; then all are closed.
#include <netinet/in.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <memory>
#include <span>
#include <string>

#include "engine/byte_stream.hpp"
#include "engine/event.hpp"
#include "engine/scope.hpp"
#include "engine/socket_address.hpp"
#include "line_writer.hpp"
#include "open_loop.hpp"

namespace {

using namespace std::chrono_literals;

struct echo_server {
  explicit echo_server(uring::loop& loop) : on(loop), log(loop, STDOUT_FILENO) {}
  uring::loop& on;
  line_writer log;
  uring::stop_source stop;
  uring::scope connections;
  uring::event one_left;  // a connection has ended since the last accept was started
  std::size_t served = 0;
  std::size_t bytes = 0;
  std::size_t pauses = 0;
};

uring::task<void> serve(echo_server& here, int fd) {
  uring::socket_stream peer(here.on, fd);
  uring::io_limits limits;
  limits.stop = &here.stop;
  // As much as a busy peer may have sent by now, so few system calls. The kernel takes a send of
  // this size in pieces when the peer doesn't read. (Pages that are never used cost nothing.)
  constexpr std::size_t size = 1U << 18;
  const auto memory = std::make_unique_for_overwrite<std::byte[]>(size);
  const std::span buffer(memory.get(), size);
  while (true) {
    const uring::completion got = co_await peer.read_some(buffer, limits);
    if (got.res <= 0) break;
    const auto heard = buffer.first(static_cast<std::size_t>(got.res));
    const uring::transfer_result sent = co_await peer.write_all(heard, limits);
    here.bytes += sent.transferred;
    if (sent.transferred < heard.size()) break;
  }
  co_await peer.close({});
  ++here.served;
  here.one_left.set();
}

// What ends an accept without ending the listener.
enum class setback { none, this_client, no_resources, fatal };
setback setback_of(int res) {
  if (res >= 0) return setback::none;
  switch (-res) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return setback::no_resources;
    // The network errors of accept(2) belong to the client that was next.
    case ECONNABORTED:
    case EINTR:
    case EPERM:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
      return setback::this_client;
    default:
      return setback::fatal;
  }
}

uring::task<void> until_resources(echo_server& here) {
  if (here.pauses++ == 0) co_await here.log.print("out of descriptors: waiting for one to be free");
  if (here.connections.running() != 0) {
    co_await here.one_left.wait().cancel_on(here.stop);
  } else {
    // Somebody else has them all; nobody will tell when that changes.
    co_await here.on.sleep_for(100ms).cancel_on(here.stop);
  }
}

// Accepts until it is stopped. Returns 0, or the errno that ended it.
uring::task<int> accept_all(echo_server& here, int listener) {
  while (!here.stop.stop_requested()) {
    // Before the accept: a connection that ends while it fails must not go unnoticed.
    here.one_left.reset();
    const uring::completion c = co_await here.on.accept(listener).cancel_on(here.stop);
    if (c.res >= 0) {
      // Also when the stop came first and the accept won: serve() ends it at once.
      here.connections.spawn(serve(here, c.res));
      continue;
    }
    if (c.why == uring::outcome::cancelled) break;
    const setback kind = setback_of(c.res);
    if (kind == setback::fatal) co_return -c.res;
    if (kind == setback::no_resources) co_await until_resources(here);
  }
  co_return 0;
}

uring::task<void> until_signal(echo_server& here, int signals) {
  signalfd_siginfo got{};
  const auto room = std::as_writable_bytes(std::span(&got, 1));
  const uring::completion c = co_await here.on.read(signals, room).cancel_on(here.stop);
  if (c.res > 0) co_await here.log.print("signal " + std::to_string(got.ssi_signo) + ": ending");
  here.stop.request_stop();
}

uring::task<int> listen_and_serve(uring::loop& on, int listener, int signals) {
  echo_server here(on);
  co_await here.log.print("listening on " + uring::socket_address::local_of(listener).url());
  uring::scope watchers;
  watchers.spawn(until_signal(here, signals));
  const int error = co_await accept_all(here, listener);
  here.stop.request_stop();
  const std::size_t open = here.connections.running();
  co_await here.connections.join();
  co_await watchers.join();
  co_await here.log.print("served " + std::to_string(here.served) + " connections, " +
                          std::to_string(here.bytes) + " bytes; " + std::to_string(open) +
                          " were open at the end; " + std::to_string(here.pauses) + " pauses");
  if (error != 0) std::fprintf(stderr, "echo_server: accept: %s\n", std::strerror(error));
  co_return error == 0 ? 0 : 1;
}

// A listening socket, or -1 with errno.
int listen_on(const uring::socket_address& at) {
  const int fd = socket(at.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind(fd, at.data(), at.length()) == 0 && listen(fd, SOMAXCONN) == 0) return fd;
  close(fd);
  return -1;
}

int watch_signals() {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  sigprocmask(SIG_BLOCK, &ending, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signalfd(-1, &ending, SFD_CLOEXEC);
}

}  // namespace

int main(int argc, char** argv) {
  std::string reason;
  const char* where = argc > 1 ? argv[1] : "tcp://127.0.0.1:7000";
  const auto at = uring::socket_address::parse(where, reason);
  if (!at) {
    std::fprintf(stderr, "echo_server: %s: %s\n", where, reason.c_str());
    return 2;
  }
  const int signals = watch_signals();
  const auto on = open_loop();
  if (on == nullptr) return 1;
  const int listener = listen_on(*at);
  if (signals < 0 || listener < 0) {
    std::fprintf(stderr, "echo_server: %s: %s\n", where, std::strerror(errno));
    return 1;
  }
  const int status = on->run(listen_and_serve(*on, listener, signals));
  close(listener);
  close(signals);
  return status;
}
