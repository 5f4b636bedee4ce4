#include "scenarios/services/program.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace scenarios {
namespace {

std::string joined(std::string_view directory, std::string_view name) {
  if (directory.empty() || name.starts_with('/')) return std::string(name);
  std::string path(directory);
  if (path.back() != '/') path += '/';
  return path.append(name);
}

// What execve(2) would say, as far as it can be known from outside.
struct file_verdict {
  bool exists = false;
  int error = 0;
};

file_verdict look_at(const std::string& path) {
  struct stat found{};
  if (stat(path.c_str(), &found) != 0) return {false, errno};
  if (!S_ISREG(found.st_mode)) return {true, EACCES};
  return {true, faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : errno};
}

std::string refusal(const std::string& path, const file_verdict& verdict) {
  if (verdict.error == ENOENT || verdict.error == ENOTDIR) return path + " does not exist";
  if (verdict.exists && verdict.error == EACCES) return path + " is not executable";
  return path + ": " + std::strerror(verdict.error);
}

std::optional<user_identity> look_up(const std::string& name, const std::optional<uid_t>& number) {
  std::vector<char> buffer(1024);
  passwd entry{};
  passwd* found = nullptr;
  for (;;) {
    const int error = number
                          ? getpwuid_r(*number, &entry, buffer.data(), buffer.size(), &found)
                          : getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (error != ERANGE) break;
    buffer.resize(buffer.size() * 2);
  }
  if (found == nullptr) return std::nullopt;
  return user_identity{found->pw_uid, found->pw_gid, found->pw_name};
}

user_identity ourselves() {
  if (auto known = look_up({}, geteuid())) {
    known->gid = getegid();
    return *known;
  }
  return {geteuid(), getegid(), std::to_string(geteuid())};
}

}  // namespace

std::string program_path() {
  const char* const ours = std::getenv("PATH");
  std::string path = ours != nullptr ? std::string(ours) : std::string(default_path);
  for (const std::string_view each : {"/usr/local/sbin", "/usr/sbin", "/sbin"}) {
    const std::string among = ":" + path + ":";
    if (among.find(":" + std::string(each) + ":") != std::string::npos) continue;
    // An empty entry would be the current directory.
    if (!path.empty()) path += ':';
    path += each;
  }
  return path;
}

std::optional<std::string> find_program(std::string_view argv0, std::string_view path,
                                        std::string* why, std::string_view cwd) {
  auto refused = [&](std::string reason) -> std::optional<std::string> {
    if (why != nullptr) *why = std::move(reason);
    return std::nullopt;
  };
  if (argv0.empty()) return refused("its name is empty");
  if (argv0.find('/') != std::string_view::npos) {
    std::string file = joined(cwd, argv0);
    const file_verdict verdict = look_at(file);
    if (verdict.error == 0) return file;
    return refused(refusal(file, verdict));
  }
  std::string forbidden;  // as execvp(3): a file that may not be run does not end the search
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    const std::string_view entry = path.substr(begin, end - begin);
    std::string file = joined(joined(cwd, entry.empty() ? "." : entry), argv0);
    const file_verdict verdict = look_at(file);
    if (verdict.error == 0) return file;
    if (verdict.exists && forbidden.empty()) forbidden = file;
    begin = end + 1;
  }
  if (!forbidden.empty()) return refused(refusal(forbidden, {true, EACCES}));
  return refused("not found in PATH (" + std::string(path) + ")");
}

std::optional<user_identity> find_user(const std::string& name, std::string& why) {
  uid_t number = 0;
  const char* const end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data(), end, number);
  if (!name.empty() && parsed.ec == std::errc{} && parsed.ptr == end) {
    if (auto known = look_up({}, number)) return known;
    return user_identity{number, static_cast<gid_t>(number), name};
  }
  if (auto known = look_up(name, std::nullopt)) return known;
  why = "there is no user of this name";
  return std::nullopt;
}

std::optional<user_identity> service_user(const std::string& wanted, std::string& why) {
  const bool privileged = geteuid() == 0;
  if (wanted.empty() && !privileged) return ourselves();
  auto user = find_user(wanted.empty() ? "nobody" : wanted, why);
  if (user && !privileged && user->uid != geteuid()) {
    why = "only root may switch users, and this is user " + ourselves().name;
    return std::nullopt;
  }
  return user;
}

}  // namespace scenarios
