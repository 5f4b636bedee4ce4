#include "runner/bless.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "runner/discovery.hpp"
#include "scenarios/counted.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace {

using scenarios::blessing;
using scenarios::visible;

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr std::size_t shown_columns = 60;

/// A value in a scenario, by its offsets.
using place = std::pair<std::uint32_t, std::uint32_t>;
struct edits {
  const scenarios::source* of = nullptr;
  std::map<place, std::string> texts;
};

std::string shortened(std::string_view text) {
  std::string made = visible(text.substr(0, shown_columns));
  return text.size() > shown_columns ? made + "…" : made;
}

std::optional<std::string> contents(const std::string& path) {
  std::ifstream from(path, std::ios::binary);
  if (!from) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(from), {});
}

/// "" or what went wrong. A link stays one: what it leads to is replaced.
std::string replace_file(const std::string& path, std::string_view bytes) {
  std::error_code ignored;
  const std::filesystem::path real = std::filesystem::weakly_canonical(path, ignored);
  const std::string target = real.empty() ? path : real.native();
  struct stat about{};
  const bool exists = ::stat(target.c_str(), &about) == 0;
  std::string temporary = target + ".XXXXXX";
  const int fd = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return std::strerror(errno);
  const auto failed = [&](int error) {
    ::close(fd);
    ::unlink(temporary.c_str());
    return std::string(std::strerror(error));
  };
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed(errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  constexpr mode_t usual = 0644;
  if (::fchmod(fd, exists ? about.st_mode & 07777U : usual) != 0) return failed(errno);
  if (::rename(temporary.c_str(), target.c_str()) != 0) return failed(errno);
  ::close(fd);
  return {};
}

/// Gathers what is to be written, finds contradictions, and writes.
class blesser {
 public:
  void take(const scenarios::scenario_result& from);
  blessed_files write();

 private:
  void add(const blessing& one, const std::string& id);
  void write_golden(const std::string& path, const std::string& bytes);
  void write_source(const std::string& path, const edits& of);
  void refuse(std::string why) { made_.refused.push_back(std::move(why)); }

  std::map<std::string, std::string> golden_;
  std::map<std::string, edits> sources_;
  std::vector<std::shared_ptr<const scenarios::source>> kept_;
  blessed_files made_;
};

void blesser::take(const scenarios::scenario_result& from) {
  std::vector<const blessing*> all;
  for (const auto& actor : from.actors)
    for (const auto& step : actor.steps)
      for (const blessing& each : step.blessings) all.push_back(&each);
  if (all.empty()) return;
  if (from.result != scenarios::verdict::passed) {
    made_.told +=
        fmt::format("not blessed: {} ended as {}\n", visible(from.id), verdict_name(from.result));
    return;
  }
  for (const blessing* each : all) add(*each, from.id);
}

void blesser::add(const blessing& one, const std::string& id) {
  kept_.push_back(one.keeps);
  if (one.hidden) {
    const scenarios::position where = one.where.in->locate(one.where.begin);
    refuse(
        fmt::format("{}:{}:{}: {} would write a secret there, or what is redacted; nothing is "
                    "written",
                    visible(one.where.in->name()), where.line, where.column, visible(id)));
    return;
  }
  if (!one.golden.empty()) {
    const auto [at, is_new] = golden_.emplace(one.golden, one.text);
    if (!is_new && at->second != one.text)
      refuse(
          fmt::format("{}: {} would write something else there than a run before it; nothing is "
                      "written",
                      visible(one.golden), visible(id)));
    return;
  }
  edits& of = sources_[one.where.in->name()];
  of.of = one.where.in;
  const auto [at, is_new] = of.texts.emplace(place{one.where.begin, one.where.end}, one.text);
  if (!is_new && at->second != one.text) {
    const scenarios::position where = one.where.in->locate(one.where.begin);
    refuse(fmt::format("{}:{}:{}: {} would write {}, another run {}; nothing is written",
                       visible(one.where.in->name()), where.line, where.column, visible(id),
                       shortened(one.text), shortened(at->second)));
  }
}

void blesser::write_golden(const std::string& path, const std::string& bytes) {
  if (contents(path) == bytes) return;
  if (const std::string wrong = replace_file(path, bytes); !wrong.empty()) {
    refuse(fmt::format("{}: not written: {}", visible(path), wrong));
    made_.not_written = true;
    return;
  }
  made_.told +=
      fmt::format("blessed {}: {}\n", visible(path), scenarios::counted(bytes.size(), "byte"));
}

void blesser::write_source(const std::string& path, const edits& of) {
  if (path == standard_input) {
    refuse("standard input cannot be rewritten");
    return;
  }
  const std::optional<std::string> now = contents(path);
  const std::string_view before = of.of->text();
  const bool marked = now && now->starts_with(byte_order_mark);
  const std::string_view rest =
      now ? std::string_view(*now).substr(marked ? byte_order_mark.size() : 0) : "";
  if (!now || rest != before) {
    refuse(fmt::format("{}: not written: it has changed since it was read", visible(path)));
    made_.not_written = true;
    return;
  }
  std::string text(before);
  for (auto at = of.texts.rbegin(); at != of.texts.rend(); ++at)
    text.replace(at->first.first, at->first.second - at->first.first, at->second);
  if (marked) text.insert(0, byte_order_mark);
  if (const std::string wrong = replace_file(path, text); !wrong.empty()) {
    refuse(fmt::format("{}: not written: {}", visible(path), wrong));
    made_.not_written = true;
    return;
  }
  for (const auto& [where, wanted] : of.texts) {
    const scenarios::position at = of.of->locate(where.first);
    made_.told += fmt::format("blessed {}:{}:{}: {} → {}\n", visible(path), at.line, at.column,
                              shortened(before.substr(where.first, where.second - where.first)),
                              shortened(wanted));
  }
}

blessed_files blesser::write() {
  // With a contradiction nobody knows which of the others are right.
  if (!made_.refused.empty()) return std::move(made_);
  for (const auto& [path, bytes] : golden_) write_golden(path, bytes);
  for (const auto& [path, of] : sources_) write_source(path, of);
  return std::move(made_);
}

}  // namespace

blessed_files bless_results(const scenarios::suite_result& of) {
  blesser all;
  for (const scenarios::scenario_result& each : of.scenarios) all.take(each);
  return all.write();
}

}  // namespace runner
