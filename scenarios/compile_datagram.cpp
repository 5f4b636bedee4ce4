// Datagrams: the form of recv that takes them, what is expected of them, and socket options.

#include <fmt/format.h>

#include <algorithm>

#include "engine/socket_address.hpp"
#include "scenarios/compile_strand.hpp"
#include "scenarios/make_table.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr std::int64_t datagram_bytes_max = std::int64_t{1} << 20;
constexpr std::int64_t datagrams_max = 100'000;
constexpr std::string_view datagram_keys[] = {"datagram", "datagrams", "max"};

void check_parts(strand_context& in, const step_plan& of, const expectation& wanted) {
  const auto* datagrams = std::get_if<recv_datagram_step>(&of.body);
  const bool several = datagrams != nullptr && datagrams->count;
  if (wanted.datagrams && !several) {
    in.out()
        .error(code::modifier_not_allowed, wanted.datagrams_at,
               "\"datagrams\" is a part of a step that receives several")
        .help = "{ \"recv\": { \"datagrams\": N }, \"expect\": { \"datagrams\": [ … ] } }";
  }
  if (wanted.data && several) {
    in.out()
        .error(code::modifier_not_allowed, wanted.data_at,
               "several datagrams have no data of the whole")
        .help = "name each: \"datagrams\": [ … ], with \"unordered\": true if their order is open";
  }
  for (const expectation& each : wanted.any_of) check_parts(in, of, each);
}

}  // namespace

void check_expected_parts(strand_context& in, const step_plan& of) {
  if (of.expect) check_parts(in, of, *of.expect);
}

void compile_recv_datagram(strand_context& in, const step_arguments& given, step_plan& into) {
  recv_datagram_step made;
  for (const member& m : given.whole().members()) {
    if (m.key.starts_with("x-") ||
        std::ranges::find(datagram_keys, m.key) != std::end(datagram_keys))
      continue;
    in.out().error(code::conflicting_keys, m.key_at,
                   fmt::format("{} is of streams, and this receives datagrams", in_quotes(m.key)));
  }
  const node* one = given.find("datagram");
  const node* several = given.find("datagrams");
  if (one != nullptr && several != nullptr)
    in.out().error(code::conflicting_keys, several->at(),
                   "`recv` takes either one datagram or several");
  if (one != nullptr && !one->boolean())
    in.out().error(code::value_out_of_range, one->at(), "`datagram` takes true");
  if (several != nullptr)
    made.count = in.scope().read_count(*several, {1, datagrams_max}, "`datagrams`");
  if (const node* max = given.find("max"))
    if (const auto most = in.scope().read_fixed_count(*max, {0, datagram_bytes_max}, "`max`"))
      made.max = static_cast<std::uint64_t>(*most);
  if (into.note.empty())
    into.note = made.count ? fmt::format("{} datagrams", shown(*made.count, *several)) : "datagram";
  in.note_reader(into);
  into.body = std::move(made);
}

std::vector<socket_option_plan> compile_socket_options(compile_scope& scope, const node& from) {
  std::vector<socket_option_plan> made;
  for (const member& m : from.members()) {
    if (m.key.starts_with("x-")) continue;
    const auto found = std::ranges::find(option_table(), m.key, &option_row::name);
    if (found == option_table().end()) {
      std::vector<std::string_view> names;
      for (const option_row& row : option_table()) names.push_back(row.name);
      scope.out()
          .error(code::unknown_constant, m.key_at,
                 fmt::format("there is no socket option {}", in_quotes(m.key)))
          .help = did_you_mean(m.key, names);
      continue;
    }
    socket_option_plan option;
    option.name = m.key;
    option.level = found->level_number;
    option.number = found->number;
    option.at = m.value.at();
    if (m.value.is(node_kind::boolean)) {
      option.value = expression(value(std::int64_t{m.value.boolean() ? 1 : 0}));
    } else if (m.value.is(node_kind::object) || m.value.is(node_kind::array)) {
      option.data = scope.read_data(m.value);
    } else {
      option.value = scope.read_count(m.value, {INT32_MIN, INT32_MAX}, "a socket option");
    }
    made.push_back(std::move(option));
  }
  return made;
}

}  // namespace scenarios
