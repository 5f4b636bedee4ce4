#include "runner/load.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include "runner/processors.hpp"
#include "runner/variables.hpp"

namespace runner {
namespace {

// Below this a thread costs more than it saves.
constexpr std::size_t files_per_thread = 16;

std::vector<shared_plan> compile_standard_input(const scenarios::compile_options& options,
                                                scenarios::diagnostics& out) {
  const auto read = scenarios::load_source("/dev/stdin", out);
  if (read == nullptr) return {};
  // Under its own name: ids and diagnostics show it, and paths in it are relative to where we are.
  return scenarios::compile_source(
      scenarios::source::from_text(standard_input, std::string(read->text())), options, out);
}

void compile_one(loaded_file& file, const scenarios::compile_options& options,
                 scenarios::diagnostics& out) {
  file.plans = file.from.path == standard_input
                   ? compile_standard_input(options, out)
                   : scenarios::compile_file(file.from.path, options, out);
}

}  // namespace

std::size_t loaded_files::plan_count() const {
  std::size_t count = 0;
  for (const loaded_file& file : files) count += file.plans.size();
  return count;
}

loaded_files load(std::span<const std::string> paths, const scenarios::compile_options& options) {
  loaded_files all;
  for (scenario_file& found : discover(paths, all.told))
    all.files.push_back({std::move(found), {}});

  std::vector<scenarios::diagnostics> told(all.files.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t at = next++; at < all.files.size(); at = next++) {
      compile_one(all.files[at], options, told[at]);
    }
  };
  std::vector<std::thread> helpers;
  const std::size_t useful = all.files.size() / files_per_thread;
  for (std::size_t n = 1; n < std::min(processor_count(), useful); ++n) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();

  for (const scenarios::diagnostics& file : told) {
    for (const scenarios::diagnostic& each : file.all()) all.told.add(each);
  }
  check_variables(all, options, all.told);
  return all;
}

}  // namespace runner
