#include "scenarios/json_value.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace scenarios {

bool is_json_too_deep(std::string_view octets) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    const char c = octets[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth >= max_value_depth) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

value to_value(const nlohmann::json& j) {
  switch (j.type()) {
    case nlohmann::json::value_t::boolean:
      return value(j.get<bool>());
    case nlohmann::json::value_t::number_integer:
      return value(j.get<std::int64_t>());
    case nlohmann::json::value_t::number_unsigned:
      if (j.get<std::uint64_t>() > INT64_MAX) return value::text(j.dump());
      return value(j.get<std::int64_t>());
    case nlohmann::json::value_t::string:
      return value::text(j.get<std::string>());
    case nlohmann::json::value_t::array: {
      value::list_type items;
      for (const auto& each : j) items.push_back(to_value(each));
      return value::list(std::move(items));
    }
    case nlohmann::json::value_t::object: {
      value::record_type fields;
      for (const auto& [name, each] : j.items()) fields.push_back({name, to_value(each)});
      return value::record(std::move(fields));
    }
    case nlohmann::json::value_t::null:
      return {};
    case nlohmann::json::value_t::number_float:
      return value::decimal(j.get<double>());
    default:
      return value::text(j.dump());
  }
}

evaluation parse_json(std::string_view octets) {
  if (is_json_too_deep(octets)) return evaluation::failure("the JSON is nested too deeply");
  try {
    return to_value(nlohmann::json::parse(octets));
  } catch (const nlohmann::json::out_of_range&) {
    return evaluation::failure("the JSON has a number that is beyond those of double precision");
  } catch (const nlohmann::json::exception&) {
    return evaluation::failure("the data is not JSON");
  }
}

}  // namespace scenarios
