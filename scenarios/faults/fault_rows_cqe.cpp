// Faults of one operation's completion.

#include "scenarios/faults/fault_row_parts.hpp"

namespace scenarios::fault_rows {
namespace {

constexpr json_types fraction = j::integer | j::real;

constexpr key_row point_key{"point", j::string, optional,
                            "before: it never runs; after: it runs, its result is replaced "
                            "(default before)"};
constexpr key_row needed_delay{"delay", j::string, required, "how long"};
constexpr key_row force_key{"force", j::boolean, optional,
                            "true: allow an errno that the op can't return"};

constexpr key_row errno_keys[] = {
    {"errno", j::string, required, "what the operation fails with"},
    {"point", j::string, required, "before: it never ran; after: it ran, its result was replaced"},
    force_key};
constexpr key_row amount_keys[] = {
    {"bytes", j::number, optional, "so many bytes are transferred at most"},
    {"fraction", fraction, optional, "this part of what was asked for, above 0 and below 1"},
    {"minus", j::number, optional, "all but so many bytes"}};
constexpr key_row point_keys[] = {point_key};
constexpr key_row delay_keys[] = {
    needed_delay,
    {"point", j::string, optional,
     "before: it starts so much later; after: it runs at once, and its completion comes so much "
     "later (default before)"}};
constexpr key_row late_keys[] = {needed_delay};
constexpr key_row reorder_keys[] = {
    {"window", j::integer, optional, "so many completions are held (default 2, or as `perm` says)"},
    {"perm", j::array, optional, "the order in which they come, from 0 (default: drawn)"},
    {"patience", j::string, optional,
     "held so long at most when not enough of them come (default 1s)"}};
constexpr key_row race_keys[] = {
    {"outcome", j::string, required, "op_wins, cancel_wins, too_late or not_found"},
    {"patience", j::string, optional, "the cancel is awaited so long at most (default 1s)"}};
constexpr key_row corrupt_keys[] = {
    {"offset", j::number, optional, "which byte of what this operation read (default 0)"},
    {"with", j::data, optional, "what is written over it (default: its bits are turned)"}};

using enum uring::cqe_fault;

struct words {
  std::string_view doc, victim, example;
  std::string_view kernel = "any";
};
constexpr std::string_view said_by_nop =
    "any; where it never runs a NOP says the result from 6.10 on, and the loop before";
constexpr std::string_view zero_copy = "6.0: sends without a copy";

fault_row cqe(uring::cqe_fault fault, std::string_view name, std::span<const key_row> parameters,
              const words& about) {
  fault_row made;
  made.name = name;
  made.parameters = parameters;
  made.doc = about.doc;
  made.victim = about.victim;
  made.example = about.example;
  made.cqe = fault;
  made.kernel = about.kernel;
  made.proof = fault == errno_ ? "examples/lost_ack.scenario.json"
               : fault == reorder || fault == multishot_end
                   ? "tests/faults/orders.scenario.json"
                   : "tests/faults/completions.scenario.json";
  return made;
}

std::vector<fault_row> results() {
  return {
      cqe(errno_, "cqe.errno", errno_keys,
          {"The operation fails with an errno. Before: a NOP that fails takes its place; after: it "
           "runs, and its result is hidden; what it brought is given back.",
           "an error; after: an error although the bytes moved",
           R"({ "type": "cqe.errno", "errno": "ECONNRESET", "point": "after", )"
           R"("where": { "op": "send" } })",
           said_by_nop}),
      cqe(short_read, "cqe.short_read", amount_keys,
          {"The operation is given less room than it asked for, so that no byte is lost. Not on "
           "sockets of datagrams, which are taken whole.",
           "fewer bytes than it asked for; the rest comes with the next read",
           R"({ "type": "cqe.short_read", "bytes": 1, "where": { "op": "sqe.recv" }, )"
           R"("when": { "nth": "1.." } })"}),
      cqe(short_write, "cqe.short_write", amount_keys,
          {"The operation is given less to write than it was asked to, so that no byte is sent "
           "twice. Not on sockets of datagrams, which are sent whole.",
           "fewer bytes written than it asked for",
           R"({ "type": "cqe.short_write", "fraction": 0.5, "where": { "op": "sqe.send" } })"}),
      cqe(eof, "cqe.eof", point_keys,
          {"A read says 0. Before: it never runs; after: what it read is lost.",
           "the end of the stream, although the other side has not closed it",
           R"({ "type": "cqe.eof", "where": { "actor": "c1", "op": "recv" } })", said_by_nop}),
      cqe(cancelled, "cqe.cancelled", point_keys,
          {"The operation says -ECANCELED although nobody cancelled it.",
           "a cancellation that nobody asked for",
           R"({ "type": "cqe.cancelled", "where": { "actor": "c1", "op": "recv" } })",
           said_by_nop}),
      cqe(nobufs, "cqe.nobufs", {},
          {"The operation says -ENOBUFS, as if its buffer group were empty.",
           "no buffer; the data stays where it is",
           R"({ "type": "cqe.nobufs", "where": { "op": "sqe.recv" } })", said_by_nop}),
      cqe(unsupported, "cqe.unsupported", {},
          {"The operation says -EINVAL, as on a kernel that does not know it. Only that: the probe "
           "still says that it is there.",
           "an opcode that is not there",
           R"({ "type": "cqe.unsupported", "where": { "op": "sqe.send_zc" } })", said_by_nop}),
      cqe(corrupt, "cqe.corrupt", corrupt_keys,
          {"Bytes of what the operation read are changed before anybody sees them; of what it is "
           "to write, in a copy that is written in their place.",
           "wrong data and a right result",
           R"({ "type": "cqe.corrupt", "offset": 3, "with": { "hex": "ff" }, )"
           R"("where": { "op": "sqe.recv" } })"}),
  };
}

std::vector<fault_row> times() {
  return {
      cqe(delay, "cqe.delay", delay_keys,
          {"Before: a TIMEOUT with the operation's own user_data and link timeout stands in its "
           "place for so long; after: its completion is kept back.",
           "an operation that takes longer; its deadline still holds",
           R"({ "type": "cqe.delay", "delay": "20ms", "where": { "op": "recv" } })"}),
      cqe(hang, "cqe.hang", {},
          {"A TIMEOUT of a hundred years with the operation's own user_data and link timeout "
           "stands in its place.",
           "nothing, until its timeout or a cancel",
           R"({ "type": "cqe.hang", "where": { "actor": "c1", "op": "recv" } })"}),
      cqe(drop, "cqe.drop", {},
          {"The operation runs, and its completion is lost. Its buffers stay pinned until the real "
           "one has come.",
           "nothing, until its timeout or a cancel; what it read is lost",
           R"({ "type": "cqe.drop", "where": { "actor": "c1", "op": "recv" } })"}),
      cqe(timeout, "cqe.timeout", {},
          {"The operation is held as by a hang, and its timeout fires at once.",
           "timed_out, without the wait",
           R"({ "type": "cqe.timeout", "where": { "actor": "c1", "op": "recv" } })"}),
      cqe(late, "cqe.late", late_keys,
          {"The operation runs, and its completion is kept back. Who has given up by then gets "
           "none: it comes to nobody, and the report has it under `fault_strays`.",
           "its result, late; or its timeout, and then a stray",
           R"({ "type": "cqe.late", "delay": "10ms", "where": { "actor": "c1", "op": "recv" } })"}),
      cqe(duplicate, "cqe.duplicate", {},
          {"The completion comes a second time, to nobody. The loop makes the copy, none is "
           "posted to the queue; the report has it under `fault_strays`.",
           "the right result; the second completion is a stray",
           R"({ "type": "cqe.duplicate", "where": { "actor": "c1", "op": "send" } })"}),
      cqe(reorder, "cqe.reorder", reorder_keys,
          {"So many completions are held, and let go in another order.",
           "completions in an order in which the kernel did not give them",
           R"({ "type": "cqe.reorder", "perm": [1, 0], "where": { "op": "sqe.read" } })"}),
      cqe(cancel_race, "cqe.cancel_race", race_keys,
          {"The completion is held until the operation's cancel is answered, so that the race "
           "between them ends as it says.",
           "op_wins: its result, and the cancel says 0; cancel_wins: it ran, and says -ECANCELED; "
           "too_late: the cancel says -EALREADY; not_found: -ENOENT",
           R"({ "type": "cqe.cancel_race", "outcome": "too_late", "where": { "op": "recv" } })"}),
  };
}

std::vector<fault_row> shots() {
  return {
      cqe(multishot_end, "cqe.multishot_end", {},
          {"A completion of a multishot operation has no IORING_CQE_F_MORE, and the operation is "
           "cancelled behind it.",
           "a multishot that ends early and must be submitted again",
           R"({ "type": "cqe.multishot_end", "where": { "op": "sqe.recv" }, )"
           R"("when": { "nth": 2 } })"}),
      cqe(notif_delay, "cqe.notif_delay", late_keys,
          {"The notification of a zero-copy send is kept back.", "a buffer that is not free yet",
           R"({ "type": "cqe.notif_delay", "delay": "10ms", "where": { "op": "sqe.send_zc" } })",
           zero_copy}),
      cqe(notif_drop, "cqe.notif_drop", {},
          {"The notification of a zero-copy send is lost.", "a buffer that never becomes free",
           R"({ "type": "cqe.notif_drop", "where": { "op": "sqe.send_zc" } })", zero_copy}),
  };
}

}  // namespace

std::vector<fault_row> cqe() {
  std::vector<fault_row> rows;
  for (auto* family : {&results, &times, &shots}) {
    const std::vector<fault_row> some = family();
    rows.insert(rows.end(), some.begin(), some.end());
  }
  return rows;
}

}  // namespace scenarios::fault_rows
