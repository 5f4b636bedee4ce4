// The books of a scenario with faults: each request is submitted once and settled once.

#include <string>

#include "run_fixture.hpp"
#include "scenarios/faults/fault_rules.hpp"

namespace scenarios {
namespace {

using run_tests::ran;

const std::string lost_reply = R"({ "faults": [
    { "type": "cqe.drop", "where": { "actor": "c", "op": "recv" } },
    { "type": "cqe.errno", "errno": "ECONNRESET", "point": "after",
      "where": { "actor": "c", "op": "send" }, "when": { "nth": 2 } } ],
  "actors": {
    "srv": { "server": "tcp://127.0.0.1:0", "do": [
      { "send": "x" }, { "recv": { "exactly": 2 } }, { "recv": { "eof": true } } ] },
    "c": { "client": "${srv.addr}", "do": [
      { "recv": { "exactly": 1 }, "timeout": "30ms", "expect": "timed_out" },
      { "send": "a" },
      { "send": "b", "expect": "ECONNRESET" },
      { "recv": { "exactly": 1 }, "cancel_after": "10ms", "expect": "cancelled" } ] } } })";

// Keeps from the books that one request was submitted.
class forgetful_seam final : public uring::seam {
 public:
  explicit forgetful_seam(uring::seam& books) : books_(books) {}
  void on_submit(uring::operation& op, uring::request_kind kind,
                 io_uring_sqe& sqe) noexcept override {
    if (kind == uring::request_kind::main && op.tag() != nullptr && ++seen_ == 3) return;
    books_.on_submit(op, kind, sqe);
  }
  uring::verdict on_complete(uring::operation& op, uring::request_kind kind, std::int32_t& res,
                             std::uint32_t& flags) noexcept override {
    return books_.on_complete(op, kind, res, flags);
  }
  void on_stray(const io_uring_cqe& cqe) noexcept override { books_.on_stray(cqe); }
  bool takes(const io_uring_cqe& cqe) noexcept override { return books_.takes(cqe); }

 private:
  uring::seam& books_;
  int seen_ = 0;
};

}  // namespace

TEST_CASE("every request is delivered, changed, dropped or cancelled") {
  const ran of = run_tests::run(lost_reply);
  INFO(of.told);
  REQUIRE(of.passed());
  REQUIRE(of.result.account);
  const request_account& books = *of.result.account;
  CHECK(books.balances());
  CHECK(books.dropped == 1);
  CHECK(books.changed == 1);
  CHECK(books.cancelled == 1);
  CHECK(books.delivered >= 6);
}

TEST_CASE("a scenario without faults has no account") {
  CHECK_FALSE(
      run_tests::run(R"({ "actors": { "a": { "task": true, "do": [ { "sleep": "1ms" } ] } } })")
          .result.account);
}

TEST_CASE("books that do not add up make an error of the scenario") {
  diagnostics out;
  const auto plans = compile_source(source::from_text("t.scenario.json", lost_reply), {}, out);
  REQUIRE(plans.size() == 1);
  int refused = 0;
  const std::unique_ptr<uring::loop> loop = uring::loop::open({}, refused);
  REQUIRE(loop != nullptr);
  const auto seam = make_recording_seam(*loop);
  forgetful_seam cooked(*seam);
  loop->set_seam(&cooked);
  const scenario_result result = loop->run(run_scenario(*loop, plans.front(), {}));
  loop->set_seam(nullptr);
  REQUIRE(result.account);
  CHECK_FALSE(result.account->balances());
  CHECK(result.result == verdict::error);
  REQUIRE_FALSE(result.failures.empty());
  CHECK(result.failures.back().id == code::account_unbalanced);
}

TEST_CASE("what does not add up is told in numbers") {
  request_account books;
  books.submitted = 5;
  books.delivered = 2;
  books.dropped = 1;
  CHECK(imbalance(books) ==
        "5 requests were submitted, and 3 settled: 2 delivered, 0 changed by a fault, 1 dropped by "
        "one, 0 cancelled");
}

}  // namespace scenarios
