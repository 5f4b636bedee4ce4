#include "runner/cli.hpp"

#include <cstdio>
#include <string_view>

namespace runner {

int main_program(int count, char** words) {
  if (count == 2 && std::string_view(words[1]) == "--version") {
    std::puts("uring-scenario " URING_VERSION);
    return 0;
  }
  std::fputs("uring-scenario: no command given\n", stderr);
  return 2;
}

}  // namespace runner
