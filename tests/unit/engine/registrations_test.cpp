// What io_uring_register(2) can do here, against what the kernel says of itself.

#include "engine/registrations.hpp"

#include <sys/resource.h>
#include <sys/syscall.h>

#include <algorithm>

#include "engine/kernel_compat.hpp"
#include "engine/ring_limits.hpp"
#include "tests/unit/engine/fixture.hpp"
#include "tests/unit/runner/temporary_tree.hpp"

using namespace uring;
using namespace uring::testing;
using enum registration_state;

namespace {

const std::vector<registration_answer>& found_here() {
  static const std::vector<registration_answer> found = try_registrations();
  return found;
}

const registration_answer& answer_to(std::string_view name) {
  const auto table = registration_table();
  const auto row = std::find_if(table.begin(), table.end(),
                                [&](const registration_row& each) { return each.name == name; });
  REQUIRE(row != table.end());
  return found_here().at(static_cast<std::size_t>(row - table.begin()));
}

// How many register calls the kernel says that it has (Linux 6.18), or 0.
unsigned count_by_query() {
  struct {
    std::uint32_t requests, registers;
    std::uint64_t masks[4];
    std::uint32_t queries, pad;
  } opcodes{};
  struct {
    std::uint64_t next, data;
    std::uint32_t op, size;
    std::int32_t result;
    std::uint32_t reserved[3];
  } header{};
  header.data = reinterpret_cast<std::uint64_t>(&opcodes);
  header.size = sizeof(opcodes);
  const long done = syscall(__NR_io_uring_register, -1, compat::register_query, &header, 0);
  return done == 0 && header.result == 0 ? opcodes.registers : 0;
}

// Lowers the soft limit as long as it lives.
class no_more_descriptors {
 public:
  no_more_descriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit none = before_;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~no_more_descriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  no_more_descriptors(const no_more_descriptors&) = delete;
  no_more_descriptors& operator=(const no_more_descriptors&) = delete;

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("registrations: the table is in the kernel's order") {
  const auto table = registration_table();
  for (unsigned i = 0; i < table.size(); ++i) CHECK(table[i].number == i);
}

TEST_CASE("registrations: what Linux 6.1 has works") {
  const auto table = registration_table();
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (newer_than(table[i].since, "6.1")) continue;
    INFO(table[i].name);
    CHECK(found_here()[i].state == works);
  }
  CHECK(answer_to("sync_cancel").error == 0);
}

TEST_CASE("registrations: the kernel's own count agrees") {
  const unsigned count = count_by_query();
  if (count == 0) SKIP("this kernel has no IORING_REGISTER_QUERY");
  for (std::size_t i = 0; i < found_here().size(); ++i) {
    INFO(registration_table()[i].name);
    CHECK((found_here()[i].state != unknown) == (i < count));
  }
}

TEST_CASE("registrations: trying leaves no descriptor and changes nothing for the task") {
  const std::size_t before = open_descriptors();
  const ring_limits limits = find_ring_limits();
  try_registrations();
  CHECK(open_descriptors() == before);
  CHECK(find_ring_limits().bounded_workers == limits.bounded_workers);
}

TEST_CASE("registrations: a refusal is told from what the kernel lacks") {
  std::vector<registration_answer> found;
  {
    const no_more_descriptors here;
    found = try_registrations();
  }
  for (const registration_answer& each : found) {
    CHECK(each.state == refused);
    CHECK(each.error == EMFILE);
  }
}

TEST_CASE("registrations: an older kernel lacks what came later") {
  std::vector<registration_answer> masked = found_here();
  mask_registrations(masked, "5.19");
  const auto table = registration_table();
  for (std::size_t i = 0; i < table.size(); ++i) {
    INFO(table[i].name);
    if (newer_than(table[i].since, "5.19")) {
      CHECK(masked[i].state == unknown);
    } else {
      CHECK(masked[i].state == found_here()[i].state);
    }
  }
}

TEST_CASE("ring limits: the kernel's sizes, and a ring of that size can be had") {
  const ring_limits found = find_ring_limits();
  REQUIRE(found.sq_entries.has_value());
  CHECK(found.cq_entries.value() >= *found.sq_entries);
  CHECK(found.bounded_workers.value() >= 1);
  CHECK(found.unbounded_workers.value() >= 1);
  ring largest;
  CHECK(largest.open({.entries = *found.sq_entries, .cq_entries = 0, .mode = ring_mode::plain}) ==
        0);
  CHECK(largest.sq_entries() == *found.sq_entries);
}

TEST_CASE("ring limits: who may use io_uring is read where it stands") {
  const temporary_tree tree;
  refusal_sources sources;
  sources.io_uring_disabled = tree.write("disabled", "1\n");
  sources.io_uring_group = tree.write("group", "-1\n");
  sources.status = tree.write("status", "Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1\n");
  const ring_limits found = find_ring_limits(sources);
  CHECK(found.io_uring_disabled == 1);
  CHECK(found.io_uring_group == -1);
  CHECK(found.seccomp == 2);
  sources.io_uring_disabled = "/nonexistent";
  CHECK_FALSE(find_ring_limits(sources).io_uring_disabled.has_value());
}

TEST_CASE("ring limits: without descriptors the sizes are unknown") {
  const no_more_descriptors here;
  CHECK_FALSE(find_ring_limits().sq_entries.has_value());
}
