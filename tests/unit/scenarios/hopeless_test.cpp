// What tells that a scenario can't go on, where it must not.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "engine/loop.hpp"
#include "engine/scope.hpp"
#include "scenarios/codes.hpp"
#include "scenarios/compile.hpp"
#include "scenarios/interpret.hpp"
#include "scenarios/services/spawn.hpp"
#include "scenarios/source.hpp"

using namespace scenarios;
using namespace std::chrono_literals;

namespace {

constexpr const char* both_wait = R"({ "actors": {
  "srv": { "server": "tcp://127.0.0.1:0", "do": [ { "recv": { "line": true } } ] },
  "c": { "client": "${srv.addr}", "do": [ { "recv": { "line": true } } ] } } })";

}  // namespace

TEST_CASE("while a child has copies of the descriptors nothing is hopeless") {
  diagnostics out;
  const auto plans = compile_source(source::from_text("test.scenario.json", both_wait), {}, out);
  REQUIRE(plans.size() == 1);
  int refused = 0;
  const std::unique_ptr<uring::loop> loop = uring::loop::open({}, refused);
  REQUIRE(loop != nullptr);
  const auto seam = make_recording_seam(*loop);
  loop->set_seam(seam.get());
  std::optional<scenario_result> result;
  loop->run([](uring::loop& on, std::shared_ptr<const plan> what,
               std::optional<scenario_result>& into) -> uring::task<void> {
    std::optional<descriptors_shared> child(std::in_place);
    uring::scope all;
    all.spawn([](uring::loop& its, std::shared_ptr<const plan> runs,
                 std::optional<scenario_result>& ran) -> uring::task<void> {
      ran = co_await run_scenario(its, std::move(runs), {});
    }(on, std::move(what), into));
    co_await on.sleep_for(300ms);  // six times what it has to be quiet for
    CHECK_FALSE(into);
    child.reset();
    co_await all.join();
  }(*loop, plans.front(), result));
  loop->set_seam(nullptr);
  REQUIRE(result);
  REQUIRE(result->failures.size() == 1);
  CHECK(result->failures.front().id == code::deadlock);
}
