#include "engine/limits.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>

#include "engine/errno_name.hpp"

namespace uring {
namespace {

constexpr std::array<std::string_view, 11> cause_names{
    "seccomp",
    "disabled_by_sysctl",
    "disabled_for_group",
    "process_descriptors",
    "system_descriptors",
    "locked_memory",
    "memory",
    "no_io_uring",
    "bad_parameters",
    "security_policy",
    "unknown",
};

std::optional<std::string> first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

std::optional<long> number_in(const std::string& path) {
  const auto line = first_line(path);
  if (!line) return std::nullopt;
  char* end = nullptr;
  const long value = std::strtol(line->c_str(), &end, 10);
  if (end == line->c_str()) return std::nullopt;
  return value;
}

// A line of /proc/self/status, "Seccomp:\t2"; 0 when it is not there.
long status_number(const refusal_sources& sources, std::string_view key) {
  std::ifstream file(sources.status);
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ':')
      return std::strtol(line.c_str() + key.size() + 1, nullptr, 10);
  return 0;
}

// Seccomp: 0 = none, 1 = strict, 2 = a filter.
bool is_filtered(const refusal_sources& sources) {
  return status_number(sources, "Seccomp") == 2;
}

std::string filter_text(const refusal_sources& sources) {
  const long filters = status_number(sources, "Seccomp_filters");
  std::string text = "this process runs under ";
  text += filters > 1 ? std::to_string(filters) + " seccomp filters" : "a seccomp filter";
  return text + " (Seccomp: 2 in " + sources.status + ")";
}

std::string errno_text(int error) {
  const char* name = errno_name(error);
  return name != nullptr ? name : "errno " + std::to_string(error);
}

std::string limit_text(rlim_t value) {
  return value == RLIM_INFINITY ? "unlimited" : std::to_string(value);
}

rlimit limit_of(decltype(RLIMIT_NOFILE) resource) {
  rlimit limit{};
  getrlimit(resource, &limit);
  return limit;
}

// Listing /proc/self/fd needs a descriptor itself, which is just what is missing: fcntl asks
// without one.
size_t open_descriptors(rlim_t limit) {
  size_t count = 0;
  const rlim_t end = std::min<rlim_t>(limit, 65536);
  for (rlim_t fd = 0; fd < end; ++fd)
    if (fcntl(static_cast<int>(fd), F_GETFD) != -1) ++count;
  return count;
}

ring_refusal by_seccomp(int error, const refusal_sources& sources) {
  return {refusal_cause::seccomp, error,
          "io_uring_setup was answered with " + errno_text(error) + " and " + filter_text(sources) +
              ".",
          "Allow io_uring_setup, io_uring_enter and io_uring_register in the sandbox's seccomp "
          "profile; for a container: --security-opt seccomp=PROFILE.json, or =unconfined."};
}

ring_refusal by_sysctl(int error, long disabled, const refusal_sources& sources) {
  if (disabled == 2)
    return {refusal_cause::disabled_by_sysctl, error,
            "io_uring is disabled for every process: kernel.io_uring_disabled is 2.",
            "Have an administrator run: sysctl kernel.io_uring_disabled=0"};
  const std::optional<long> group = number_in(sources.io_uring_group);
  const bool named = group && *group >= 0;
  return {refusal_cause::disabled_for_group, error,
          "io_uring is disabled for unprivileged processes: kernel.io_uring_disabled is 1 and " +
              (named ? "this process is not in group " + std::to_string(*group) +
                           " (kernel.io_uring_group)."
                     : std::string("kernel.io_uring_group names no group.")),
          named ? "Run as a member of group " + std::to_string(*group) +
                      " or with CAP_SYS_ADMIN, or set kernel.io_uring_disabled=0."
                : "Run with CAP_SYS_ADMIN, set kernel.io_uring_group to a group of this user, or "
                  "set kernel.io_uring_disabled=0."};
}

// EPERM and EACCES: the sysctl is a certain answer, a filter a likely one, a security module is
// what is left.
ring_refusal forbidden(int error, const refusal_sources& sources) {
  const long disabled = number_in(sources.io_uring_disabled).value_or(0);
  if (error == EPERM && (disabled == 1 || disabled == 2))
    return by_sysctl(error, disabled, sources);
  if (is_filtered(sources)) return by_seccomp(error, sources);
  return {refusal_cause::security_policy, error,
          "io_uring_setup was answered with " + errno_text(error) +
              ", although neither kernel.io_uring_disabled nor a seccomp filter forbids it.",
          "Look for a denial of a security module (SELinux, AppArmor) in the kernel's audit log; "
          "for SQPOLL rings on kernels before 5.11 run with CAP_SYS_ADMIN."};
}

ring_refusal not_implemented(int error, const refusal_sources& sources) {
  // Sandboxes answer ENOSYS too, so that programs fall back; the sysctl exists only with io_uring.
  const bool kernel_has_it = number_in(sources.io_uring_disabled).has_value();
  if (is_filtered(sources)) {
    ring_refusal refusal = by_seccomp(error, sources);
    if (!kernel_has_it) refusal.message += " The kernel itself may lack io_uring, too.";
    return refusal;
  }
  return {refusal_cause::no_io_uring, error, "This kernel has no io_uring (ENOSYS).",
          "Use Linux 6.1 or later, built with CONFIG_IO_URING=y."};
}

ring_refusal no_descriptors(int error, const refusal_sources& sources) {
  if (error == EMFILE) {
    const rlimit limit = limit_of(RLIMIT_NOFILE);
    return {refusal_cause::process_descriptors, error,
            "This process may have " + limit_text(limit.rlim_cur) +
                " descriptors (RLIMIT_NOFILE) and has " +
                std::to_string(open_descriptors(limit.rlim_cur)) + " open.",
            "Raise the limit, ulimit -n NUMBER (up to " + limit_text(limit.rlim_max) +
                " here), or run less at a time."};
  }
  // Opening file-nr may fail for the same reason; then there are no numbers to tell.
  std::istringstream words(first_line(sources.file_nr).value_or(""));
  std::string open, unused, most;
  const bool known = static_cast<bool>(words >> open >> unused >> most);
  return {refusal_cause::system_descriptors, error,
          "The system has no file handles left (ENFILE)" +
              (known ? ": " + open + " of " + most + " are in use." : "."),
          "Have an administrator raise fs.file-max, or find the process that holds them."};
}

ring_refusal no_memory(int error) {
  const rlimit limit = limit_of(RLIMIT_MEMLOCK);
  // Whether the kernel charges rings to the limit cannot be asked: both possibilities are named.
  if (limit.rlim_cur != RLIM_INFINITY)
    return {refusal_cause::locked_memory, error,
            "The kernel had no memory for the ring (ENOMEM); this process may lock " +
                limit_text(limit.rlim_cur) +
                " bytes (RLIMIT_MEMLOCK), to which kernels before 5.12 charge rings and all "
                "kernels charge registered buffers.",
            "Raise the limit, ulimit -l KILOBYTES (LimitMEMLOCK= in a systemd unit), or use "
            "smaller rings; failing that, look at the memory limit of the cgroup."};
  return {refusal_cause::memory, error,
          "The kernel had no memory for the ring (ENOMEM), and locked memory is not limited.",
          "Use smaller rings, or raise the memory limit of the cgroup or container."};
}

}  // namespace

std::string_view cause_name(refusal_cause cause) {
  const auto n = static_cast<size_t>(cause);
  return n < cause_names.size() ? cause_names[n] : "unknown";
}

ring_refusal diagnose_ring_failure(int error, const refusal_sources& sources) {
  error = std::abs(error);
  switch (error) {
    case EPERM:
    case EACCES:
      return forbidden(error, sources);
    case ENOSYS:
      return not_implemented(error, sources);
    case EMFILE:
    case ENFILE:
      return no_descriptors(error, sources);
    case ENOMEM:
      return no_memory(error);
    case EINVAL:
      return {refusal_cause::bad_parameters, error,
              "The kernel does not take these flags or sizes for a ring (EINVAL).",
              "Leave out set-up flags that this kernel lacks, and keep the number of entries "
              "between 1 and 32768."};
    default:
      return {refusal_cause::unknown, error,
              "io_uring_setup failed with " + errno_text(error) + ".",
              "See io_uring_setup(2) for what this error means."};
  }
}

}  // namespace uring
