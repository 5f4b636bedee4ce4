// Shows: several coroutines that share a resource without a lock.
//
//   line_writer [--tasks 8] [--lines 1000] [--length 60]
//
// Each task prints its numbered lines to standard output through one line_writer. However slow the
// reader is and however the kernel cuts the writes, no line is ever torn, and each task's own lines
// stay in order.
#include "line_writer.hpp"

#include <getopt.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>

#include "engine/scope.hpp"
#include "open_loop.hpp"

namespace {

struct settings {
  unsigned tasks = 8;
  unsigned lines = 1000;
  unsigned length = 60;
};

uring::task<void> speak(line_writer& out, unsigned number, settings with, int& error) {
  for (unsigned line = 0; line < with.lines && error == 0; ++line) {
    std::string text = "task " + std::to_string(number) + " line " + std::to_string(line) + ' ';
    text.resize(std::max<std::size_t>(text.size(), with.length), '.');
    if (const int failed = co_await out.print(text); failed != 0) error = failed;
  }
}

uring::task<int> all_speak(uring::loop& on, settings with) {
  line_writer out(on, STDOUT_FILENO);
  int error = 0;
  uring::scope tasks;
  for (unsigned number = 0; number < with.tasks; ++number) {
    tasks.spawn(speak(out, number, with, error));
  }
  co_await tasks.join();
  co_return error;
}

}  // namespace

int main(int argc, char** argv) {
  settings with;
  const option options[] = {{"tasks", required_argument, nullptr, 't'},
                            {"lines", required_argument, nullptr, 'l'},
                            {"length", required_argument, nullptr, 'w'},
                            {nullptr, 0, nullptr, 0}};
  for (int found = 0; (found = getopt_long(argc, argv, "", options, nullptr)) != -1;) {
    const auto value =
        static_cast<unsigned>(optarg != nullptr ? std::strtoul(optarg, nullptr, 10) : 0);
    switch (found) {
      case 't':
        with.tasks = value;
        break;
      case 'l':
        with.lines = value;
        break;
      case 'w':
        with.length = value;
        break;
      default:
        return 2;
    }
  }
  // Writing to a pipe that nobody reads is an error to be told, not a signal.
  std::signal(SIGPIPE, SIG_IGN);
  const auto on = open_loop();
  if (on == nullptr) return 1;
  const int error = on->run(all_speak(*on, with));
  if (error != 0) std::fprintf(stderr, "line_writer: %s\n", std::strerror(error));
  return error == 0 ? 0 : 1;
}
