// The calls that a `register` step makes, held against those that the engine knows.

#include "scenarios/register_table.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string_view>

#include "engine/registrations.hpp"

using scenarios::find_register;
using scenarios::register_row;
using scenarios::register_table;

TEST_CASE("a step makes every register call that needs no network card") {
  const std::set<std::string_view> of_network_cards{"zcrx_ifq", "zcrx_ctrl"};
  for (const uring::registration_row& known : uring::registration_table()) {
    INFO(known.name);
    const register_row* row = find_register(known.name);
    REQUIRE((row == nullptr) == of_network_cards.contains(known.name));
    if (row == nullptr) continue;
    CHECK(row->opcode == known.number);
    CHECK(row->since == known.since);
  }
}

TEST_CASE("restrictions name every register call by its number") {
  const uring::field_row* names = nullptr;
  for (const uring::field_row& field : find_register("restrictions")->fields)
    if (field.name == "registers") names = &field;
  REQUIRE(names != nullptr);
  REQUIRE(names->flags->names.size() == uring::registration_table().size());
  for (const uring::registration_row& known : uring::registration_table()) {
    INFO(known.name);
    const auto found = std::ranges::find(names->flags->names, known.name, &uring::flag_name::name);
    REQUIRE(found != names->flags->names.end());
    CHECK(found->bits == known.number);
  }
}

TEST_CASE("what is no register call is the switch of the eventfd alone") {
  for (const register_row& row : register_table()) {
    INFO(row.name);
    const auto known =
        std::ranges::find(uring::registration_table(), row.name, &uring::registration_row::name);
    CHECK((known == uring::registration_table().end()) ==
          (row.opcode == scenarios::eventfd_switch));
  }
}
