#include "runner/discovery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <unordered_map>

#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace fs = std::filesystem;
using scenarios::code;
using scenarios::in_quotes;

namespace {

struct case_path {
  std::string file;
  std::string label;
};

// Splits at the first bracket behind which the path is a file: both may hold brackets themselves.
std::optional<case_path> split_case(const std::string& path) {
  if (!path.ends_with(']')) return std::nullopt;
  for (std::size_t at = path.find('['); at != std::string::npos; at = path.find('[', at + 1)) {
    std::string file = path.substr(0, at);
    std::error_code error;
    const bool stdin_too = file == standard_input;
    if (!stdin_too && !fs::exists(file, error)) continue;
    if (!stdin_too && fs::is_directory(file, error)) continue;
    return case_path{std::move(file), path.substr(at + 1, path.size() - at - 2)};
  }
  return std::nullopt;
}

class finder {
 public:
  explicit finder(scenarios::diagnostics& out) : out_(out) {}

  void add(const std::string& path) {
    if (path == standard_input) return keep(path);
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (fs::is_directory(status)) return search(path);
    if (fs::exists(status)) return keep(normal(path));
    if (auto one = split_case(path)) return keep_case(std::move(*one));
    tell_missing(path, error);
  }

  std::vector<scenario_file> take() { return std::move(files_); }

 private:
  static std::string normal(const fs::path& path) {
    return path.lexically_normal().generic_string();
  }

  scenario_file& entry(const std::string& path, bool& fresh) {
    const auto [found, made] = index_.try_emplace(path, files_.size());
    if (made) files_.push_back({path, {}});
    fresh = made;
    return files_[found->second];
  }

  // A file as a whole wins over single cases of it.
  void keep(const std::string& path) {
    bool fresh = false;
    entry(path, fresh).cases.clear();
  }

  void keep_case(case_path one) {
    bool fresh = false;
    const bool from_stdin = one.file == standard_input;
    scenario_file& file = entry(from_stdin ? one.file : normal(one.file), fresh);
    if (fresh || !file.cases.empty()) file.cases.push_back(std::move(one.label));
  }

  void search(const std::string& directory) {
    std::vector<std::string> found;
    descend(directory, found);
    std::ranges::sort(found);
    for (const std::string& each : found) keep(each);
  }

  // Depth is bounded by PATH_MAX: links to directories are not followed.
  void descend(const fs::path& directory, std::vector<std::string>& found) {
    std::error_code error;
    fs::directory_iterator entries(directory, error);
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
      const std::string name = entries->path().filename().string();
      if (name.starts_with('.')) continue;
      std::error_code ignored;
      const bool link = entries->is_symlink(ignored);
      if (entries->is_directory(ignored)) {
        if (!link) descend(entries->path(), found);
      } else if (name.ends_with(scenario_suffix)) {
        found.push_back(normal(entries->path()));
      }
    }
    if (error) {
      out_.error(code::file_not_readable, {},
                 fmt::format("cannot read the directory {}: {}", in_quotes(directory.string()),
                             error.message()));
    }
  }

  void tell_missing(const std::string& path, const std::error_code& error) {
    const bool absent = !error || error == std::errc::no_such_file_or_directory ||
                        error == std::errc::not_a_directory;
    auto& told = out_.error(absent ? code::file_not_found : code::file_not_readable, {},
                            fmt::format("cannot open {}: {}", in_quotes(path),
                                        absent ? "no such file or directory" : error.message()));
    if (absent) told.help = similar(path);
  }

  // The name beside it that was probably meant.
  static std::string similar(const fs::path& path) {
    const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
    std::vector<std::string> names;
    std::error_code error;
    fs::directory_iterator entries(parent, error);
    for (; !error && entries != fs::directory_iterator() && names.size() < 1000;
         entries.increment(error)) {
      names.push_back(entries->path().filename().string());
    }
    std::ranges::sort(names);
    const std::vector<std::string_view> views(names.begin(), names.end());
    return scenarios::did_you_mean(path.filename().string(), views);
  }

  scenarios::diagnostics& out_;
  std::vector<scenario_file> files_;
  std::unordered_map<std::string, std::size_t> index_;
};

}  // namespace

std::vector<scenario_file> discover(std::span<const std::string> paths,
                                    scenarios::diagnostics& out) {
  finder all(out);
  for (const std::string& path : paths) all.add(path);
  if (paths.empty()) all.add(".");
  return all.take();
}

}  // namespace runner
