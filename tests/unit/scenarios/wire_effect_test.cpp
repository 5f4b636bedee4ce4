#include "scenarios/wire/wire_effect.hpp"

#include <catch2/catch_all.hpp>
#include <set>

#include "scenarios/compile_case.hpp"
#include "scenarios/compile_scope.hpp"
#include "scenarios/document.hpp"

using namespace scenarios;
using namespace std::chrono_literals;

namespace {

struct compiled_effect {
  std::optional<wire_effect> effect;
  std::string told;
};

compiled_effect compile(const std::string& text, wire_carrier carrier = wire_carrier::unknown) {
  diagnostics out;
  const auto read = parse_document(source::from_text("fault.json", text), out);
  REQUIRE(read);
  plan nothing;
  const matrix_case no_case;
  case_context in(nothing, no_case, {}, out);
  compile_scope scope(name_scope(in.names, name_stage::constants), in.files, out);
  auto effect = compile_wire_effect(read->root, scope, carrier);
  return {std::move(effect), render(out)};
}

}  // namespace

TEST_CASE("a parameter of Toxiproxy has its unit as a bare number") {
  const auto slow = compile(R"({ "type": "wire.latency", "latency": 1000, "jitter": 20 })");
  REQUIRE(slow.effect);
  CHECK(slow.effect->latency == 1s);
  CHECK(slow.effect->jitter == 20ms);
  CHECK(slow.effect->dir == direction::s2c);
  const auto narrow = compile(R"({ "type": "wire.bandwidth", "rate": 64, "dir": "c2s" })");
  REQUIRE(narrow.effect);
  CHECK(narrow.effect->rate == 64'000);
  CHECK(narrow.effect->dir == direction::c2s);
  const auto sliced = compile(
      R"({ "type": "wire.slicer", "average_size": 10, "size_variation": 5, "delay": 250 })");
  REQUIRE(sliced.effect);
  CHECK(sliced.effect->delay == 250us);
}

TEST_CASE("a parameter with a unit of its own is exactly that") {
  CHECK(compile(R"({ "type": "wire.latency", "latency": "1500us" })").effect->latency == 1500us);
  CHECK(compile(R"({ "type": "wire.bandwidth", "rate": "64KiB" })").effect->rate == 65'536);
  const auto part =
      compile(R"({ "type": "wire.partition", "kind": "slowed", "rate": "1KiB", "for": "200ms" })");
  REQUIRE(part.effect);
  CHECK(part.effect->kind == partition_kind::slowed);
  CHECK(part.effect->lasts == 200ms);
  CHECK(part.effect->dir == direction::both);
  CHECK(compile(R"({ "type": "wire.insert", "data": { "hex": "00ff" } })").effect->data ==
        std::string("\x00\xff", 2));
  CHECK(compile(R"({ "type": "wire.corrupt", "set": "abc" })").effect->bytes == 3);
  CHECK(compile(R"({ "type": "wire.corrupt" })").effect->bytes == 1);
  CHECK(compile(R"({ "type": "wire.reorder", "perm": [2, 0, 1] })").effect->window == 3);
}

TEST_CASE("what a wire fault can't be is told with a reason") {
  const auto [text, carrier, reason] = GENERATE(table<std::string, wire_carrier, std::string>({
      {R"({ "type": "wire.latancy" })", wire_carrier::unknown, "wire.latency"},
      {R"({ "type": "wire.latency" })", wire_carrier::unknown, "needs \"latency\""},
      {R"({ "type": "wire.latency", "latency": "soon" })", wire_carrier::unknown, "duration"},
      {R"({ "type": "wire.latency", "latency": -1 })", wire_carrier::unknown, "latency"},
      {R"({ "type": "wire.slicer" })", wire_carrier::unknown, "\"average_size\" or \"cuts\""},
      {R"({ "type": "wire.slicer", "average_size": 5, "size_variation": 5 })",
       wire_carrier::unknown, "not below"},
      {R"({ "type": "wire.slicer", "cuts": [9, 5] })", wire_carrier::unknown, "behind the one"},
      {R"({ "type": "wire.partition", "kind": "slow" })", wire_carrier::unknown, "slowed"},
      {R"({ "type": "wire.partition", "kind": "slowed" })", wire_carrier::unknown, "\"rate\""},
      {R"({ "type": "wire.reorder" })", wire_carrier::stream, "TCP puts segments in order"},
      {R"({ "type": "wire.reorder", "perm": [0, 2] })", wire_carrier::datagram, "no place 2"},
      {R"({ "type": "wire.drop" })", wire_carrier::stream, "needs \"bytes\""},
      {R"({ "type": "wire.reset_peer" })", wire_carrier::datagram, "no connection"},
      {R"({ "type": "wire.truncate", "bytes": 3 })", wire_carrier::stream, "no meaning on a"},
      {R"({ "type": "wire.corrupt", "offset": 3 })", wire_carrier::stream, "after_bytes"},
      {R"({ "type": "wire.drop", "bytes": 3 })", wire_carrier::datagram, "wire.truncate"},
      {R"({ "type": "wire.duplicate", "bytes": 3 })", wire_carrier::datagram, "as a whole"},
      {R"({ "type": "wire.reset_peer", "dir": "down" })", wire_carrier::unknown, "c2s, s2c, both"},
  }));
  CAPTURE(text);
  const auto made = compile(text, carrier);
  CHECK_FALSE(made.effect);
  CHECK_THAT(made.told, Catch::Matchers::ContainsSubstring(reason));
}

TEST_CASE("what one carrier takes, and what may be either, is taken") {
  CHECK(compile(R"({ "type": "wire.truncate", "bytes": 3 })", wire_carrier::datagram).effect);
  CHECK(compile(R"({ "type": "wire.drop", "bytes": 3 })", wire_carrier::stream).effect);
  CHECK(compile(R"({ "type": "wire.corrupt", "offset": 3 })").effect);
}

TEST_CASE("every wire fault can be found by its name and tells what its victim sees") {
  std::set<std::string_view> names;
  for (const wire_fault_row& row : wire_fault_table()) {
    CAPTURE(row.name);
    CHECK(find_wire_fault(row.name) == &row);
    CHECK(&row_of(row.type) == &row);
    CHECK(find_wire_fault("wire." + std::string(row.name)) == &row);
    CHECK_FALSE(row.doc.empty());
    CHECK(names.insert(row.name).second);
    for (const wire_parameter& each : row.parameters) {
      CAPTURE(each.key);
      CHECK_FALSE(each.doc.empty());
      CHECK(each.read != nullptr);
    }
  }
  CHECK(names.size() == 22);
}
