#include "runner/report_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>
#include <set>

#include "reports/writer.hpp"
#include "runner/output.hpp"
#include "scenarios/visible.hpp"

namespace runner {

namespace fs = std::filesystem;
using reports::report_request;

namespace {

constexpr const char* standard_output = "-";

// One name for one file, however it is written.
std::string identity(const std::string& path) {
  if (path == standard_output) return path;
  std::error_code error;
  // Of a relative path of which nothing exists, weakly_canonical() would make no absolute one.
  const fs::path real = fs::weakly_canonical(fs::absolute(path, error), error);
  return error ? path : real.string();
}

// What stands in the way of writing there, or "".
std::string obstacle(const std::string& path) {
  const fs::path target(identity(path));
  std::error_code error;
  const fs::file_status status = fs::status(target, error);
  if (fs::is_directory(status)) return "it is a directory; name a file in it";
  const bool replaced = !fs::exists(status) || fs::is_regular_file(status);
  // A regular file is replaced by a new one, which takes a directory that may be written to.
  const std::string asked = replaced ? target.parent_path().string() : target.string();
  if (replaced && !fs::is_directory(asked, error)) {
    return fmt::format("there is no directory {}; make it first",
                       scenarios::in_quotes(asked, PATH_MAX));
  }
  if (::access(asked.c_str(), replaced ? W_OK | X_OK : W_OK) == 0) return {};
  return fmt::format("{}; choose a place that may be written to", std::strerror(errno));
}

}  // namespace

std::string conflicting_reports(report_requests all) {
  std::set<std::string> seen;
  for (const report_request& each : all) {
    if (seen.insert(identity(each.path)).second) continue;
    return fmt::format("--report: two reports go to {}",
                       each.path == standard_output ? "standard output; give one of them a path"
                                                    : scenarios::in_quotes(each.path, PATH_MAX));
  }
  return {};
}

std::optional<std::string> unwritable_report(report_requests all) {
  for (const report_request& each : all) {
    if (each.path == standard_output) continue;
    const std::string why = obstacle(each.path);
    if (why.empty()) continue;
    return fmt::format("cannot write the {} report to {}: {}", each.format->name,
                       scenarios::in_quotes(each.path, PATH_MAX), why);
  }
  return std::nullopt;
}

bool any_to_standard_output(report_requests all) {
  return std::ranges::find(all, standard_output, &report_request::path) != all.end();
}

bool any_to_file(report_requests all, const std::string& path) {
  return std::ranges::any_of(all, [&](const report_request& each) {
    return each.path != standard_output && identity(each.path) == identity(path);
  });
}

bool write_reports(report_requests all, const scenarios::suite_result& of) {
  bool written = true;
  for (const report_request& each : all) {
    const auto problem = reports::write_report(each.format->name, each.path, each.format->make(of));
    if (!problem) continue;
    complain(*problem);
    written = false;
  }
  return written;
}

}  // namespace runner
