// Steps on programs and on files.

#include "scenarios/compile_strand.hpp"
#include "scenarios/step_rows.hpp"

namespace scenarios::rows {
namespace {

constexpr key_row run_row = {"run", j::array, required, "the program and its arguments; no shell"};
constexpr key_row env_row = {"env", j::object, optional, "environment variables to set"};
constexpr key_row cwd_row = {"cwd", j::string, optional, "working directory (default: ${tmp})"};
constexpr key_row user_row = {"user", j::string, optional,
                              "run it as this user (as root the default is nobody)"};
constexpr key_row process_row = {"process", j::string, required, "the name of a spawned program"};

constexpr key_row spawn_keys[] = {
    run_row, env_row, cwd_row, user_row, {"stdin", j::string, optional, "pipe, or null (default)"}};
constexpr key_row exec_keys[] = {
    run_row, env_row, cwd_row, user_row, {"stdin", j::data, optional, "what its stdin holds"}};
constexpr key_row kill_keys[] = {
    {"process", j::string, required, "a spawned program, or a service"},
    {"signal", j::string, optional, "what to send (default SIGTERM)"}};
constexpr key_row either_keys[] = {
    {"process", j::string, required, "a spawned program, or a service"}};
constexpr key_row process_keys[] = {process_row};
constexpr key_row stdin_keys[] = {
    process_row,
    {"data", j::data, optional, "what to write"},
    {"close", j::boolean, optional, "true: its stdin ends after that"}};
constexpr key_row output_keys[] = {
    process_row,
    {"stdout", j::string, optional, "RE2, searched in what it wrote since the last match"},
    {"stderr", j::string, optional, "the same of its standard error"}};
constexpr key_row write_keys[] = {
    {"path", j::string, required, "the file; a relative path is below ${tmp}"},
    {"data", j::data, required, "what to write"},
    {"mode", j::string | j::integer, optional, "permissions of a new file, octal: \"0644\""},
    {"append", j::boolean, optional, "true: at its end, instead of in its place"}};
constexpr key_row read_keys[] = {
    {"path", j::string, required, "the file; a relative path is below ${tmp}"},
    {"max", j::number, optional, "more bytes are a failure (default 1MiB)"}};

constexpr std::uint8_t write_ops[] = {IORING_OP_OPENAT, IORING_OP_WRITE, IORING_OP_CLOSE};
constexpr std::uint8_t read_ops[] = {IORING_OP_OPENAT, IORING_OP_READ, IORING_OP_CLOSE};

step_row process(std::string_view name, trait traits, modifier allowed,
                 decltype(step_row::compile) compile) {
  step_row made = stream(name, traits, allowed, {}, compile);
  made.layer = step_layer::process;
  return made;
}

}  // namespace

std::vector<step_row> process_rows() {
  std::vector<step_row> rows;
  rows.push_back(with(
      process("spawn", trait::makes | trait::has_result, always | as | expect, compile_spawn),
      j::array, "run", spawn_keys, "Starts a program that runs beside the steps; `as` names it.",
      R"({ "spawn": { "run": ["cat"], "stdin": "pipe" }, "as": "cat" })"));
  rows.push_back(with(
      process("exec", trait::yields_data | trait::has_result, waits | as | capture | collect,
              compile_exec),
      j::array, "run", exec_keys,
      "Runs a program to its end, which must be exit 0 unless `exit` is expected. Its data is what "
      "it wrote to stdout.",
      R"({ "exec": ["date", "+%Y"], "expect": { "exit": 0, "stdout": { "regex": "^20" } } })"));
  rows.push_back(with(process("kill", trait::has_result, always | expect, compile_kill), j::string,
                      "process", kill_keys, "Sends a signal to a program and all of its group.",
                      R"({ "kill": { "process": "redis", "signal": "SIGKILL" } })"));
  rows.push_back(with(process("stop", trait::has_result, always | expect, compile_stop), j::string,
                      "process", either_keys,
                      "Stops a program (SIGSTOP), and waits until it stands still.",
                      R"({ "stop": "redis" })"));
  rows.push_back(with(process("continue", trait::has_result, always | expect, compile_continue),
                      j::string, "process", either_keys, "Lets a stopped program go on (SIGCONT).",
                      R"({ "continue": "redis" })"));
  rows.push_back(with(process("wait_exit", trait::yields_data | trait::has_result,
                              waits | as | capture | collect, compile_wait_exit),
                      j::string, "process", process_keys,
                      "Waits for a program's end, which must be exit 0 unless `exit` is expected.",
                      R"({ "wait_exit": "server", "expect": { "exit": "SIGTERM" } })"));
  rows.push_back(with(process("write_stdin", trait::has_result, waits, compile_write_stdin), 0, "",
                      stdin_keys, "Writes to the stdin of a program that has a pipe there.",
                      R"({ "write_stdin": { "process": "cat", "data": "hello\n" } })"));
  rows.push_back(
      with(process("expect_output", trait::yields_data | trait::has_result, waits | as | capture,
                   compile_expect_output),
           0, "", output_keys,
           "Waits until a program has written what the pattern says; its named groups "
           "become names. The next one searches behind that.",
           R"j({ "expect_output": { "process": "server", "stdout": "port (?P<at>\\d+)" } })j"));
  return rows;
}

std::vector<step_row> file_rows() {
  std::vector<step_row> rows;
  rows.push_back(with(process("write_file", trait::none, waits, compile_write_file), 0, "",
                      write_keys, "Writes a file; directories below ${tmp} are made.",
                      R"({ "write_file": { "path": "a.conf", "data": "port 1\n" } })"));
  rows.back().opcodes = write_ops;
  rows.push_back(with(
      process("read_file", trait::yields_data, waits | as | capture | collect, compile_read_file),
      j::string, "path", read_keys, "Reads a whole file.",
      R"({ "read_file": "a.log", "as": "log", "expect": { "data": { "contains": "ready" } } })"));
  rows.back().opcodes = read_ops;
  return rows;
}

}  // namespace scenarios::rows
