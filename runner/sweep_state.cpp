#include "runner/sweep_state.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "runner/file_writer.hpp"
#include "scenarios/digest.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace {

using nlohmann::json;
using scenarios::in_quotes;

constexpr int format = 1;
constexpr std::string_view settings_flags =
    "--seed, --var, --deadline, --time-scale, --without-faults, --as-kernel";

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

/// Of the file, all that it includes, and the faults that it runs with.
std::string digest(const scenarios::plan& of) {
  std::string all(of.text != nullptr ? of.text->text() : std::string_view());
  for (const auto& each : of.included) {
    all += '\0';
    all += each->text();
  }
  const scenarios::evaluation made = scenarios::digest_of("sha256", all);
  // Without the algorithm the text itself is compared.
  return made ? hex(made->data()) : all;
}

json settings_node(const settings& with) {
  json vars = json::array();
  for (const auto& [name, value] : with.vars) vars.push_back({name, value});
  return {
      {"as_kernel", with.as_kernel}, {"deadline_ns", with.deadline ? with.deadline->count() : 0},
      {"seed", with.seed},           {"time_scale", with.time_scale},
      {"vars", std::move(vars)},     {"without_faults", with.without_faults}};
}

/// Throws json::exception where something is of another type.
std::optional<trial_result> result_of(const json& node) {
  const auto end = scenarios::find_trial_end(node.at("end").get<std::string>());
  if (!end) return std::nullopt;
  return trial_result{*end, node.at("why").get<std::string>(), true, node.value("varies", false)};
}

}  // namespace

sweep_state::sweep_state(std::string path, const std::vector<swept_scenario>& of,
                         const settings& with)
    : path_(std::move(path)), scenarios_(json::object()), settings_(settings_node(with)) {
  for (const swept_scenario& each : of) scenarios_[each.plan->id] = digest(*each.plan);
}

std::string sweep_state::read() {
  std::error_code error;
  if (path_.empty() || !std::filesystem::exists(path_, error)) return {};
  const std::string name = in_quotes(path_, 200);
  if (!std::filesystem::is_regular_file(path_, error))
    return fmt::format("--resume: {} is no file", name);
  std::ifstream file(path_, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  try {
    return take(json::parse(text), name);
  } catch (const json::exception&) {
    return fmt::format("--resume: {} is not the state of a sweep", name);
  }
}

std::string sweep_state::take(const json& all, const std::string& name) {
  if (all.at("sweep") != format) return fmt::format("--resume: {} is of another version", name);
  if (all.at("settings") != settings_)
    return fmt::format("--resume: {} is of a sweep with other settings ({})", name, settings_flags);
  const json& digests = all.at("scenarios");
  for (const auto& [id, own] : scenarios_.items()) {
    if (digests.contains(id) && digests[id] != own)
      return fmt::format("--resume: {} is of another content of {}; remove it to begin anew", name,
                         in_quotes(id, 200));
  }
  for (const auto& [scenario, trials] : all.at("done").items()) {
    static_cast<void>(digests.at(scenario));  // nothing is known of what has no content
    for (const auto& [trial, node] : trials.items())
      if (const auto result = result_of(node)) done_[{scenario, trial}] = *result;
  }
  // Scenarios that are not swept this time stay in the file.
  for (const auto& [id, other] : digests.items())
    if (!scenarios_.contains(id)) scenarios_[id] = other;
  return {};
}

std::string sweep_state::write() const {
  if (path_.empty()) return {};
  json done = json::object();
  for (const auto& [key, result] : done_) {
    json node{{"end", trial_end_name(result.end)}, {"why", result.why}};
    if (result.varies) node["varies"] = true;
    done[key.first][key.second] = std::move(node);
  }
  const json all{{"sweep", format},
                 {"scenarios", scenarios_},
                 {"settings", settings_},
                 {"done", std::move(done)}};
  bool exists = false;
  return create_file(path_, all.dump(1, ' ', true, json::error_handler_t::replace) + '\n', true,
                     exists);
}

const trial_result* sweep_state::find(const std::string& scenario, const std::string& trial) const {
  const auto found = done_.find({scenario, trial});
  return found == done_.end() ? nullptr : &found->second;
}

void sweep_state::add(const std::string& scenario, const std::string& trial,
                      const trial_result& result) {
  done_[{scenario, trial}] = result;
}

}  // namespace runner
