#include "runner/sweep_state.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

#include "runner/file_writer.hpp"
#include "scenarios/digest.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace {

using nlohmann::json;
using scenarios::in_quotes;

constexpr int format = 2;
constexpr std::string_view settings_flags =
    "--seed, --var, --deadline, --time-scale, --without-faults, --as-kernel, --ring-mode, "
    "--ring-entries";
constexpr std::string_view remedy = "remove it to begin anew";

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

std::string digest(std::string_view text) {
  const scenarios::evaluation made = scenarios::digest_of("sha256", text);
  // Without the algorithm the text itself is compared.
  return made ? hex(made->data()) : std::string(text);
}

/// Of the file, all that it includes, and the data that it holds of other files.
class content_digests {
 public:
  std::string of(const scenarios::plan& plan) {
    std::string all(plan.text != nullptr ? plan.text->text() : std::string_view());
    for (const auto& each : plan.included) {
      all += '\0';
      all += each->text();
    }
    for (const std::string& path : plan.read_files) {
      all += '\0';
      all += of_file(path);
    }
    return digest(all);
  }

 private:
  /// Cases of one scenario hold the same files.
  const std::string& of_file(const std::string& path) {
    const auto [found, is_new] = known_.try_emplace(path);
    if (is_new) {
      std::ifstream file(path, std::ios::binary);
      std::ostringstream text;
      if (file) text << file.rdbuf();
      found->second = path + '\0' + digest(text.view());
    }
    return found->second;
  }

  std::map<std::string, std::string> known_;
};

json settings_node(const settings& with) {
  json vars = json::array();
  for (const auto& [name, value] : with.vars) vars.push_back({name, value});
  return {{"as_kernel", with.as_kernel},
          {"deadline_ns", with.deadline ? with.deadline->count() : 0},
          {"ring_entries", with.ring_entries},
          {"ring_mode", uring::ring_mode_name(with.ring_mode)},
          {"seed", with.seed},
          {"time_scale", with.time_scale},
          {"vars", std::move(vars)},
          {"without_faults", with.without_faults}};
}

/// Throws json::exception where something is of another type.
std::optional<trial_result> result_of(const json& node) {
  const auto end = scenarios::find_trial_end(node.at("end").get<std::string>());
  if (!end) return std::nullopt;
  return trial_result{*end, node.at("why").get<std::string>(), true, node.value("varies", false)};
}

}  // namespace

sweep_state::sweep_state(std::string path, const std::vector<shared_plan>& of, const settings& with)
    : path_(std::move(path)), scenarios_(json::object()), settings_(settings_node(with)) {
  if (path_.empty()) return;
  content_digests digests;
  for (const shared_plan& each : of) scenarios_[each->id] = digests.of(*each);
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
  if (all.at("sweep") != format)
    return fmt::format("--resume: {} has another layout than this version writes; {}", name,
                       remedy);
  const auto version = all.at("version").get<std::string>();
  if (version != URING_VERSION)
    return fmt::format("--resume: {} is of uring-scenario {}, and this is {}; {}", name,
                       in_quotes(version), URING_VERSION, remedy);
  if (all.at("settings") != settings_)
    return fmt::format("--resume: {} is of a sweep with other settings ({}); {}", name,
                       settings_flags, remedy);
  const json& digests = all.at("scenarios");
  for (const auto& [id, own] : scenarios_.items()) {
    if (digests.contains(id) && digests[id] != own)
      return fmt::format(
          "--resume: {} is of another content of {}, or of a file that is part of it; {}", name,
          in_quotes(id, 200), remedy);
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
                 {"version", URING_VERSION},
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
