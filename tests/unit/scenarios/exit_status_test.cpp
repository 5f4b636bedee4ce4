#include "scenarios/services/exit_status.hpp"

#include <catch2/catch_test_macros.hpp>
#include <csignal>

using scenarios::exit_status;
using scenarios::find_signal;
using scenarios::signal_name;

TEST_CASE("an exit status is said in words") {
  CHECK(exit_status::exited(0).text() == "exited 0");
  CHECK(exit_status::exited(3).text() == "exited 3");
  CHECK(exit_status::killed(SIGTERM).text() == "killed by SIGTERM");
  CHECK(exit_status::killed(SIGRTMIN + 2).text() == "killed by SIGRTMIN+2");
}

TEST_CASE("an exit and a death by signal of the same number differ") {
  CHECK(exit_status::exited(9) != exit_status::killed(9));
  CHECK(exit_status::exited(9) == exit_status::exited(9));
}

TEST_CASE("signals are found by name, short name and number") {
  CHECK(find_signal("SIGTERM") == SIGTERM);
  CHECK(find_signal("TERM") == SIGTERM);
  CHECK(find_signal("9") == SIGKILL);
  CHECK(find_signal("SIGRTMIN+3") == SIGRTMIN + 3);
  for (int signal = 1; signal <= SIGSYS; ++signal)
    CHECK(find_signal(signal_name(signal)) == signal);
}

TEST_CASE("what is no signal is not found") {
  for (const char* text : {"", "SIG", "SIGNOPE", "0", "-9", "999", "9x", "sigterm"}) {
    CAPTURE(text);
    CHECK_FALSE(find_signal(text).has_value());
  }
}
