#include "reports/writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <utility>

#include "scenarios/visible.hpp"

namespace reports {

namespace {

/// A descriptor that is closed when an error leaves the function that opened it.
class descriptor {
 public:
  explicit descriptor(int fd) : fd_(fd) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  /// Some file systems tell only now that there was no room.
  int close() { return ::close(std::exchange(fd_, -1)) == 0 ? 0 : errno; }

 private:
  int fd_;
};

/// The functions below return 0 or an errno.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return 0;
}

int write_directly(const std::string& path, std::string_view text) {
  descriptor to(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
  if (to.get() < 0) return errno;
  if (const int error = write_all(to.get(), text)) return error;
  return to.close();
}

/// Where a symbolic link leads, so that the link stays and its target is replaced.
std::string resolved(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  return real != nullptr ? real.get() : path;
}

/// A name beside the target that nobody else uses.
std::string temporary_name(const std::string& target, std::random_device& random) {
  const std::size_t slash = target.rfind('/') + 1;  // npos + 1: none
  // A name of full length would leave no room for what is added to it.
  return fmt::format("{}.{}.{:08x}.tmp", target.substr(0, slash), target.substr(slash, 64),
                     random());
}

int fill(descriptor& to, mode_t mode, std::string_view text) {
  // A report that exists keeps its permissions; where they can't be set, the umask's must do.
  if (mode != 0) (void)::fchmod(to.get(), mode);
  if (const int error = write_all(to.get(), text)) return error;
  if (::fsync(to.get()) != 0 && errno != EINVAL) return errno;
  return to.close();
}

int replace(const std::string& path, mode_t mode, std::string_view text) {
  const std::string target = resolved(path);
  std::random_device random;
  for (int attempt = 0; attempt < 16; ++attempt) {
    const std::string temporary = temporary_name(target, random);
    descriptor to(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (to.get() < 0 && errno == EEXIST) continue;
    if (to.get() < 0) return errno;
    int error = fill(to, mode, text);
    if (error == 0 && ::rename(temporary.c_str(), target.c_str()) != 0) error = errno;
    if (error != 0) ::unlink(temporary.c_str());
    return error;
  }
  return EEXIST;
}

int write_to(const std::string& path, std::string_view text) {
  if (path == "-") {
    std::fflush(stdout);
    return write_all(STDOUT_FILENO, text);
  }
  struct stat about{};
  if (::stat(path.c_str(), &about) != 0) {
    return errno == ENOENT ? replace(path, 0, text) : errno;
  }
  if (S_ISDIR(about.st_mode)) return EISDIR;
  if (!S_ISREG(about.st_mode)) return write_directly(path, text);
  return replace(path, about.st_mode & 07777, text);
}

std::string advice(int error, const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return fmt::format("there is no directory {}; make it first",
                         scenarios::in_quotes(directory, PATH_MAX));
    case EISDIR:
      return "it is a directory; name a file in it";
    case EACCES:
    case EPERM:
    case EROFS:
      return fmt::format("{}; choose a directory that may be written to", std::strerror(error));
    case ENOSPC:
    case EDQUOT:
      return "there is no space left; an earlier report is as it was";
    default:
      return std::strerror(error);
  }
}

}  // namespace

std::optional<std::string> write_report(std::string_view format, const std::string& path,
                                        std::string_view text) {
  const int error = write_to(path, text);
  if (error == 0) return std::nullopt;
  const std::string where = path == "-" ? "standard output" : scenarios::in_quotes(path, PATH_MAX);
  return fmt::format("cannot write the {} report to {}: {}", format, where, advice(error, path));
}

}  // namespace reports
