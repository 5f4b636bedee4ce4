// The command line: which command was meant, and its exit code.
//
// Called once, by main(). Results go to stdout, what concerns the tool itself to stderr.
#pragma once

namespace runner {

/// Runs the program; `words` are main()'s own. Returns the exit code (exit_code.hpp).
int main_program(int count, char** words);

}  // namespace runner
