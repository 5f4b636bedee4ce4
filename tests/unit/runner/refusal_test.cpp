#include "runner/refusal.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cerrno>

#include "tests/unit/runner/temporary_tree.hpp"

using namespace runner;
using scenarios::code;

namespace {

bool has_note(const scenarios::diagnostic& of, const std::string& part) {
  for (const std::string& note : of.notes) {
    if (note.find(part) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("refusal: io_uring switched off by the administrator") {
  const temporary_tree tree;
  uring::refusal_sources sources;
  sources.io_uring_disabled = tree.write("disabled", "2\n");
  sources.status = tree.write("status", "Seccomp:\t0\n");
  const auto made = refusal_diagnostic(uring::diagnose_ring_failure(EPERM, sources));
  CHECK(made.id == code::ring_disabled);
  CHECK(has_note(made, "EPERM"));
  CHECK(has_note(made, "io_uring_disabled"));
  CHECK_FALSE(made.help.empty());
}

TEST_CASE("refusal: each cause has the code that explains it") {
  using enum uring::refusal_cause;
  const auto code_of = [](uring::refusal_cause cause) {
    return refusal_diagnostic({cause, EPERM, "what", "remedy"}).id;
  };
  CHECK(code_of(seccomp) == code::ring_refused);
  CHECK(code_of(no_io_uring) == code::ring_refused);
  CHECK(code_of(disabled_for_group) == code::ring_disabled);
  CHECK(code_of(process_descriptors) == code::descriptors_exhausted);
  CHECK(code_of(system_descriptors) == code::descriptors_exhausted);
  CHECK(code_of(locked_memory) == code::memory_locked);
  CHECK(code_of(bad_parameters) == code::kernel_lacks);
}

TEST_CASE("refusal: a mode that the kernel does not take is named") {
  const uring::ring_refusal why{uring::refusal_cause::bad_parameters, EINVAL, "what", "remedy"};
  CHECK(refusal_diagnostic(why).help == "remedy");
  CHECK(refusal_diagnostic(why, uring::ring_mode::defer).help.find("--ring-mode defer") !=
        std::string::npos);
}
