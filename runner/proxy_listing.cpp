#include "runner/proxy_listing.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "scenarios/counted.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace {

using object = nlohmann::ordered_json;
using scenarios::counted;
using scenarios::visible;

std::uint64_t number_of(const object& from, const char* key) {
  const auto found = from.find(key);
  return found != from.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string text_of(const object& from, const char* key) {
  const auto found = from.find(key);
  return found != from.end() && found->is_string() ? visible(found->get<std::string>())
                                                   : std::string();
}

std::string times(std::uint64_t n) {
  return counted(n, "time");
}

/// What could not be done: by its errno where that is told.
std::string trouble_lines(const object& of) {
  static constexpr std::string_view words[] = {"the server could not be dialled",
                                               "connections could not be accepted"};
  std::string out;
  if (const auto all = of.find("troubles"); all != of.end() && all->is_array()) {
    for (const object& each : *all) {
      if (!each.is_object()) continue;
      out += fmt::format("    {}: {}, {}\n", words[text_of(each, "what") == "dial" ? 0 : 1],
                         times(number_of(each, "times")), text_of(each, "errno"));
    }
    return out;
  }
  const std::uint64_t counts[] = {number_of(of, "dial_failures"), number_of(of, "accept_failures")};
  for (std::size_t i = 0; i < std::size(words); ++i)
    if (counts[i] != 0) out += fmt::format("    {}: {}\n", words[i], times(counts[i]));
  return out;
}

std::string proxy_lines(const std::string& name, const object& of) {
  std::string out = visible(name);
  if (const std::string listen = text_of(of, "listen"); !listen.empty())
    out += fmt::format("  {} → {}", listen, text_of(of, "to"));
  const std::uint64_t all = number_of(of, "connections");
  out += fmt::format("\n    {}, {} open; {} to the server, {} to the client\n",
                     counted(all, "connection"), number_of(of, "active"),
                     counted(number_of(of, "to_server"), "byte"), number_of(of, "to_client"));
  return out + trouble_lines(of);
}

/// What the fault says beside its name and type: {"latency":"100ms"}.
std::string parameters_of(const object& of) {
  const auto written = of.find("fault");
  if (written == of.end() || !written->is_object()) return {};
  object rest = object::object();
  for (const auto& [key, value] : written->items())
    if (key != "id" && key != "type") rest[key] = value;
  if (rest.empty()) return {};
  return "  " + visible(rest.dump(-1, ' ', false, object::error_handler_t::replace));
}

std::string fault_lines(const std::string& id, const object& of) {
  std::string out = visible(id);
  if (const std::string type = text_of(of, "type"); !type.empty()) out += "  " + type;
  out += parameters_of(of);
  if (const auto healed = of.find("healed");
      healed != of.end() && healed->is_boolean() && healed->get<bool>())
    out += "  (healed)";
  return out + fmt::format("\n    fired {}, observed {}; {}, {} matched\n", number_of(of, "fired"),
                           number_of(of, "observed"),
                           counted(number_of(of, "candidates"), "candidate"),
                           number_of(of, "matched"));
}

}  // namespace

std::string proxy_listing(const object& answer) {
  std::string out = "proxies:\n";
  if (const auto proxies = answer.find("proxies"); proxies != answer.end())
    for (const auto& [name, of] : proxies->items()) out += "  " + proxy_lines(name, of);
  const auto faults = answer.find("faults");
  if (faults == answer.end() || faults->empty()) return out + "no faults\n";
  out += "faults:\n";
  for (const auto& [id, of] : faults->items()) out += "  " + fault_lines(id, of);
  return out;
}

}  // namespace runner
