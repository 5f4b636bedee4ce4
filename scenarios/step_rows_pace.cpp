// Steps that send in pieces, and that let bytes pile up.

#include "scenarios/compile_strand.hpp"
#include "scenarios/step_rows.hpp"

namespace scenarios::rows {
namespace {

constexpr key_row trickle_keys[] = {
    {"data", j::data, required, "what to send"},
    {"size", j::number, optional, "bytes of a piece (default 1)"},
    {"every", j::string, optional, "the pause between two pieces (default 10ms)"}};
constexpr key_row split_keys[] = {
    {"data", j::data, required, "what to send"},
    {"at", j::array, required, "offsets at which a new piece begins, ascending"},
    {"pause", j::string, optional, "the pause between two pieces (default 5ms)"}};
constexpr key_row stall_keys[] = {{"time", j::string, required, "how long"}};

constexpr std::uint8_t send_ops[] = {IORING_OP_SEND};

}  // namespace

std::vector<step_row> pace_rows() {
  std::vector<step_row> rows;
  rows.push_back(with(
      stream("trickle", trait::works_on, waits | on | sqe_flags, send_ops, compile_trickle), 0, "",
      trickle_keys, "Sends in pieces of one size with pauses between them; each is a submission.",
      R"({ "trickle": { "data": "GET / HTTP/1.0\r\n\r\n", "size": 1, "every": "1ms" } })"));
  rows.push_back(
      with(stream("split", trait::works_on, waits | on | sqe_flags, send_ops, compile_split), 0, "",
           split_keys, "Sends in pieces that begin where it says; each is a submission.",
           R"({ "split": { "data": "HELLO\r\n", "at": [1, 6] } })"));
  rows.push_back(with(stream("stall_reads", trait::works_on | trait::has_result,
                             waits | on | capture, {}, compile_stall_reads),
                      j::string, "time", stall_keys,
                      "Reads nothing for a time, so that what the peer sends piles up; the result "
                      "is how many bytes wait then.",
                      R"({ "stall_reads": "200ms", "expect": { "res": { "ge": 4096 } } })"));
  return rows;
}

}  // namespace scenarios::rows
