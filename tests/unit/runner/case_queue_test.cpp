#include "runner/case_queue.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace runner;

namespace {

shared_plan make(const std::string& id, bool heavy = false, std::size_t clients = 1) {
  auto made = std::make_shared<scenarios::plan>();
  made->id = id;
  if (heavy) made->services.emplace_back();
  for (std::size_t n = 0; n < clients; ++n) {
    scenarios::actor_plan actor;
    actor.kind = scenarios::actor_kind::client;
    actor.body = std::make_shared<scenarios::strand_plan>();
    made->actors.push_back(std::move(actor));
  }
  return made;
}

constexpr room plenty{.descriptors = 1000, .heavy = true, .idle = false};
constexpr room light_only{.descriptors = 1000, .heavy = false, .idle = false};

std::string id_of(const case_queue::answer& of) {
  return of.taken ? of.taken->what->id : of.empty ? "(empty)" : "(no room)";
}

}  // namespace

TEST_CASE("queue: scenarios come in declaration order, with their index") {
  case_queue queue({make("a"), make("b", true), make("c")});
  CHECK(id_of(queue.take(plenty)) == "a");
  const auto second = queue.take(plenty);
  CHECK(id_of(second) == "b");
  CHECK(second.taken->index == 1);
  CHECK(second.taken->needs.heavy);
  CHECK(id_of(queue.take(plenty)) == "c");
  CHECK(id_of(queue.take(plenty)) == "(empty)");
}

TEST_CASE("queue: light ones pass heavy ones that have no room, and those come later") {
  case_queue queue({make("h1", true), make("l1"), make("h2", true), make("l2")});
  CHECK(id_of(queue.take(light_only)) == "l1");
  CHECK(id_of(queue.take(plenty)) == "h1");
  CHECK(id_of(queue.take(light_only)) == "l2");
  CHECK(id_of(queue.take(light_only)) == "(no room)");
  CHECK(id_of(queue.take(plenty)) == "h2");
  CHECK(id_of(queue.take(light_only)) == "(empty)");
}

TEST_CASE("queue: one that needs more descriptors than there are waits until nothing else runs") {
  case_queue queue({make("large", false, 50), make("small")});
  CHECK(id_of(queue.take({.descriptors = 10, .heavy = true, .idle = false})) == "(no room)");
  CHECK(id_of(queue.take({.descriptors = 10, .heavy = true, .idle = true})) == "large");
  CHECK(id_of(queue.take({.descriptors = 10, .heavy = true, .idle = false})) == "small");
}

TEST_CASE("queue: once closed it gives nothing, and hands back what was never taken") {
  case_queue queue({make("a"), make("b"), make("c")});
  CHECK(id_of(queue.take(plenty)) == "a");
  queue.close();
  CHECK(id_of(queue.take(plenty)) == "(empty)");
  const auto rest = queue.rest();
  REQUIRE(rest.size() == 2);
  CHECK(rest[0].index == 1);
  CHECK(rest[1].what->id == "c");
}

TEST_CASE("queue: a plan that was taken is not kept") {
  shared_plan plan = make("a");
  const std::weak_ptr<const scenarios::plan> watched = plan;
  case_queue queue({std::move(plan)});
  queue.take(plenty);
  CHECK(watched.expired());
}

TEST_CASE("footprint: servers count their listener and their connections") {
  scenarios::plan of;
  const auto body = std::make_shared<scenarios::strand_plan>();
  scenarios::actor_plan server;
  server.kind = scenarios::actor_kind::server;
  server.body = body;
  server.server.emplace();
  server.server->accept = 5;
  of.actors.push_back(server);
  CHECK(estimate(of).descriptors == 6);
  of.actors[0].server->accept_each = true;
  scenarios::actor_plan client;
  client.kind = scenarios::actor_kind::client;
  client.body = body;
  of.actors.insert(of.actors.end(), 3, client);
  CHECK(estimate(of).descriptors == 1 + 3 + 3);
  CHECK_FALSE(estimate(of).heavy);
}
