#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "scenarios/services/temp_dir.hpp"

namespace scenarios {
namespace {

// Directories below this depth are moved up to the top and removed from there: a program can nest
// them deeper than there are descriptors or stack.
constexpr int depth_max = 64;
constexpr std::size_t problems_max = 20;

using directory = std::unique_ptr<DIR, decltype([](DIR* open) { closedir(open); })>;

directory open_directory(int parent, const std::string& name) {
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  int fd = openat(parent, name.c_str(), flags);
  // One's own directory may be closed to oneself.
  if (fd < 0 && errno == EACCES && fchmodat(parent, name.c_str(), 0700, 0) == 0) {
    fd = openat(parent, name.c_str(), flags);
  }
  if (fd < 0) return nullptr;
  fchmod(fd, 0700);  // or not writable
  directory entries(fdopendir(fd));
  if (entries == nullptr) close(fd);
  return entries;
}

class remover {
 public:
  remover(int top, std::vector<std::string>& problems) : top_(top), problems_(problems) {}

  void empty(DIR* entries, const std::string& shown, int depth) {
    const int here = dirfd(entries);
    while (const dirent* entry = readdir(entries)) {
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (unlinkat(here, name.c_str(), 0) == 0) continue;
      std::string path = shown;
      if (!path.empty()) path += '/';
      path += name;
      // For a directory POSIX says EPERM and Linux EISDIR; the attempt to open it tells.
      if (errno != EISDIR && errno != EPERM) {
        report(path);
      } else if (depth < depth_max || !move_up(here, name)) {
        remove_directory(here, name, path, depth + 1);
      }
    }
  }

  // Whether something was moved to the top since the last call: it has to be read once more.
  bool take_moved() { return std::exchange(moved_, false); }

 private:
  void remove_directory(int parent, const std::string& name, const std::string& shown, int depth) {
    {
      const directory entries = open_directory(parent, name);
      if (entries == nullptr) return report(shown);
      empty(entries.get(), shown, depth);
    }
    // What is left in it has been reported.
    if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOTEMPTY) report(shown);
  }

  bool move_up(int here, const std::string& name) {
    constexpr unsigned tries = 100;  // a program may have used such names, too
    for (unsigned left = tries; left > 0; --left) {
      const std::string above = ".deep-" + std::to_string(names_++);
      if (renameat(here, name.c_str(), top_, above.c_str()) == 0) return moved_ = true;
    }
    return false;
  }

  void report(const std::string& shown) {
    if (problems_.size() < problems_max) problems_.push_back(shown + ": " + std::strerror(errno));
  }

  int top_;
  std::vector<std::string>& problems_;
  bool moved_ = false;
  unsigned names_ = 0;
};

}  // namespace

void remove_tree(int parent, const std::string& name, std::vector<std::string>& problems) {
  {
    const directory top = open_directory(parent, name);
    if (top == nullptr) {
      problems.push_back(name + ": " + std::strerror(errno));
      return;
    }
    remover work(dirfd(top.get()), problems);
    do {
      rewinddir(top.get());
      work.empty(top.get(), {}, 0);
    } while (work.take_moved());
  }
  if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && problems.empty()) {
    problems.push_back(name + ": " + std::strerror(errno));
  }
}

}  // namespace scenarios
