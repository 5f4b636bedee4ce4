// Steps that are a system call: what has no opcode, or is no submission.

#include "scenarios/compile_strand.hpp"
#include "scenarios/make_table.hpp"
#include "scenarios/register_table.hpp"
#include "scenarios/step_rows.hpp"

namespace scenarios::rows {
namespace {

constexpr key_row option_keys[] = {
    {"level", j::number, optional, "socket (default), ip, ipv6, tcp, udp, or a number"},
    {"option", j::number, required, "its name without prefix: rcvbuf, nodelay, or a number"},
    {"value", j::number | j::data, required, "an integer, or data"}};
constexpr key_row read_option_keys[] = {
    option_keys[0], option_keys[1], {"len", j::number, optional, "room for its value (default 4)"}};
constexpr key_row recycle_keys[] = {
    {"group", j::number, required, "a buffer group of the ring"},
    {"bufs", j::array, optional, "numbers of the buffers (default: all that were used)"}};

}  // namespace

std::vector<step_row> system_rows() {
  std::vector<step_row> rows;
  rows.push_back(with(flow("make", always | as | expect, compile_make), 0, "", make_keys(),
                      "Makes descriptors that have no opcode, a futex, or a child process.",
                      R"({ "make": { "kind": "socketpair" }, "as": ["a", "b"] })"));
  rows.back().traits = trait::makes | trait::has_result;
  rows.push_back(with(flow("setsockopt", always | on | expect, compile_setsockopt), 0, "",
                      option_keys, "Sets a socket option; the result is 0 or an errno.",
                      R"({ "setsockopt": { "option": "rcvbuf", "value": 4096 } })"));
  rows.back().traits = trait::works_on | trait::has_result;
  rows.push_back(
      with(flow("getsockopt", always | on | expect | capture, compile_getsockopt), 0, "",
           read_option_keys, "Reads a socket option, into the field `value`.",
           R"({ "getsockopt": { "option": "error" }, "expect": { "fields": { "value": 0 } } })"));
  rows.back().traits = trait::works_on | trait::has_result;
  rows.push_back(
      with(flow("register", always | expect | ring | capture | timeout, compile_register), 0, "",
           register_keys(),
           "Does what io_uring_register does with a private ring; the result is the "
           "call's.",
           R"({ "register": { "buffers": [4096, 64] }, "ring": "r" })"));
  rows.back().traits = trait::has_result;
  rows.push_back(with(flow("recycle", always | ring, compile_recycle), 0, "", recycle_keys,
                      "Gives used buffers of a group back to the kernel.",
                      R"({ "recycle": { "group": "g", "bufs": [0] }, "ring": "r" })"));
  for (step_row& row : rows) row.layer = step_layer::low_level;
  return rows;
}

}  // namespace scenarios::rows
