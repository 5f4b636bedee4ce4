// Steps that submit nothing of their own but timers.

#include "scenarios/compile_strand.hpp"
#include "scenarios/step_rows.hpp"

namespace scenarios::rows {
namespace {

constexpr key_row sleep_keys[] = {{"time", j::string, required, "how long"}};
constexpr key_row name_keys[] = {{"name", j::string, required, "its name"}};
constexpr key_row await_keys[] = {
    {"signal", j::string, optional, "the signal to wait for"},
    {"id", j::string, optional, "an async step, for its completions"},
    {"cqes", j::number, optional, "with id: how many completions it must have had (default 1)"},
    {"stray", j::object, optional, "{ ring, user_data }: the next completion of no request"}};
constexpr key_row text_keys[] = {{"text", j::string, required, "what to say"}};
constexpr key_row id_keys[] = {{"id", j::string, required, "the id of an async step"}};
constexpr key_row repeat_keys[] = {{"times", j::number, required, "how often"},
                                   {"as", j::string, optional, "the round's number, from 0"},
                                   {"do", j::array, required, "the steps of a round"}};
constexpr key_row chain_keys[] = {
    {"link", j::string, optional, "soft (default), hard, or none: an unlinked batch"},
    {"do", j::array, required, "the members: sqe steps"}};

constexpr std::uint8_t timeout_ops[] = {IORING_OP_TIMEOUT};
constexpr std::uint8_t cancel_ops[] = {IORING_OP_ASYNC_CANCEL};

}  // namespace

std::vector<step_row> flow_rows() {
  std::vector<step_row> rows;
  rows.push_back(with(flow("sleep", waits, compile_sleep), j::string, "time", sleep_keys,
                      "Waits for a time.", R"({ "sleep": "20ms" })"));
  rows.back().opcodes = timeout_ops;
  rows.push_back(with(
      flow("barrier", always | timeout | expect, compile_barrier), j::string, "name", name_keys,
      "Waits until every actor that names this barrier has come to it.", R"({ "barrier": "go" })"));
  rows.push_back(with(flow("signal", always, compile_signal), j::string, "name", name_keys,
                      "Lets go, from now on, whoever awaits it.", R"({ "signal": "ready" })"));
  rows.push_back(with(flow("await", always | timeout | expect | ring, compile_await), j::string,
                      "signal", await_keys,
                      "Waits for a signal, for completions of an async step, or for a completion "
                      "that belongs to no request.",
                      R"({ "await": "ready" })"));
  rows.back().traits = trait::has_result;
  rows.push_back(with(flow("set", always, compile_set), 0, "", {},
                      "Assigns variables of the actor.", R"({ "set": { "n": "${n + 1}" } })"));
  rows.back().traits = trait::takes_everything;
  rows.push_back(with(flow("log", always, compile_log), j::string, "text", text_keys,
                      "Writes a line into the report.", R"({ "log": "got ${n} bytes" })"));
  rows.push_back(with(flow("fail", always, compile_fail), j::string, "text", text_keys,
                      "Fails: this place must not be reached.", R"({ "fail": "not here" })"));
  rows.push_back(with(flow("join", always | timeout, compile_join), j::string, "id", id_keys,
                      "Waits for an async step, whose expectation is judged here.",
                      R"({ "join": "r1" })"));
  rows.push_back(with(flow("cancel", always | expect, compile_cancel), j::string, "id", id_keys,
                      "Cancels an async step; its own result is the cancel's.",
                      R"({ "cancel": "r1" })"));
  rows.back().opcodes = cancel_ops;
  rows.push_back(
      with(flow("repeat", always, compile_repeat), 0, "", repeat_keys,
           "Runs its steps so many times; names made inside are fresh each time.",
           R"({ "repeat": { "times": 3, "as": "i", "do": [ { "send": "${str(i)}" } ] } })"));
  rows.push_back(
      with(flow("chain", waits | ring, compile_chain), 0, "", chain_keys,
           "Submits sqe steps together, linked or as a batch.",
           R"({ "chain": { "link": "hard", "do": [ { "nop": {} }, { "nop": {} } ] } })"));
  rows.back().traits = trait::has_result;
  return rows;
}

}  // namespace scenarios::rows
