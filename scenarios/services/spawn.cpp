#include "scenarios/services/spawn.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <span>

#include "scenarios/services/low_descriptors.hpp"
#include "scenarios/services/pidfd.hpp"

namespace scenarios {
namespace {

// Everything that the child needs, made before the fork: it must not allocate.
struct child_plan {
  unsigned keeps;  // of the descriptors of this process those below this number
  const char* program;
  std::vector<char*> argv;
  std::vector<char*> environment;
  const char* cwd;
  int input;
  int output;
  int errors;
  int report;
  pid_t parent;
  const user_identity* user;
  std::span<const resource_limit> limits;
  rlimit mark;
};

[[noreturn]] void give_up(const child_plan& plan, spawn_stage stage) {
  const spawn_failure failure{stage, errno};
  [[maybe_unused]] const ssize_t written = write(plan.report, &failure, sizeof(failure));
  _exit(127);
}

void reset_signals() {
  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;
  // exec resets handlers but keeps what is ignored: SIGPIPE, for one, is in a runner.
  for (int signal = 1; signal < NSIG; ++signal) sigaction(signal, &standard, nullptr);
}

// The raw calls: glibc's would ask all threads to switch, and this child has but one.
void switch_user(const child_plan& plan) {
  const user_identity& user = *plan.user;
  if (syscall(SYS_setgroups, 0, nullptr) != 0) give_up(plan, spawn_stage::group);
  if (syscall(SYS_setresgid, user.gid, user.gid, user.gid) != 0) give_up(plan, spawn_stage::group);
  if (syscall(SYS_setresuid, user.uid, user.uid, user.uid) != 0) give_up(plan, spawn_stage::user);
}

[[noreturn]] void become(const child_plan& plan) {
  if (syscall(SYS_close_range, plan.keeps, ~0U, CLOSE_RANGE_UNSHARE) != 0)
    give_up(plan, spawn_stage::descriptors);
  if (setpgid(0, 0) != 0) give_up(plan, spawn_stage::process_group);
  reset_signals();
  if (dup2(plan.input, STDIN_FILENO) < 0 || dup2(plan.output, STDOUT_FILENO) < 0 ||
      dup2(plan.errors, STDERR_FILENO) < 0 ||
      syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
    give_up(plan, spawn_stage::descriptors);
  }
  umask(022);
  for (const resource_limit& each : plan.limits) {
    const rlimit both{each.most, each.most};
    if (setrlimit(static_cast<__rlimit_resource_t>(each.resource), &both) != 0)
      give_up(plan, spawn_stage::limits);
  }
  // Refused only where the limit was lowered before; then the variable has to do.
  setrlimit(RLIMIT_RSS, &plan.mark);
  if (plan.user != nullptr) switch_user(plan);
  // After switching users, which clears it. A parent that died before has been replaced.
  prctl(PR_SET_PDEATHSIG, static_cast<unsigned long>(SIGKILL), 0UL, 0UL, 0UL);
  if (getppid() != plan.parent) _exit(127);
  if (chdir(plan.cwd) != 0) give_up(plan, spawn_stage::directory);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execve(plan.program, plan.argv.data(), plan.environment.data());
  give_up(plan, spawn_stage::exec);
}

// No handler of ours may run in the child: it would write to descriptors that are the parent's,
// too. The child has this process's own table of descriptors until it has made one of its own, and
// this thread goes on when it has become the program, or ended.
pid_t fork_quietly(const child_plan& plan) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const auto pid = static_cast<pid_t>(
      syscall(SYS_clone, CLONE_FILES | CLONE_VFORK | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  if (pid == 0) become(plan);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return pid;
}

struct pipe_ends {
  descriptor read;
  descriptor write;
  bool open() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read.reset(ends[0]);
    write.reset(ends[1]);
    return true;
  }
};

struct plumbing {
  pipe_ends input;
  pipe_ends output;
  pipe_ends errors;
  pipe_ends report;
  bool open(bool stdin_pipe) {
    if (!output.open() || !errors.open() || !report.open()) return false;
    fcntl(output.read.get(), F_SETFL, O_NONBLOCK);
    fcntl(errors.read.get(), F_SETFL, O_NONBLOCK);
    if (stdin_pipe) return input.open();
    input.read.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    return input.read.is_open();
  }
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 2);
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  return result;
}

}  // namespace

const char* spawn_stage_name(spawn_stage stage) {
  constexpr std::array<const char*, 9> names{"making its pipes",
                                             "forking",
                                             "making its process group",
                                             "setting up its streams",
                                             "setting its limits",
                                             "dropping groups",
                                             "becoming the user",
                                             "entering its directory",
                                             "exec"};
  return names[static_cast<std::size_t>(stage)];
}

uring::task<std::variant<spawned, spawn_failure>> spawn(uring::loop& on, const launch_spec& what,
                                                        const service_mark& mark) {
  using result = std::variant<spawned, spawn_failure>;
  adopt_orphans();
  plumbing pipes;
  if (!pipes.open(what.stdin_pipe)) co_return result(spawn_failure{spawn_stage::pipes, errno});
  std::string variable = mark.variable();
  std::optional<low_descriptors::loan> low;
  low.emplace(std::array{pipes.input.read.get(), pipes.output.write.get(), pipes.errors.write.get(),
                         pipes.report.write.get()});
  if (low->error() != 0) co_return result(spawn_failure{spawn_stage::pipes, low->error()});
  child_plan plan{low->end(),
                  what.program.c_str(),
                  pointers(what.argv),
                  pointers(what.environment),
                  what.cwd.c_str(),
                  low->at(0),
                  low->at(1),
                  low->at(2),
                  low->at(3),
                  getpid(),
                  what.user ? &*what.user : nullptr,
                  what.limits,
                  mark.limit()};
  plan.argv.push_back(nullptr);
  plan.environment.push_back(variable.data());
  plan.environment.push_back(nullptr);

  const pid_t pid = fork_quietly(plan);
  const int fork_error = errno;
  low.reset();
  if (pid < 0) co_return result(spawn_failure{spawn_stage::fork, fork_error});
  // Nobody but us reaps it, so the number is its own until we do.
  descriptor pidfd = open_pidfd(pid);
  const int pidfd_error = errno;
  pipes.input.read.reset();
  pipes.output.write.reset();
  pipes.errors.write.reset();
  pipes.report.write.reset();
  if (!pidfd.is_open()) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    co_return result(spawn_failure{spawn_stage::pipes, pidfd_error});
  }

  // Closed by exec; a failure is written whole, being shorter than PIPE_BUF.
  spawn_failure failure{};
  const uring::completion reported =
      co_await on.read(pipes.report.read.get(), std::as_writable_bytes(std::span(&failure, 1)));
  if (reported.res != 0) {
    co_await on.poll_add(pidfd.get(), POLLIN);
    siginfo_t info;
    check_pidfd(pidfd, info, WEXITED);
    co_return result(failure);
  }
  co_return result(spawned{pid, std::move(pidfd), std::move(pipes.input.write),
                           std::move(pipes.output.read), std::move(pipes.errors.read)});
}

}  // namespace scenarios
