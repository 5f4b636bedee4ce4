#include "engine/probe.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "engine/limits.hpp"

using namespace uring;

namespace {

const capabilities& this_kernel() {
  static const capabilities found = probe_kernel();
  return found;
}

#define NEEDS_RINGS() \
  if (this_kernel().ring_errno != 0) SKIP("no rings here, errno " << this_kernel().ring_errno)

size_t open_descriptors() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

// What the child writes, read until its end. The child must not use Catch2.
std::string in_child(const std::function<std::string()>& work) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const std::string text = work();
    const ssize_t written = write(ends[1], text.data(), text.size());
    _exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  close(ends[1]);
  std::string text;
  char part[512];
  for (ssize_t got; (got = read(ends[0], part, sizeof part)) > 0;)
    text.append(part, static_cast<size_t>(got));
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  return text;
}

int try_ring() {
  io_uring_params params{};
  const long fd = syscall(__NR_io_uring_setup, 4, &params);
  if (fd < 0) return errno;
  close(static_cast<int>(fd));
  return 0;
}

// A filter as a container's sandbox has one: io_uring_setup answers with `error`.
bool forbid_rings(int error) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{std::size(code), code};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

std::string told(const ring_refusal& refusal) {
  return std::string(cause_name(refusal.cause)) + "\n" + refusal.message + "\n" + refusal.remedy;
}

/// A file with one line, gone with the test.
class line_file {
 public:
  explicit line_file(const std::string& line) {
    char name[] = "/tmp/uring_probe_XXXXXX";
    const int fd = mkstemp(name);
    REQUIRE(fd >= 0);
    close(fd);
    path_ = name;
    std::ofstream(path_) << line << '\n';
  }
  ~line_file() { std::filesystem::remove(path_); }
  line_file(const line_file&) = delete;
  line_file& operator=(const line_file&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

bool mentions(const std::string& text, std::string_view word) {
  return text.find(word) != std::string::npos;
}

// Bounded workers of this thread's io-wq.
unsigned bounded_workers(io_uring& ring) {
  unsigned counts[2] = {0, 0};  // zero asks and changes nothing
  return io_uring_register_iowq_max_workers(&ring, counts) == 0 ? counts[0] : 0;
}

unsigned workers_in_new_thread(bool probe_first) {
  unsigned workers = 0;
  std::thread([&] {
    if (probe_first) probe_kernel();
    io_uring ring;
    if (io_uring_queue_init(256, &ring, 0) != 0) return;
    workers = bounded_workers(ring);
    io_uring_queue_exit(&ring);
  }).join();
  return workers;
}

}  // namespace

TEST_CASE("the probe finds what every kernel with rings has", "[probe]") {
  NEEDS_RINGS();
  const capabilities& found = this_kernel();
  CHECK_FALSE(found.release.empty());
  CHECK(found.as_kernel.empty());
  for (uint8_t opcode : {IORING_OP_NOP, IORING_OP_READV, IORING_OP_POLL_ADD, IORING_OP_RECV})
    CHECK(found.has(opcode));
  CHECK(found.has_feature(IORING_FEAT_NODROP | IORING_FEAT_FAST_POLL));
  CHECK(found.accepts(IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_R_DISABLED));
  CHECK_FALSE(found.has(200));
}

TEST_CASE("an opcode that the probe denies is refused by the kernel", "[probe]") {
  NEEDS_RINGS();
  io_uring ring;
  REQUIRE(io_uring_queue_init(8, &ring, 0) == 0);
  for (unsigned opcode = 0; opcode < compat::op_count; ++opcode) {
    if (this_kernel().has(static_cast<uint8_t>(opcode))) continue;
    io_uring_sqe* sqe = io_uring_get_sqe(&ring);
    begin_sqe(*sqe, op(static_cast<uint8_t>(opcode)));
    REQUIRE(io_uring_submit_and_wait(&ring, 1) == 1);
    io_uring_cqe* cqe = nullptr;
    REQUIRE(io_uring_peek_cqe(&ring, &cqe) == 0);
    INFO(op_name(static_cast<uint8_t>(opcode)));
    CHECK(cqe->res == -EINVAL);
    io_uring_cqe_seen(&ring, cqe);
  }
  io_uring_queue_exit(&ring);
}

TEST_CASE("a nop injects exactly when the probe says so", "[probe]") {
  NEEDS_RINGS();
  io_uring ring;
  REQUIRE(io_uring_queue_init(8, &ring, 0) == 0);
  io_uring_sqe* sqe = io_uring_get_sqe(&ring);
  begin_sqe(*sqe, op(IORING_OP_NOP));
  store(*sqe, sqe_member::op_flags, compat::nop_inject_result);
  store(*sqe, sqe_member::len, 42);
  REQUIRE(io_uring_submit_and_wait(&ring, 1) == 1);
  io_uring_cqe* cqe = nullptr;
  REQUIRE(io_uring_peek_cqe(&ring, &cqe) == 0);
  CHECK((cqe->res == 42) == this_kernel().nop_inject);
  io_uring_queue_exit(&ring);
}

TEST_CASE("an existing ring and a ring of the probe's own give the same answer", "[probe]") {
  NEEDS_RINGS();
  io_uring ring;
  const bool defer = this_kernel().accepts(IORING_SETUP_DEFER_TASKRUN);
  const unsigned flags = defer ? IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN : 0;
  REQUIRE(io_uring_queue_init(8, &ring, flags) == 0);
  const capabilities found = probe(ring);
  io_uring_queue_exit(&ring);
  CHECK(found.opcodes == this_kernel().opcodes);
  CHECK(found.features == this_kernel().features);
  CHECK(found.setup_flags == this_kernel().setup_flags);
  CHECK(found.nop_inject == this_kernel().nop_inject);
  CHECK(found.last_opcode == this_kernel().last_opcode);
}

TEST_CASE("probing leaves no descriptor behind", "[probe]") {
  NEEDS_RINGS();
  const size_t before = open_descriptors();
  for (int n = 0; n < 20; ++n) probe_kernel();
  CHECK(open_descriptors() == before);
}

TEST_CASE("probing before the first real ring does not shrink io-wq", "[probe]") {
  NEEDS_RINGS();
  const unsigned usual = workers_in_new_thread(false);
  if (usual == 0) SKIP("this kernel does not tell its number of workers");
  CHECK(workers_in_new_thread(true) == usual);
}

TEST_CASE("a mask makes everything newer than a version appear missing", "[probe]") {
  capabilities all;
  all.opcodes.set();
  all.features = ~0U;
  all.setup_flags = ~0U;
  all.nop_inject = true;
  all.last_opcode = 64;

  const capabilities old = mask(all, "6.1").value();
  CHECK(old.as_kernel == "6.1");
  CHECK(old.has(IORING_OP_SENDMSG_ZC));
  CHECK_FALSE(old.has(compat::op_read_multishot));
  CHECK_FALSE(old.has(compat::op_bind));
  CHECK_FALSE(old.nop_inject);
  CHECK(old.last_opcode == IORING_OP_SENDMSG_ZC);
  CHECK(old.accepts(IORING_SETUP_DEFER_TASKRUN));
  CHECK_FALSE(old.accepts(compat::setup_no_sqarray));
  CHECK(old.has_feature(IORING_FEAT_LINKED_FILE));
  CHECK_FALSE(old.has_feature(compat::feat_recvsend_bundle));

  const capabilities later = mask(all, "6.11").value();
  CHECK(later.has(compat::op_bind));
  CHECK_FALSE(later.has(compat::op_pipe));
  CHECK(later.nop_inject);
}

TEST_CASE("a mask adds nothing that the kernel lacks", "[probe]") {
  capabilities few;
  few.opcodes.set(IORING_OP_NOP);
  const capabilities masked = mask(few, "99.0").value();
  CHECK(masked.opcodes == few.opcodes);
  CHECK(masked.features == 0);
  CHECK(masked.setup_flags == 0);
  CHECK_FALSE(masked.nop_inject);
  if (this_kernel().ring_errno == 0) {
    const capabilities same = mask(this_kernel(), "99.0").value();
    CHECK(same.opcodes == this_kernel().opcodes);
    CHECK(same.setup_flags == this_kernel().setup_flags);
  }
}

TEST_CASE("a version is two numbers with a dot", "[probe]") {
  for (const char* bad : {"", "6", "6.", ".1", "6.1.0", "v6.1", "6.1-rc2", "six.one", "6 .1"}) {
    INFO(bad);
    CHECK_FALSE(mask(capabilities{}, bad).has_value());
  }
  CHECK(mask(capabilities{}, "5.19").has_value());
}

TEST_CASE("a seccomp filter that answers EPERM or ENOSYS is named as the cause", "[limits]") {
  for (const int error : {EPERM, ENOSYS, EACCES}) {
    const std::string text = in_child([error] {
      if (!forbid_rings(error)) return std::string("cannot install a filter");
      const int refused = try_ring();
      const capabilities found = probe_kernel();
      if (refused != error || found.ring_errno != error || found.opcodes.any())
        return "ring: " + std::to_string(refused);
      return told(diagnose_ring_failure(refused));
    });
    if (text == "cannot install a filter") SKIP(text);
    INFO(text);
    CHECK(text.starts_with("seccomp\n"));
    CHECK(mentions(text, "Seccomp: 2"));
    CHECK(mentions(text, "seccomp profile"));
  }
}

TEST_CASE("too few descriptors are told with the limit and the number in use", "[limits]") {
  NEEDS_RINGS();
  const std::string text = in_child([] {
    // The next free number becomes the limit, so that nothing more can be opened.
    const int next = dup(0);
    if (next < 0) return std::string("no descriptor to begin with");
    close(next);
    const rlimit limit{static_cast<rlim_t>(next), static_cast<rlim_t>(next)};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return std::string("cannot lower the limit");
    const int refused = try_ring();
    return std::to_string(next) + "\n" + told(diagnose_ring_failure(-refused));
  });
  INFO(text);
  const std::string limit = text.substr(0, text.find('\n'));
  CHECK(mentions(text, "\nprocess_descriptors\n"));
  CHECK(mentions(text, "may have " + limit + " descriptors"));
  CHECK(mentions(text, "has " + limit + " open"));
  CHECK(mentions(text, "ulimit -n"));
}

TEST_CASE("the sysctl that disables io_uring is told from a sandbox", "[limits]") {
  const line_file all("2"), group("1"), open("0"), nobody("-1"), some("1234");
  const line_file unfiltered("Seccomp:\t0");
  refusal_sources sources;
  sources.status = unfiltered.path();

  sources.io_uring_disabled = all.path();
  ring_refusal refusal = diagnose_ring_failure(EPERM, sources);
  CHECK(refusal.cause == refusal_cause::disabled_by_sysctl);
  CHECK(mentions(refusal.message, "kernel.io_uring_disabled is 2"));

  sources.io_uring_disabled = group.path();
  sources.io_uring_group = some.path();
  refusal = diagnose_ring_failure(EPERM, sources);
  CHECK(refusal.cause == refusal_cause::disabled_for_group);
  CHECK(mentions(refusal.message, "group 1234"));
  CHECK(mentions(refusal.remedy, "group 1234"));
  sources.io_uring_group = nobody.path();
  refusal = diagnose_ring_failure(EPERM, sources);
  CHECK(mentions(refusal.message, "names no group"));

  sources.io_uring_disabled = open.path();
  refusal = diagnose_ring_failure(EPERM, sources);
  CHECK(refusal.cause == refusal_cause::security_policy);
  CHECK(mentions(refusal.remedy, "AppArmor"));
}

TEST_CASE("a kernel without io_uring is told from a sandbox that pretends so", "[limits]") {
  const line_file filtered("Seccomp:\t2"), unfiltered("Seccomp:\t0");
  refusal_sources sources;
  sources.io_uring_disabled = "/nonexistent";
  sources.status = unfiltered.path();
  CHECK(diagnose_ring_failure(ENOSYS, sources).cause == refusal_cause::no_io_uring);
  sources.status = filtered.path();
  const ring_refusal refusal = diagnose_ring_failure(ENOSYS, sources);
  CHECK(refusal.cause == refusal_cause::seccomp);
  CHECK(mentions(refusal.message, "may lack io_uring"));
}

TEST_CASE("missing memory is told with the limit on locked memory", "[limits]") {
  const std::string limited = in_child([] {
    const rlimit limit{65536, 65536};
    if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0) return std::string("cannot lower the limit");
    return told(diagnose_ring_failure(-ENOMEM));
  });
  INFO(limited);
  CHECK(limited.starts_with("locked_memory\n"));
  CHECK(mentions(limited, "65536 bytes (RLIMIT_MEMLOCK)"));
  CHECK(mentions(limited, "ulimit -l"));
}

TEST_CASE("every cause has a name, and every refusal a message and a remedy", "[limits]") {
  const line_file numbers("9000\t0\t9223");
  refusal_sources sources;
  sources.file_nr = numbers.path();
  for (const int error : {EPERM, EACCES, ENOSYS, EMFILE, ENFILE, ENOMEM, EINVAL, EBUSY}) {
    const ring_refusal refusal = diagnose_ring_failure(error, sources);
    INFO(told(refusal));
    CHECK(refusal.error == error);
    CHECK(refusal.message.back() == '.');
    CHECK(refusal.remedy.size() > 20);
    CHECK_FALSE(cause_name(refusal.cause).empty());
  }
  CHECK(mentions(diagnose_ring_failure(ENFILE, sources).message, "9000 of 9223"));
  CHECK(diagnose_ring_failure(EINVAL).cause == refusal_cause::bad_parameters);
  CHECK(diagnose_ring_failure(EBUSY).cause == refusal_cause::unknown);
}
