// What the tests of single opcodes share, and the register of which opcodes have one.
//
// OP_TEST(number, "title") is a TEST_CASE that says which opcode it is about. Its body opens a
// loop with ON_OP_RINGS(number), on each kind of ring, skipped where the kernel lacks the opcode;
// this leaves a `witness` on the loop's seam, which fails the test unless it saw the opcode succeed
// and fail, each with what the op table allows.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "engine/kernel_compat.hpp"
#include "tests/unit/engine/fixture.hpp"

namespace uring::testing {

// Filled before main() runs, one entry an OP_TEST.
struct covered_op {
  std::uint8_t opcode;
  const char* title;
};
inline std::vector<covered_op>& covered_ops() {
  static std::vector<covered_op> all;
  return all;
}
struct covers {
  covers(std::uint8_t opcode, const char* title) { covered_ops().push_back({opcode, title}); }
};

#define OP_TEST_NAMED(name, number, title)                 \
  static const uring::testing::covers name{number, title}; \
  TEST_CASE(title, "[ops]")
#define OP_TEST_JOIN(a, b) a##b
#define OP_TEST_AT(line, number, title) OP_TEST_NAMED(OP_TEST_JOIN(covers_, line), number, title)
#define OP_TEST(number, title) OP_TEST_AT(__LINE__, number, title)

// Watches one opcode's completions.
class witness final : public seam {
 public:
  witness(loop& on, std::uint8_t opcode) : loop_(on), row_(op(opcode)) { on.set_seam(this); }
  ~witness() override {
    loop_.set_seam(nullptr);
    if (std::uncaught_exceptions() != 0) return;
    CHECK(succeeded_);
    CHECK(failed_);
    for (const int error : unknown_) {
      FAIL_CHECK("the op table does not know that " << row_.name << " can answer "
                                                    << completion_text("", -error));
    }
  }
  witness(const witness&) = delete;
  witness& operator=(const witness&) = delete;

  // For an opcode of which this machine can only see one of the two.
  void excuse_success() { succeeded_ = true; }
  void excuse_failure() { failed_ = true; }

  void on_submit(operation&, request_kind, io_uring_sqe&) noexcept override {}
  verdict on_complete(operation& done, request_kind kind, std::int32_t& res,
                      std::uint32_t& flags) noexcept override {
    if (kind != request_kind::main || done.opcode() != row_.opcode) return verdict::deliver;
    if (succeeded(row_, res, flags)) {
      succeeded_ |= (flags & IORING_CQE_F_NOTIF) == 0;
      return verdict::deliver;
    }
    failed_ = true;
    if (!can_return(row_, -res)) unknown_.insert(-res);
    return verdict::deliver;
  }
  void on_stray(const io_uring_cqe&) noexcept override {}

 private:
  loop& loop_;
  const op_row& row_;
  bool succeeded_ = false;
  bool failed_ = false;
  std::set<int> unknown_;
};

inline void skip_unless_known(std::uint8_t opcode) {
  if (this_kernel().has(opcode)) return;
  const op_row& row = op(opcode);
  SKIP(row.name << " came with Linux " << row.since << " and is not supported by "
                << this_kernel().release);
}

// Each mode with some room for submissions, and the smallest queues that there are. A ring takes
// milliseconds to be made and to end, so not each size in each mode.
inline std::vector<ring_options> op_rings(unsigned entries_min) {
  std::vector<ring_options> rings = rings_of(4);
  for (const ring_mode mode : {ring_mode::defer, ring_mode::sqpoll}) {
    if (entries_min <= 1) rings.push_back({.entries = 1, .cq_entries = 2, .mode = mode});
  }
  for (const ring_mode mode : {ring_mode::coop, ring_mode::plain}) {
    rings.push_back({.entries = 2, .cq_entries = 4, .mode = mode});
  }
  return rings;
}
#define ON_OP_RINGS_FROM(entries_min, number)      \
  uring::testing::skip_unless_known(number);       \
  ON_RINGS(uring::testing::op_rings(entries_min)); \
  uring::testing::witness seen(*on, number)
#define ON_OP_RINGS(number) ON_OP_RINGS_FROM(1, number)
// For what takes two submissions that belong together.
#define ON_OP_RINGS_FOR_TWO(number) ON_OP_RINGS_FROM(2, number)

// A directory of its own, removed with all that is in it.
class scratch {
 public:
  scratch() {
    char name[] = "/tmp/uring-ops-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path_ = name;
  }
  ~scratch() { std::filesystem::remove_all(path_); }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  [[nodiscard]] std::string at(std::string_view name) const { return (path_ / name).string(); }
  // A new file with this content, open for both.
  descriptor file(std::string_view name, std::string_view content = "") const;

 private:
  std::filesystem::path path_;
};

struct pipe_pair {
  descriptor read, write;
};
pipe_pair make_pipe();
// All bytes of a file.
std::string content_of(const std::string& path);

}  // namespace uring::testing
