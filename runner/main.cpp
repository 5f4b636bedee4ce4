// The program: everything is in runner/cli.hpp.

#include "runner/cli.hpp"

int main(int count, char** words) {
  return runner::main_program(count, words);
}
