// Faults of services: real programs that die, stand still, go on, or come back.

#include "scenarios/faults/fault_row_parts.hpp"

namespace scenarios::fault_rows {
namespace {

constexpr key_row kill_keys[] = {
    {"signal", j::string, optional, "what is sent to all of its group (default SIGKILL)"}};

fault_row process(std::string_view name, std::span<const key_row> parameters, std::string_view doc,
                  std::string_view victim, std::string_view example) {
  fault_row made;
  made.name = name;
  made.plane = fault_plane::process;
  made.parameters = parameters;
  made.doc = doc;
  made.victim = victim;
  made.example = example;
  made.proof = "tests/faults/process.scenario.json";
  return made;
}

}  // namespace

std::vector<fault_row> process() {
  return {
      process("process.kill", kill_keys,
              "Sends a signal to a service and all of its group, and waits until it has ended. "
              "Such an end satisfies `expect_exit`.",
              "the service dies: its connections are closed or reset by the kernel",
              R"({ "type": "process.kill", "where": { "service": "redis", "step": "c1/put" } })"),
      process("process.stop", {},
              "Sends SIGSTOP to a service and all of its group, and waits until it stands still.",
              "connections stay open, and nothing is answered",
              R"({ "type": "process.stop", "where": { "service": "redis" }, )"
              R"("when": { "at": "50ms" } })"),
      process("process.continue", {}, "Sends SIGCONT to a service and all of its group.",
              "what was sent meanwhile is answered",
              R"({ "type": "process.continue", "where": { "service": "redis" }, )"
              R"("when": { "after": { "fault": "frozen", "delay": "20ms" } } })"),
      process(
          "process.restart", {},
          "Stops a service as its `stop` says, starts it again with the same arguments and "
          "ports, and waits until it is ready.",
          "connections break, and a new one finds a service that has forgotten what it kept in "
          "memory",
          R"({ "type": "process.restart", "where": { "service": "redis", "step": "c1/put" } })"),
  };
}

}  // namespace scenarios::fault_rows
