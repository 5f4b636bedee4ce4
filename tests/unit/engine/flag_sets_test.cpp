#include "engine/flag_sets.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cctype>
#include <set>

using namespace uring;
using names = std::vector<std::string>;

TEST_CASE("every flag name of every set is found and unique there", "[flag_sets]") {
  std::set<std::string_view> sets;
  for (const flag_set* set : all_flag_sets()) {
    CHECK(sets.insert(set->name).second);
    CHECK(find_flag_set(set->name) == set);
    std::set<std::string_view> seen;
    for (const flag_name& flag : set->names) {
      INFO(set->name << "." << flag.name);
      CHECK(seen.insert(flag.name).second);
      CHECK(find_flag(*set, flag.name) == flag.bits);
      CHECK((flag.bits & ~flag.mask) == 0);
      CHECK(flag.mask != 0);
      for (char c : flag.name) CHECK((std::islower(c) || std::isdigit(c) || c == '_'));
    }
  }
  CHECK(find_flag_set("nonsense") == nullptr);
}

TEST_CASE("a flag's own bits are shown under its own name", "[flag_sets]") {
  for (const flag_set* set : all_flag_sets())
    for (const flag_name& flag : set->names) {
      INFO(set->name << "." << flag.name);
      const names shown = flag_names(*set, flag.bits);
      CHECK(std::ranges::find(shown, flag.name) != shown.end());
      // Together the names say exactly that value again.
      uint64_t value = 0;
      for (const std::string& name : shown) value |= find_flag(*set, name).value();
      CHECK(value == flag.bits);
    }
}

TEST_CASE("names follow the kernel's without prefix and in lower case", "[flag_sets]") {
  CHECK(find_flag(flags::msg_flags, "waitall") == uint64_t{MSG_WAITALL});
  CHECK(find_flag(flags::open_flags, "creat") == uint64_t{O_CREAT});
  CHECK(find_flag(flags::socket_type, "cloexec") == uint64_t{SOCK_CLOEXEC});
  CHECK(find_flag(flags::cqe_flags, "32") == 0x8000);
  CHECK_FALSE(find_flag(flags::msg_flags, "WAITALL").has_value());
  CHECK_FALSE(find_flag(flags::msg_flags, "MSG_WAITALL").has_value());
  CHECK_FALSE(find_flag(flags::msg_flags, "").has_value());
}

TEST_CASE("bits go back to names, and unknown bits stay visible", "[flag_sets]") {
  CHECK(flag_names(flags::msg_flags, MSG_WAITALL | MSG_PEEK) == names{"peek", "waitall"});
  CHECK(flag_names(flags::msg_flags, 0).empty());
  CHECK(flag_names(flags::rw_flags, 0x1 | 0x4000) == names{"hipri", "0x4000"});
  CHECK(flags_text(flags::rw_flags, 0x9) == "hipri|nowait");
  CHECK(flags_text(flags::rw_flags, 0) == "0");
}

TEST_CASE("a value inside a wider field is told apart from single bits", "[flag_sets]") {
  CHECK(flags_text(flags::open_flags, O_RDONLY) == "rdonly");
  CHECK(flags_text(flags::open_flags, O_WRONLY | O_CREAT | O_TRUNC) == "wronly|creat|trunc");
  CHECK(flags_text(flags::open_flags, O_RDWR) == "rdwr");
  CHECK(flags_text(flags::open_flags, O_RDWR | O_TMPFILE) == "rdwr|tmpfile");
  CHECK(flags_text(flags::open_flags, O_DIRECTORY) == "rdonly|directory");
  CHECK(flags_text(flags::open_flags, O_DSYNC) == "rdonly|dsync");
  CHECK(flags_text(flags::open_flags, O_SYNC) == "rdonly|sync");
  CHECK(flags_text(flags::socket_type, SOCK_DGRAM | SOCK_NONBLOCK) == "dgram|nonblock");
}

TEST_CASE("a choice has one name or a number", "[flag_sets]") {
  CHECK(flag_names(flags::socket_domain, AF_INET) == names{"inet"});
  CHECK(flag_names(flags::socket_domain, 99) == names{"99"});
  CHECK(flags_text(flags::shutdown_how, SHUT_RD) == "rd");
  CHECK(flags_text(flags::shutdown_how, SHUT_RDWR) == "rdwr");
}
