// Shows: waiting for a person with a time limit, and a connection beside it, on one thread.
//
//   echo_client tcp://127.0.0.1:7000 [PATIENCE_MS]
//
// Prompts, sends what is typed, prints what comes back. Leaves at the end of the input, or when
// nothing has been typed for ten seconds. Each wait is an operation with a timeout; the outcome
// says whether the time was up, so nothing has to be measured.
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "engine/byte_stream.hpp"
#include "engine/socket_address.hpp"
#include "open_loop.hpp"

namespace {

using namespace std::chrono_literals;
constexpr auto network_patience = 10s;

int complain(std::string_view what, int error) {
  std::fprintf(stderr, "echo_client: %.*s: %s\n", static_cast<int>(what.size()), what.data(),
               std::strerror(error));
  return 1;
}

// Writes all of it; a terminal or a pipe may take it in pieces. 0 or an errno.
uring::task<int> put(uring::loop& on, std::span<const std::byte> text) {
  while (!text.empty()) {
    const uring::completion c = co_await on.write(STDOUT_FILENO, text);
    if (c.res <= 0) co_return c.res < 0 ? -c.res : EIO;
    text = text.subspan(static_cast<std::size_t>(c.res));
  }
  co_return 0;
}

uring::task<int> put(uring::loop& on, std::string_view text) {
  return put(on, std::as_bytes(std::span(text)));
}

uring::io_limits within(uring::duration patience) {
  uring::io_limits limits;
  limits.deadline = uring::later(uring::clock::now(), patience);
  return limits;
}

// Sends `text` and prints as many bytes as it was, as they come back. 0, or 1 when it is over.
uring::task<int> there_and_back(uring::loop& on, uring::byte_stream& server,
                                std::span<const std::byte> text) {
  const uring::io_limits limits = within(network_patience);
  const uring::transfer_result sent = co_await server.write_all(text, limits);
  if (!sent.last.succeeded()) co_return complain("send", -sent.last.res);
  std::array<std::byte, 1024> buffer;
  for (std::size_t missing = text.size(); missing > 0;) {
    const auto room = std::span(buffer).first(std::min(missing, buffer.size()));
    const uring::completion got = co_await server.read_some(room, limits);
    if (got.why == uring::outcome::timed_out) co_return complain("recv", ETIMEDOUT);
    if (got.res < 0) co_return complain("recv", -got.res);
    if (got.res == 0) {
      std::fputs("echo_client: the server closed the connection\n", stderr);
      co_return 1;
    }
    missing -= static_cast<std::size_t>(got.res);
    const auto back = room.first(static_cast<std::size_t>(got.res));
    if (const int error = co_await put(on, back); error != 0) co_return complain("print", error);
  }
  co_return 0;
}

uring::task<int> converse(uring::loop& on, uring::byte_stream& server, uring::duration patience) {
  std::array<std::byte, 1024> typed;
  while (true) {
    if (const int error = co_await put(on, "> "); error != 0) co_return complain("print", error);
    const uring::completion got = co_await on.read(STDIN_FILENO, typed).timeout(patience);
    if (got.why == uring::outcome::timed_out) {
      const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
      co_await put(on, "\nnothing was typed for " + std::to_string(ms) + " ms, good-bye\n");
      co_return 0;
    }
    if (got.res < 0) co_return complain("read", -got.res);
    if (got.res == 0) {
      co_await put(on, "\n");
      co_return 0;
    }
    const auto text = std::span(typed).first(static_cast<std::size_t>(got.res));
    if (const int failed = co_await there_and_back(on, server, text); failed != 0) co_return failed;
  }
}

uring::task<int> talk(uring::loop& on, uring::socket_address to, uring::duration patience) {
  const uring::completion made = co_await on.socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC);
  if (made.res < 0) co_return complain("socket", -made.res);
  uring::socket_stream server(on, made.res);
  const uring::completion connected =
      co_await on.connect(made.res, to.data(), to.length()).timeout(network_patience);
  if (connected.why == uring::outcome::timed_out) co_return complain(to.url(), ETIMEDOUT);
  if (connected.res < 0) co_return complain(to.url(), -connected.res);
  const int status = co_await converse(on, server, patience);
  co_await server.close({});
  co_return status;
}

}  // namespace

int main(int argc, char** argv) {
  std::string reason = "usage: echo_client tcp://ADDRESS:PORT [PATIENCE_MS]";
  const auto to = argc < 2 ? std::nullopt : uring::socket_address::parse(argv[1], reason);
  if (!to) {
    std::fprintf(stderr, "echo_client: %s\n", reason.c_str());
    return 2;
  }
  const long ms = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 10'000;
  std::signal(SIGPIPE, SIG_IGN);
  const auto on = open_loop();
  if (on == nullptr) return 1;
  return on->run(talk(*on, *to, std::chrono::milliseconds(ms)));
}
