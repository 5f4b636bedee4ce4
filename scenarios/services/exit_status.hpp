// How a process ended, and the names of signals.
//
// Plain values; callable from anywhere.
#pragma once

#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace scenarios {

struct exit_status {
  enum class manner : std::uint8_t { exited, killed };
  manner how = manner::exited;
  int value = 0;  ///< the exit status, or the signal

  static exit_status exited(int status) { return {manner::exited, status}; }
  static exit_status killed(int signal) { return {manner::killed, signal}; }
  /// Of what waitid(2) filled in with WEXITED.
  static exit_status from(const siginfo_t& info);
  /// "exited 0", "killed by SIGTERM".
  [[nodiscard]] std::string text() const;
  friend bool operator==(const exit_status&, const exit_status&) = default;
};

/// "SIGTERM", "SIGRTMIN+3"; "signal 99" for what is none.
std::string signal_name(int signal);
/// Accepts "SIGTERM", "TERM" and "15"; nothing when there is no such signal.
std::optional<int> find_signal(std::string_view text);

}  // namespace scenarios
