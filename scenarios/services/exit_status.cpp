#include "scenarios/services/exit_status.hpp"

#include <charconv>
#include <cstring>

namespace scenarios {

exit_status exit_status::from(const siginfo_t& info) {
  return info.si_code == CLD_EXITED ? exited(info.si_status) : killed(info.si_status);
}

std::string exit_status::text() const {
  return how == manner::exited ? "exited " + std::to_string(value)
                               : "killed by " + signal_name(value);
}

std::string signal_name(int signal) {
  if (const char* name = sigabbrev_np(signal); name != nullptr) return std::string("SIG") + name;
  if (signal >= SIGRTMIN && signal <= SIGRTMAX) {
    const int above = signal - SIGRTMIN;
    return above == 0 ? "SIGRTMIN" : "SIGRTMIN+" + std::to_string(above);
  }
  return "signal " + std::to_string(signal);
}

std::optional<int> find_signal(std::string_view text) {
  int number = 0;
  const char* const end = text.data() + text.size();
  if (const auto parsed = std::from_chars(text.data(), end, number);
      parsed.ec == std::errc{} && parsed.ptr == end) {
    return number >= 1 && number <= SIGRTMAX ? std::optional(number) : std::nullopt;
  }
  const std::string name = text.starts_with("SIG") ? std::string(text) : "SIG" + std::string(text);
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    if (signal_name(signal) == name) return signal;
  }
  return std::nullopt;
}

}  // namespace scenarios
