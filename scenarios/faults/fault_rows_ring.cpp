// Faults of the ring's own mechanics.

#include "scenarios/faults/fault_row_parts.hpp"

namespace scenarios::fault_rows {
namespace {

constexpr key_row for_key{"for", j::string, optional, "for so long, instead of so often"};
constexpr key_row times_key{"count", j::number, optional, "so many times in a row (default 1)"};

constexpr key_row full_keys[] = {
    {"count", j::number, optional, "so many requests find no room (default 1)"}, for_key};
constexpr key_row part_keys[] = {
    {"count", j::number, optional, "so many entries are taken (default 1)"}, for_key};
constexpr key_row submit_keys[] = {
    {"errno", j::string, required,
     "what io_uring_enter fails with: EAGAIN, EBUSY or EINTR; on a private ring any"},
    times_key,
    for_key};
constexpr key_row wait_keys[] = {
    {"errno", j::string, required, "what it fails with: EAGAIN, EBUSY, EINTR or ETIME"},
    times_key,
    for_key};
constexpr key_row reap_keys[] = {
    {"count", j::number, optional, "so many completions a turn (default 1)"}, for_key};

struct words {
  std::string_view doc, victim, example;
};

fault_row row(std::string_view name, std::span<const key_row> parameters, const words& about) {
  fault_row made;
  made.name = name;
  made.plane = fault_plane::ring;
  made.parameters = parameters;
  made.doc = about.doc;
  made.victim = about.victim;
  made.example = about.example;
  made.proof = "tests/faults/rings.scenario.json";
  return made;
}

}  // namespace

std::vector<fault_row> ring() {
  std::vector<fault_row> rows{
      row("ring.sq_full", full_keys,
          {"The submission queue has no room for what is to be submitted.",
           "requests that go out later, in their order",
           R"({ "type": "ring.sq_full", "for": "50ms", "where": { "step": "c1/put" } })"}),
      row("ring.partial_submit", part_keys,
          {"The kernel takes a part of what is queued, and the rest with the next call. Between "
           "two that are linked it cuts on a private ring only.",
           "nothing, or a submission that took fewer than it had; on a private ring also a chain "
           "that is cut in two",
           R"({ "type": "ring.partial_submit", "where": { "ring": "r", "step": "c1/two" } })"}),
      row("ring.submit_errno", submit_keys,
          {"io_uring_enter fails when there is something to submit, and takes nothing.",
           "nothing, since it is submitted again; on a private ring a submission that says so",
           R"({ "type": "ring.submit_errno", "errno": "EBUSY", "where": { "op": "sqe.send" } })"}),
      row("ring.wait_errno", wait_keys,
          {"io_uring_enter fails when it would wait for a completion.",
           "nothing, since it is waited again",
           R"({ "type": "ring.wait_errno", "errno": "EINTR", "count": 3 })"}),
      row("ring.cq_overflow", {},
          {"More completions are posted than the completion queue has room for, until the kernel "
           "says IORING_SQ_CQ_OVERFLOW.",
           "completions that come late; none is lost",
           R"({ "type": "ring.cq_overflow", "when": { "after": { "step": "c1/put" } } })"}),
      row("ring.reap_limit", reap_keys,
          {"So many completions are taken from the queue in one turn, and the others later.",
           "completions that come one turn after the other",
           R"({ "type": "ring.reap_limit", "count": 1 })"}),
  };
  rows.back().nature = fault_nature::condition;
  return rows;
}

}  // namespace scenarios::fault_rows
