#include "runner/file_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "scenarios/services/descriptor.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace {

using scenarios::in_quotes;

std::string cannot_write(const std::string& path, int error) {
  return fmt::format("cannot write {}: {}", in_quotes(path), std::strerror(error));
}

int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return ::fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
}

/// Writes a file beside `path` and moves it there, with the permissions and the owner of `like`.
std::string write_beside(const std::string& path, std::string_view content,
                         const struct stat& like) {
  std::string name = path + ".XXXXXX";
  const scenarios::descriptor made(::mkostemp(name.data(), O_CLOEXEC));
  if (made.get() < 0) return cannot_write(path, errno);
  int error = write_all(made.get(), content);
  // Root gives it back to whose it was; others can't give files away, and own it already.
  if (error == 0 && ::geteuid() == 0 && ::fchown(made.get(), like.st_uid, like.st_gid) != 0)
    error = errno;
  if (error == 0 && ::fchmod(made.get(), like.st_mode & 07777) != 0) error = errno;
  if (error == 0 && std::rename(name.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return {};
  ::unlink(name.c_str());
  return cannot_write(path, error);
}

}  // namespace

std::string replace_file(const std::string& path, std::string_view content) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  struct stat about{};
  if (real == nullptr || ::stat(real.get(), &about) != 0) return cannot_write(path, errno);
  if (!S_ISREG(about.st_mode)) return fmt::format("{} is no regular file", in_quotes(path));
  return write_beside(real.get(), content, about);
}

std::string create_file(const std::string& path, std::string_view content, bool over,
                        bool& exists) {
  struct stat about{};
  exists = !over && ::lstat(path.c_str(), &about) == 0;
  if (exists) return fmt::format("{} exists already", in_quotes(path));
  if (over && ::stat(path.c_str(), &about) == 0) return replace_file(path, content);
  // Exclusively, for whoever makes it at the same moment.
  const scenarios::descriptor made(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (made.get() < 0) {
    exists = errno == EEXIST;
    return cannot_write(path, errno);
  }
  const int error = write_all(made.get(), content);
  if (error == 0) return {};
  ::unlink(path.c_str());
  return cannot_write(path, error);
}

}  // namespace runner
