#include "scenarios/services/temp_dir.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace scenarios {
namespace {

std::string failure(std::string_view doing, std::string_view what, int error) {
  return std::string(doing) + " " + std::string(what) + ": " + std::strerror(error);
}

// Below `root`, whatever somebody else does to the path meanwhile.
descriptor open_beneath(int root, const std::string& path, std::uint64_t flags, mode_t mode = 0) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return descriptor(static_cast<int>(syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how))));
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// "a/b/c" → each of "a", "a/b" that does not exist is made.
std::string make_directories(int root, const std::string& path, const user_identity* owner) {
  for (std::size_t end = path.find('/'); end != std::string::npos; end = path.find('/', end + 1)) {
    const std::string name = path.substr(0, end);
    if (open_beneath(root, name, O_PATH | O_DIRECTORY).is_open()) continue;
    const std::size_t slash = name.rfind('/');
    const std::string above = slash == std::string::npos ? "." : name.substr(0, slash);
    const descriptor parent = open_beneath(root, above, O_RDONLY | O_DIRECTORY);
    const std::string last = slash == std::string::npos ? name : name.substr(slash + 1);
    if (!parent.is_open() || mkdirat(parent.get(), last.c_str(), 0755) != 0) {
      return failure("making the directory", name, errno);
    }
    const descriptor made = open_beneath(parent.get(), last, O_RDONLY | O_DIRECTORY);
    const bool owned = owner == nullptr || fchown(made.get(), owner->uid, owner->gid) == 0;
    if (!made.is_open() || !owned || fchmod(made.get(), 0755) != 0) {
      return failure("handing over the directory", name, errno);
    }
  }
  return {};
}

// "/tmp/uring-x/a//b", "./a/b" → "a/b"; empty when it is not inside.
std::string inside(std::string_view path, std::string_view root) {
  if (path.starts_with('/')) {
    if (!path.starts_with(root) || path.substr(root.size(), 1) != "/") return {};
    path.remove_prefix(root.size() + 1);
  }
  std::string clean;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") return {};
    if (!clean.empty()) clean += '/';
    clean += part;
  }
  return clean;
}

}  // namespace

std::unique_ptr<temp_dir> temp_dir::make(std::string& why) {
  const char* const wished = std::getenv("TMPDIR");
  std::string path = wished != nullptr && *wished == '/' ? wished : "/tmp";
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  path += "/uring-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) {
    why = failure("mkdtemp", path, errno);
    return nullptr;
  }
  descriptor open(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!open.is_open() || fchmod(open.get(), 0755) != 0) {
    why = failure("opening", path, errno);
    rmdir(path.c_str());
    return nullptr;
  }
  return std::unique_ptr<temp_dir>(new temp_dir(std::move(path), std::move(open)));
}

temp_dir::~temp_dir() {
  remove();
}

int temp_dir::admit(const user_identity& user) {
  if (user.uid == geteuid() || (has_owner_ && user.uid == owner_)) return 0;
  if (has_owner_) return fchmod(open_.get(), 01777) == 0 ? 0 : -errno;
  if (fchown(open_.get(), user.uid, user.gid) != 0) return -errno;
  has_owner_ = true;
  owner_ = user.uid;
  return 0;
}

std::string temp_dir::write_file(std::string_view path, std::string_view bytes, mode_t mode,
                                 const user_identity* owner) {
  const std::string name = inside(path, path_);
  if (name.empty()) return std::string(path) + " is not inside " + path_;
  if (std::string problem = make_directories(open_.get(), name, owner); !problem.empty()) {
    return problem;
  }
  const std::size_t slash = name.rfind('/');
  const std::string above = slash == std::string::npos ? "." : name.substr(0, slash);
  const std::string last = slash == std::string::npos ? name : name.substr(slash + 1);
  const descriptor parent = open_beneath(open_.get(), above, O_RDONLY | O_DIRECTORY);
  if (!parent.is_open()) return failure("opening", above, errno);
  // A new file always: what is there may be a link to something else.
  if (unlinkat(parent.get(), last.c_str(), 0) != 0 && errno != ENOENT) {
    return failure("replacing", name, errno);
  }
  const descriptor file = open_beneath(parent.get(), last, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (!file.is_open()) return failure("making", name, errno);
  if (!write_all(file.get(), bytes)) return failure("writing", name, errno);
  if (owner != nullptr && fchown(file.get(), owner->uid, owner->gid) != 0) {
    return failure("handing over", name, errno);
  }
  if (fchmod(file.get(), mode & 07777) != 0) return failure("setting the mode of", name, errno);
  return {};
}

std::vector<std::string> temp_dir::remove() {
  std::vector<std::string> problems;
  if (!open_.is_open()) return problems;
  open_.reset();
  const std::size_t slash = path_.rfind('/');
  const std::string above = slash == 0 ? "/" : path_.substr(0, slash);
  const descriptor parent(open(above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent.is_open()) {
    problems.push_back(failure("opening", above, errno));
    return problems;
  }
  remove_tree(parent.get(), path_.substr(slash + 1), problems);
  return problems;
}

}  // namespace scenarios
