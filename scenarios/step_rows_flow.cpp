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
    {"stray", j::object, optional,
     "{ ring, user_data } or { fault }: the next completion of no request"}};
constexpr key_row text_keys[] = {{"text", j::string, required, "what to say"}};
constexpr key_row id_keys[] = {{"id", j::string, required, "the id of an async step"}};
constexpr key_row repeat_keys[] = {{"times", j::number, required, "how often"},
                                   {"as", j::string, optional, "the round's number, from 0"},
                                   {"do", j::array, required, "the steps of a round"}};
constexpr key_row for_keys[] = {{"each", j::list, required, "a list"},
                                {"as", j::string, optional, "the item of the round"},
                                {"do", j::array, required, "the steps of a round"}};
constexpr key_row while_keys[] = {
    {"cond", j::condition, required, "what must hold before each round"},
    {"max", j::number, optional, "so many rounds are a failure (default 1000)"},
    {"do", j::array, required, "the steps of a round"}};
constexpr key_row loop_keys[] = {
    {"do", j::array, required, "the steps of a round"},
    {"until", j::condition, required, "what ends it, computed after each round from its names"},
    {"max", j::number, optional, "so many rounds without it are a failure (default 1000)"}};
constexpr key_row if_keys[] = {{"cond", j::condition, required, "what decides"},
                               {"then", j::array, required, "the steps if it holds"},
                               {"else", j::array, optional, "the steps if not"}};
constexpr key_row parallel_keys[] = {{"do", j::array, required, "lists of steps"}};
constexpr key_row call_keys[] = {{"macro", j::string, required, "the name of a macro"}};
constexpr key_row assert_keys[] = {
    {"that", j::condition, optional, "what must hold"},
    {"value", j::any, optional, "a value …"},
    {"is", j::any, optional, "… and the matcher that it must pass"},
    {"message", j::string, optional, "what to say when it does not"}};
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
                      "Waits for an async step, whose expectation is judged here. One that its "
                      "`when` has left out is over.",
                      R"({ "join": "r1" })"));
  rows.push_back(
      with(flow("cancel", always | expect, compile_cancel), j::string, "id", id_keys,
           "Cancels an async step. Its own result is the cancel's: 0, EALREADY where a worker "
           "was at it, ENOENT when the step had ended by itself.",
           R"({ "cancel": "r1" })"));
  rows.back().opcodes = cancel_ops;
  rows.push_back(
      with(flow("repeat", always, compile_repeat), 0, "", repeat_keys,
           "Runs its steps so many times; names made inside are fresh each time.",
           R"({ "repeat": { "times": 3, "as": "i", "do": [ { "send": "${str(i)}" } ] } })"));
  rows.push_back(with(
      flow("for", always, compile_for), 0, "", for_keys, "Runs its steps for each item of a list.",
      R"j({ "for": { "each": [1, 64], "as": "n", "do": [ { "send": "${str(n)}" } ] } })j"));
  rows.push_back(
      with(flow("while", always, compile_while), 0, "", while_keys,
           "Runs its steps while a condition holds.",
           R"({ "while": { "cond": "${n < 3}", "do": [ { "set": { "n": "${n + 1}" } } ] } })"));
  rows.push_back(with(flow("loop", always, compile_loop), 0, "", loop_keys,
                      "Runs its steps until a condition holds, once at least.",
                      R"({ "loop": { "do": [ { "recv": { "line": true }, "as": "l" } ], )"
                      R"("until": "${l == who}" } })"));
  rows.push_back(with(flow("if", always, compile_if), 0, "", if_keys,
                      "Runs its steps under a condition.",
                      R"({ "if": { "cond": "${n > 0}", "then": [ { "send": "more" } ] } })"));
  rows.push_back(with(flow("break", always, compile_break), j::boolean, "", {},
                      "Leaves the loop around it.", R"({ "break": true, "when": "${n == 3}" })"));
  rows.push_back(with(
      flow("parallel", always, compile_parallel), 0, "", parallel_keys,
      "Runs several lists of steps at once, until all have ended.",
      R"({ "parallel": { "do": [ [ { "send": "a" } ], [ { "recv": { "some": true } } ] ] } })"));
  rows.push_back(with(flow("call", always | modifier::arguments, compile_call), j::string, "macro",
                      call_keys, "Runs the steps of a macro.",
                      R"({ "call": "greet", "with": { "who": "world" } })"));
  rows.push_back(with(flow("assert", always, compile_assert), j::condition, "that", assert_keys,
                      "Fails unless a condition holds, or a value is as it must be.",
                      R"({ "assert": { "value": "${len(body)}", "is": { "ge": 10 } } })"));
  rows.push_back(with(flow("poll", always | expect | capture, compile_poll), j::string, "id",
                      id_keys, "Looks whether an async step has ended: 1, or 0 while it runs.",
                      R"({ "poll": "r1", "expect": 0 })"));
  rows.back().traits = trait::has_result;
  rows.push_back(with(flow("skip", always, compile_skip), j::string, "text", text_keys,
                      "Ends the scenario as skipped, for this reason.",
                      R"({ "skip": "no IPv6 here", "when": "${not ipv6}" })"));
  rows.push_back(
      with(flow("chain", waits | ring, compile_chain), 0, "", chain_keys,
           "Submits sqe steps together, linked or as a batch.",
           R"({ "chain": { "link": "hard", "do": [ { "nop": {} }, { "nop": {} } ] } })"));
  rows.back().traits = trait::has_result;
  return rows;
}

}  // namespace scenarios::rows
