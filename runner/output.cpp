#include "runner/output.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "scenarios/visible.hpp"

namespace runner {
namespace {

// The first error of standard output; everything after it is dropped, not tried again.
std::atomic<int> lost{0};

// Unbuffered: pieces are whole blocks of text, and a signal must not lose what was printed before.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return 0;
}

const char* environment(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

void print(std::string_view text) {
  if (lost.load(std::memory_order_relaxed) != 0) return;
  if (const int error = write_all(STDOUT_FILENO, text)) lost = error;
}

void complain(std::string_view message) {
  std::string text = "uring-scenario: ";
  while (!message.empty()) {
    const std::size_t end = std::min(message.find('\n'), message.size());
    text += scenarios::visible(message.substr(0, end)) + '\n';
    message.remove_prefix(std::min(end + 1, message.size()));
  }
  write_all(STDERR_FILENO, reports::disarmed(std::move(text)));
}

void print_error(std::string_view text) {
  write_all(STDERR_FILENO, text);
}

bool finish_output() {
  const int error = lost.exchange(0);
  if (error == 0 || error == EPIPE) return true;
  complain(fmt::format("cannot write to standard output: {}", std::strerror(error)));
  return false;
}

bool is_terminal(stream to) {
  return ::isatty(static_cast<int>(to)) == 1;
}

bool wants_color(stream to, color_mode mode) {
  if (mode != color_mode::automatic) return mode == color_mode::always;
  if (*environment("NO_COLOR") != '\0' || std::string_view(environment("TERM")) == "dumb") {
    return false;
  }
  return is_terminal(to);
}

reports::text_style style_of(stream to, color_mode mode) {
  reports::text_style style;
  style.color = wants_color(to, mode);
  winsize size{};
  if (::ioctl(static_cast<int>(to), TIOCGWINSZ, &size) == 0 && size.ws_col != 0) {
    style.width = std::clamp<std::size_t>(size.ws_col, 40, 200);
  }
  return style;
}

bool in_ci() {
  const char* const value = std::getenv("CI");
  return value != nullptr && *value != '\0' && std::string_view(value) != "false";
}

reports::progress progress_of(progress_mode mode, stream to) {
  using reports::progress;
  switch (mode) {
    case progress_mode::bar:
      return progress::bar;
    case progress_mode::lines:
      return progress::lines;
    case progress_mode::none:
      return progress::none;
    case progress_mode::automatic:
      break;
  }
  const char* const term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  return is_terminal(to) && !dumb && !in_ci() ? progress::bar : progress::lines;
}

std::int64_t now_ns() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::size_t terminal_height() {
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row != 0;
  return known ? size.ws_row : 24;
}

}  // namespace runner
