// What a sweep has done so far, as a file: `--resume PATH` goes on from it.
//
// The file belongs to the scenarios as they are written, with all the files that they are made of,
// to the settings that decide what a trial does, and to this version of the program. One of other
// content is refused, never mixed in. What steps and programs read while they run is not known.
// Trials are kept by their scenario and name, so another selection of them may share the file.
// Written whole or not at all.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "runner/sweep_plan.hpp"

namespace runner {

class sweep_state {
 public:
  /// Of these scenarios under these settings; nothing is done yet.
  sweep_state(std::string path, const std::vector<shared_plan>& of, const settings& with);

  /// Reads the file, if there is one. Returns why it can't be gone on from, or "".
  std::string read();
  /// Returns what is wrong, or "". Without a path nothing is written.
  std::string write() const;

  /// Of one trial, if it is known.
  [[nodiscard]] const trial_result* find(const std::string& scenario,
                                         const std::string& trial) const;
  void add(const std::string& scenario, const std::string& trial, const trial_result& result);

 private:
  std::string take(const nlohmann::json& all, const std::string& name);

  std::string path_;
  nlohmann::json scenarios_;  // id → digest of what it is made of
  nlohmann::json settings_;
  std::map<std::pair<std::string, std::string>, trial_result> done_;
};

}  // namespace runner
