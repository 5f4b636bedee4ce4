// What a `make` step can make: one row a kind, with its arguments and how many names it has.
//
// The checker and the interpreter read these rows. Constant data, alive for ever.
#pragma once

#include <span>
#include <string_view>

#include "engine/op_table.hpp"
#include "scenarios/key_table.hpp"

namespace scenarios {

enum class make_kind : std::uint8_t {
  socketpair,
  pipe,
  pair_of_pipes,
  eventfd,
  timerfd,
  epoll,
  memfd,
  inotify,
  fifo,
  futex,
  child
};

struct make_row {
  std::string_view name;
  make_kind kind;
  std::size_t makes = 1;  // names under `as`
  std::span<const uring::field_row> fields = {};
  std::string_view doc = {};
};

std::span<const make_row> make_table();
const make_row* find_make(std::string_view name);
/// `kind`, and the arguments of all kinds.
std::span<const key_row> make_keys();

/// A socket option by its name without prefix, at its level.
struct option_row {
  std::string_view level;
  std::string_view name;
  int level_number;
  int number;
};
std::span<const option_row> option_table();

}  // namespace scenarios
