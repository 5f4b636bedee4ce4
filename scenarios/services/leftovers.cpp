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

using namespace std::chrono_literals;

// An exec takes well below a millisecond unless it reads from a disk, and ends without an event. A
// process whose memory we may not look at (it is set-user-id) looks like one for ever.
constexpr uring::duration exec_pause = 1ms;
constexpr int looks_max = 50;

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

// A number of /proc/PID/stat, "pid (name) state ppid …", counted from 1 as proc(5) does; the name
// may hold anything. 0 when the process is gone.
constexpr int parent_field = 4;
constexpr int environment_field = 50;
std::uint64_t stat_field(pid_t pid, int field) {
  const auto stat = read_all("/proc/" + std::to_string(pid) + "/stat", 4096);
  if (!stat) return 0;
  std::string_view rest = *stat;
  rest.remove_prefix(std::min(rest.rfind(')'), rest.size()));
  for (int at = 2; at < field; ++at) {
    const std::size_t blank = rest.find(' ');
    if (blank == std::string_view::npos) return 0;
    rest.remove_prefix(blank + 1);
  }
  return number_at<std::uint64_t>(rest).value_or(0);
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
  const auto self = static_cast<std::uint64_t>(getpid());
  each_number_in("/proc", [&](pid_t pid) {
    if (stat_field(pid, parent_field) == self) children.push_back(pid);
  });
  return children;
}

struct soft_and_hard {
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};

// "Max resident set          4611686018427387905  4611686018427387905  bytes"; what is unlimited,
// or no longer there, counts as none.
soft_and_hard rss_limits(const std::string& process) {
  constexpr std::string_view row = "Max resident set";
  const auto limits = read_all(process + "/limits", 16384);
  const std::size_t at = limits ? limits->find(row) : std::string::npos;
  if (at == std::string::npos) return {};
  std::string_view rest = std::string_view(*limits).substr(at + row.size());
  soft_and_hard found;
  for (std::uint64_t* const one : {&found.soft, &found.hard}) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    *one = number_at<std::uint64_t>(rest).value_or(0);
    rest.remove_prefix(std::min(rest.find(' '), rest.size()));
  }
  return found;
}

bool is_zombie(pid_t pid) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid;
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

service_mark::verdict service_mark::judge(pid_t pid) const {
  const std::string process = "/proc/" + std::to_string(pid);
  const auto [soft, hard] = rss_limits(process);
  for (const std::uint64_t limit : {soft, hard}) {
    if (limit == (mark_bit | number_) || limit == (inner_bit | number_)) return verdict::ours;
  }
  if (soft >= inner_bit) return verdict::anothers;
  // Programs change their soft limit. The hard one says nothing more: it may be of those whose
  // service we are.
  const std::uint64_t before = stat_field(pid, environment_field);
  const std::string environment = '\0' + read_all(process + "/environ", 4U << 20U).value_or("");
  const std::string name = '\0' + std::string(variable_name) + '=';
  if (environment.find(name) == std::string::npos) {
    // exec says where the environment is last of all, and it is elsewhere then; a zombie has none
    // any more.
    const bool in_exec = before == 0 || stat_field(pid, environment_field) != before;
    return in_exec && !is_zombie(pid) ? verdict::not_yet : verdict::unknown;
  }
  const std::string wanted = '\0' + variable() + '\0';
  return environment.find(wanted) != std::string::npos ? verdict::ours : verdict::anothers;
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

leftovers find_leftovers(const service_mark& mark, pid_t group) {
  leftovers result;
  for (const pid_t pid : our_children()) {
    leftover one{pid, open_pidfd(pid), getpgid(pid) == group, false};
    const service_mark::verdict verdict = mark.judge(pid);
    one.marked = verdict == service_mark::verdict::ours;
    if (verdict == service_mark::verdict::not_yet) result.complete = false;
    const bool wanted = one.marked || (one.in_group && verdict == service_mark::verdict::unknown);
    // In this order: that the process is our child still, after it was looked at by its number,
    // proves that the number was its own.
    if (wanted && one.pidfd.is_open() && still_our_child(one.pidfd)) {
      result.found.push_back(std::move(one));
    }
  }
  return result;
}

uring::task<void> await_group(uring::loop& on, const service_mark& mark, pid_t group,
                              uring::time_point until) {
  // Without WEXITED only children that live count: mostly there is none, and nothing to look for.
  siginfo_t info{};
  const int seen = waitid(P_PGID, static_cast<id_t>(group), &info, WSTOPPED | WNOHANG | WNOWAIT);
  if (seen != 0 && errno == ECHILD) co_return;
  const leftovers members = find_leftovers(mark, group);
  for (const leftover& member : members.found) {
    if (!member.in_group) continue;
    co_await on.poll_add(member.pidfd.get(), POLLIN).deadline(until);
  }
}

uring::task<std::vector<pid_t>> end_leftovers(uring::loop& on, const service_mark& mark,
                                              pid_t group, uring::time_point until) {
  std::vector<pid_t> stuck;
  const auto is_stuck = [&](const leftover& one) {
    return std::find(stuck.begin(), stuck.end(), one.pid) != stuck.end();
  };
  for (int looks_left = looks_max; looks_left > 0;) {
    auto [found, complete] = find_leftovers(mark, group);
    std::erase_if(found, is_stuck);
    if (found.empty() && complete) break;
    if (found.empty()) {
      --looks_left;
      co_await on.sleep_for(exec_pause);
    }
    for (const leftover& one : found) {
      const bool refused = one.marked && signal_pidfd(one.pidfd, SIGKILL) != 0 && errno == EPERM;
      if (refused) stuck.push_back(one.pid);
    }
    for (const leftover& one : found) {
      if (is_stuck(one)) continue;
      co_await on.poll_add(one.pidfd.get(), POLLIN).deadline(until);
      siginfo_t info;
      check_pidfd(one.pidfd, info, WEXITED);
      if (info.si_pid == 0) stuck.push_back(one.pid);
    }
  }
  co_return stuck;
}

}  // namespace scenarios
