#include "scenarios/capture.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <nlohmann/json.hpp>

#include "scenarios/json_value.hpp"

namespace scenarios {
namespace {

evaluation by_regex(const capture_plan& what, const std::string& data) {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_log_errors(false);
  options.set_dot_nl(true);
  const RE2 pattern(what.pattern, options);
  const int groups = what.group + 1;
  std::vector<re2::StringPiece> found(static_cast<std::size_t>(groups));
  if (!pattern.Match(data, 0, data.size(), RE2::UNANCHORED, found.data(), groups)) {
    return evaluation::failure("the pattern does not match");
  }
  const re2::StringPiece& group = found[static_cast<std::size_t>(what.group)];
  return value::bytes(std::string(group.data(), group.size()));
}

evaluation by_pointer(const capture_plan& what, const std::string& data) {
  if (is_json_too_deep(data)) return evaluation::failure("the JSON is nested too deeply");
  const auto parsed = nlohmann::json::parse(data, nullptr, false);
  if (parsed.is_discarded()) return evaluation::failure("the data is not JSON");
  const nlohmann::json::json_pointer pointer(what.pattern);
  if (!parsed.contains(pointer)) return evaluation::failure("the JSON has no " + what.pattern);
  return to_value(parsed[pointer]);
}

evaluation by_offset(const capture_plan& what, const std::string& data, const environment& env) {
  evaluation offset = what.offset.eval(env);
  evaluation length = what.length.eval(env);
  if (!offset) return offset;
  if (!length) return length;
  const auto at = static_cast<std::uint64_t>(offset->integer());
  const auto count = static_cast<std::uint64_t>(length->integer());
  if (at > data.size() || count > data.size() - at) {
    return evaluation::failure(
        fmt::format("{} bytes at {} are beyond the {} that there are", count, at, data.size()));
  }
  return value::bytes(data.substr(at, count));
}

}  // namespace

evaluation take_capture(const capture_plan& what, const step_end& end, const environment& env) {
  static const std::string none;
  const std::string& data = end.data ? *end.data : none;
  switch (what.from) {
    case capture_plan::source_kind::res:
      return value(end.res);
    case capture_plan::source_kind::data:
      return value::bytes(data);
    case capture_plan::source_kind::regex:
      return by_regex(what, data);
    case capture_plan::source_kind::json:
      return by_pointer(what, data);
    case capture_plan::source_kind::at:
      return by_offset(what, data, env);
    case capture_plan::source_kind::field:
      if (const value* found = end.fields ? end.fields->find(what.pattern) : nullptr) return *found;
      return evaluation::failure("the kernel filled in no " + what.pattern);
  }
  return evaluation::failure("unknown kind of capture");
}

}  // namespace scenarios
