// The temporary directory of one scenario, `${tmp}`: made, filled and removed.
//
// Made under TMPDIR or /tmp with mode 0755, so that a service that is another user may enter it.
// What is in it may have been made by a program that is not trusted, and we may be root: nothing
// here follows a symbolic link, and no path leaves the directory. Whoever made it calls remove()
// when every process that knew it has ended; the destructor does so silently. Threads may use it at
// once, except for the same path.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/services/descriptor.hpp"
#include "scenarios/services/program.hpp"

namespace scenarios {

class temp_dir {
 public:
  /// Null when it can't be made; `why` then says so: "mkdtemp /nowhere/uring-XXXXXX: No such file
  /// or directory".
  static std::unique_ptr<temp_dir> make(std::string& why);
  ~temp_dir();
  temp_dir(const temp_dir&) = delete;
  temp_dir& operator=(const temp_dir&) = delete;

  /// Absolute, without a slash at its end.
  [[nodiscard]] const std::string& path() const { return path_; }

  /// Lets this user make files in it. The first other user becomes its owner; with a second one it
  /// becomes writable for all, with the sticky bit. 0 or -errno.
  int admit(const user_identity& user);

  /// Writes a file; `path` is relative, or absolute and below path(). Missing directories are made.
  /// A file that is there is replaced. All that is made belongs to `owner` if there is one. Empty
  /// when it went well, else what went wrong.
  std::string write_file(std::string_view path, std::string_view bytes, mode_t mode,
                         const user_identity* owner);

  /// Removes it with all that is in it. What could not be removed, one line each: "a/b: Operation
  /// not permitted".
  std::vector<std::string> remove();

 private:
  temp_dir(std::string path, descriptor open) : path_(std::move(path)), open_(std::move(open)) {}

  std::string path_;
  descriptor open_;
  bool has_owner_ = false;
  uid_t owner_ = 0;
};

/// Removes the directory `name` of `parent` and all that is in it, however deep, with a bounded
/// number of descriptors and without following links. Adds to `problems` what could not be removed.
void remove_tree(int parent, const std::string& name, std::vector<std::string>& problems);

}  // namespace scenarios
