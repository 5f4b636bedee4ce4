#include "scenarios/services/leftovers.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

#include "scenarios/services/pidfd.hpp"

namespace scenarios {
namespace {

// Marks are numbers with this bit and not the top one: far above any real limit, below infinity.
constexpr std::uint64_t mark_bit = std::uint64_t{1} << 62;
// A mark inside another one has this bit instead: a soft limit must not exceed the hard one.
constexpr std::uint64_t inner_bit = std::uint64_t{1} << 61;
// 37 bits of chance for the process and 24 for its services.
constexpr unsigned counter_bits = 24;

using directory = std::unique_ptr<DIR, decltype([](DIR* open) { closedir(open); })>;

// Files in /proc have no size; those read here are short, except environments.
std::optional<std::string> read_all(const std::string& path, std::size_t most) {
  const descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return std::nullopt;
  std::string text;
  char piece[4096];
  while (text.size() < most) {
    const ssize_t count = read(file.get(), piece, sizeof(piece));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::nullopt;
    if (count == 0) break;
    text.append(piece, static_cast<std::size_t>(count));
  }
  return text;
}

template <class Number>
std::optional<Number> number_at(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  Number number{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc{} ? std::optional(number) : std::nullopt;
}

// The parent, from /proc/PID/stat: "pid (name) state ppid …", where the name may hold anything.
pid_t parent_of(pid_t pid) {
  const auto stat = read_all("/proc/" + std::to_string(pid) + "/stat", 4096);
  if (!stat) return 0;
  const std::size_t name_end = stat->rfind(") ");
  if (name_end == std::string::npos || stat->size() < name_end + 4) return 0;
  return number_at<pid_t>(std::string_view(*stat).substr(name_end + 4)).value_or(0);
}

template <class Visit>
bool each_number_in(const char* path, Visit&& visit) {
  const directory entries(opendir(path));
  if (entries == nullptr) return false;
  while (const dirent* entry = readdir(entries.get())) {
    if (const auto number = number_at<pid_t>(entry->d_name)) visit(*number);
  }
  return true;
}

std::vector<pid_t> our_children() {
  siginfo_t info{};
  if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD) return {};
  std::vector<pid_t> children;
  bool listed = true;
  each_number_in("/proc/self/task", [&](pid_t thread) {
    const auto list =
        read_all("/proc/self/task/" + std::to_string(thread) + "/children", 1U << 20U);
    listed = listed && list.has_value();
    if (!list) return;
    for (std::string_view rest = *list; !rest.empty();) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      if (const auto pid = number_at<pid_t>(rest.substr(0, end))) children.push_back(*pid);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  });
  if (listed) return children;
  children.clear();
  const pid_t self = getpid();
  each_number_in("/proc", [&](pid_t pid) {
    if (parent_of(pid) == self) children.push_back(pid);
  });
  return children;
}

bool still_our_child(const descriptor& pidfd) {
  siginfo_t info;
  return check_pidfd(pidfd, info, WEXITED | WNOWAIT) == 0;
}

}  // namespace

service_mark service_mark::make() {
  static std::atomic<std::uint64_t> next = [] {
    std::uint64_t chance = 0;
    if (getrandom(&chance, sizeof(chance), 0) != sizeof(chance)) {
      chance = static_cast<std::uint64_t>(getpid());
    }
    return chance << counter_bits;
  }();
  return service_mark(next.fetch_add(1, std::memory_order_relaxed) & (inner_bit - 1));
}

std::string service_mark::variable() const {
  return std::string(variable_name) + "=" + std::to_string(number_);
}

rlimit service_mark::limit() const {
  rlimit ours{};
  const bool known = getrlimit(RLIMIT_RSS, &ours) == 0;
  if (known && ours.rlim_max != RLIM_INFINITY && ours.rlim_max >= mark_bit) {
    return {inner_bit | number_, ours.rlim_max};
  }
  return {mark_bit | number_, mark_bit | number_};
}

bool service_mark::is_on(pid_t pid) const {
  const std::string process = "/proc/" + std::to_string(pid);
  // "Max resident set          4611686018427387905  4611686018427387905  bytes"
  constexpr std::string_view row = "Max resident set";
  if (const auto limits = read_all(process + "/limits", 16384)) {
    if (const std::size_t at = limits->find(row); at != std::string::npos) {
      const auto soft = number_at<std::uint64_t>(std::string_view(*limits).substr(at + row.size()));
      // Whoever carries another mark is another service's; only one without any needs a second
      // look.
      if (soft && *soft >= inner_bit) {
        return *soft == (mark_bit | number_) || *soft == (inner_bit | number_);
      }
    }
  }
  const auto environment = read_all(process + "/environ", 4U << 20U);
  if (!environment) return false;
  const std::string wanted = variable() + '\0';
  const std::size_t at = environment->find(wanted);
  return at != std::string::npos && (at == 0 || (*environment)[at - 1] == '\0');
}

void adopt_orphans() {
  static const bool done = [] {
    prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL);
    struct sigaction current{};
    sigaction(SIGCHLD, nullptr, &current);
    const bool discards = current.sa_handler == SIG_IGN || (current.sa_flags & SA_NOCLDWAIT) != 0;
    if (discards) std::signal(SIGCHLD, SIG_DFL);
    return true;
  }();
  static_cast<void>(done);
}

std::vector<leftover> find_leftovers(const service_mark& mark) {
  std::vector<leftover> found;
  for (const pid_t pid : our_children()) {
    descriptor pidfd = open_pidfd(pid);
    // In this order: that the process is our child still, after its mark was read by its number,
    // proves that the number was its own.
    if (pidfd.is_open() && mark.is_on(pid) && still_our_child(pidfd)) {
      found.push_back({pid, std::move(pidfd)});
    }
  }
  return found;
}

uring::task<void> await_group(uring::loop& on, const service_mark& mark, pid_t group,
                              uring::time_point until) {
  // Without WEXITED only children that live count: mostly there is none, and nothing to look for.
  siginfo_t info{};
  const int seen = waitid(P_PGID, static_cast<id_t>(group), &info, WSTOPPED | WNOHANG | WNOWAIT);
  if (seen != 0 && errno == ECHILD) co_return;
  const std::vector<leftover> members = find_leftovers(mark);
  for (const leftover& member : members) {
    if (getpgid(member.pid) != group) continue;
    co_await on.poll_add(member.pidfd.get(), POLLIN).deadline(until);
  }
}

uring::task<std::vector<pid_t>> end_leftovers(uring::loop& on, const service_mark& mark,
                                              uring::time_point until) {
  std::vector<pid_t> stuck;
  for (;;) {
    std::vector<leftover> found = find_leftovers(mark);
    std::erase_if(found, [&](const leftover& one) {
      return std::find(stuck.begin(), stuck.end(), one.pid) != stuck.end();
    });
    if (found.empty()) break;
    for (const leftover& one : found) {
      const bool sent = signal_pidfd(one.pidfd, SIGKILL) == 0;
      if (!sent && errno == EPERM) stuck.push_back(one.pid);
    }
    for (const leftover& one : found) {
      if (std::find(stuck.begin(), stuck.end(), one.pid) != stuck.end()) continue;
      co_await on.poll_add(one.pidfd.get(), POLLIN).deadline(until);
      siginfo_t info;
      check_pidfd(one.pidfd, info, WEXITED);
      if (info.si_pid == 0) stuck.push_back(one.pid);
    }
  }
  co_return stuck;
}

}  // namespace scenarios
