// The programs that the steps of one scenario started.
//
// A program belongs to the scenario, not to the actor that started it: it may outlive its actor,
// but nothing outlives the scenario. What it wrote is kept for steps that search in it, and for the
// report. Made by run_scenario; one loop, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/event.hpp"
#include "engine/scope.hpp"
#include "scenarios/outcome.hpp"
#include "scenarios/services/child_process.hpp"

namespace scenarios {

// What a program wrote to one of its streams. So much is kept: the first bytes that no search has
// passed, and beyond those only the last few, for messages. Where it is cut depends on the bytes
// alone, never on how they came.
class output_text {
 public:
  static constexpr std::size_t kept_max = std::size_t{16} << 20;
  static constexpr std::size_t last_max = 4096;

  void append(std::string_view bytes);
  /// All of it, if it is whole.
  [[nodiscard]] const std::string& kept() const { return text_; }
  [[nodiscard]] bool is_whole() const { return text_.size() == total_; }
  [[nodiscard]] std::uint64_t total() const { return total_; }
  /// Its end, at most so many bytes (last_max).
  [[nodiscard]] std::string_view last(std::size_t bytes) const;
  /// What no search has passed yet; behind it more may have been lost.
  [[nodiscard]] std::string_view rest() const { return std::string_view(text_).substr(passed_); }
  [[nodiscard]] bool has_lost() const { return lost_; }
  void pass(std::size_t bytes) { passed_ += bytes; }

 private:
  std::string text_;
  std::string last_;  // once something is lost
  std::size_t passed_ = 0;
  std::uint64_t total_ = 0;
  bool lost_ = false;
};

class scenario_process {
 public:
  explicit scenario_process(uring::loop& on);
  scenario_process(const scenario_process&) = delete;
  scenario_process& operator=(const scenario_process&) = delete;

  uring::task<std::optional<spawn_failure>> start(const launch_spec& what);
  /// SIGTERM first unless `signo` says otherwise. Must be awaited once it was started.
  uring::task<void> end(int signo, uring::duration grace);

  child_process child;
  output_text output;
  output_text errors;
  /// Set, and at once reset, whenever something was written or it has ended.
  uring::event changed;

  // For the report.
  std::string name;  // "c1/p"
  std::vector<std::string> argv;
  span at;

 private:
  uring::task<void> watch();
  void tell_change();

  bool started_ = false;
  uring::stop_source stop_watching_;
  uring::scope watcher_;
};

class process_table {
 public:
  explicit process_table(uring::loop& on) : loop_(on) {}

  /// One that is not started yet. It lives as long as the table.
  scenario_process& add();
  /// What still runs is asked to end, then killed. What could not be ended is added to `problems`.
  uring::task<void> end_all(std::vector<std::string>& problems);
  /// Those that were started, by name.
  void collect(std::vector<service_result>& into) const;

 private:
  uring::loop& loop_;
  std::vector<std::unique_ptr<scenario_process>> processes_;
};

}  // namespace scenarios
