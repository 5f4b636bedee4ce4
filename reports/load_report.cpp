#include "reports/load_report.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "reports/json.hpp"
#include "scenarios/visible.hpp"

namespace reports {

using nlohmann::json;

namespace {

constexpr std::size_t depth_max = 200;

/// Builds the tree as nlohmann_json's own parser does, but for the members named `volatile`. Its
/// parser's callback can leave them out, too; that takes the square of a list's length.
class tree_builder : public json::json_sax_t {
 public:
  explicit tree_builder(detail keep) : keep_volatile_(keep == detail::all) {}

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (skipping_ > 0) return true;
    skip_next_ = !keep_volatile_ && name == "volatile";
    if (!skip_next_) member_ = &(*open_.back())[name];
    return true;
  }
  bool parse_error(std::size_t at, const std::string&, const json::exception& what) override {
    error = fmt::format("is not JSON (byte {}: {})", at, scenarios::visible(what.what()));
    return false;
  }

  json tree;
  std::string error;

 private:
  template <typename Value>
  bool add(Value&& value) {
    if (skipping_ > 0) return true;
    if (std::exchange(skip_next_, false)) return true;
    *place() = std::forward<Value>(value);
    return true;
  }

  /// Where the next value goes.
  json* place() {
    if (open_.empty()) return &tree;
    if (member_ != nullptr) return std::exchange(member_, nullptr);
    return &open_.back()->emplace_back();
  }

  bool open(json empty) {
    if (skipping_ > 0 || std::exchange(skip_next_, false)) {
      ++skipping_;
      return true;
    }
    if (open_.size() == depth_max) {
      error = fmt::format("is nested more than {} levels deep; that is no report", depth_max);
      return false;
    }
    json* const at = place();
    *at = std::move(empty);
    open_.push_back(at);
    return true;
  }

  bool close() {
    if (skipping_ > 0) {
      --skipping_;
    } else {
      open_.pop_back();
    }
    return true;
  }

  bool keep_volatile_;
  std::vector<json*> open_;   // from the outermost
  json* member_ = nullptr;    // the value that the last key is for
  bool skip_next_ = false;    // the next value is what is left out,
  std::size_t skipping_ = 0;  // and may hold others
};

/// Why the tree is none of our reports; empty when it is one.
std::string refusal(const json& tree) {
  const auto is_ours = [&] {
    return tree.is_object() && tree.value("tool", json()) == report_tool;
  };
  if (!is_ours()) {
    return "is no report of uring-scenario; make one with --report json=PATH";
  }
  const json format = tree.value("format", json());
  if (!format.is_number_integer() || format < 1) return "has no report format; is it damaged?";
  if (format > report_format_version) {
    return fmt::format("has report format {}, and this version reads up to {}; use a newer one",
                       format.dump(), report_format_version);
  }
  const json& list = tree.contains("scenarios") ? tree["scenarios"] : tree["format"];
  return list.is_array() ? "" : "has no list of scenarios; is it damaged?";
}

/// Nothing and errno on failure.
std::optional<std::string> read_all(int fd) {
  std::string text;
  std::array<char, 1U << 16U> chunk{};
  while (true) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

loaded_report parse_report(const std::string& name, const std::string& text, detail keep) {
  tree_builder builder(keep);
  const bool parsed = json::sax_parse(text, &builder);
  std::string error = parsed ? refusal(builder.tree) : builder.error;
  if (!error.empty()) return {{}, fmt::format("{} {}", scenarios::in_quotes(name, 200), error)};
  return {std::move(builder.tree), {}};
}

loaded_report load_report(const std::string& path, detail keep) {
  const bool input = path == "-";
  const int fd = input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const auto text = fd < 0 ? std::nullopt : read_all(fd);
  const int failed = errno;
  if (!input && fd >= 0) ::close(fd);
  const std::string name = input ? "standard input" : path;
  if (text) return parse_report(name, *text, keep);
  return {
      {},
      fmt::format("cannot read {}: {}", scenarios::in_quotes(name, 200), std::strerror(failed))};
}

}  // namespace reports
