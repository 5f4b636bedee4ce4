#include "scenarios/mask.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "scenarios/codec.hpp"

namespace scenarios {
namespace {

/// The part of the base64 of `text`, `before` bytes into a group, that no other text can change.
std::string base64_inside(std::string_view text, std::size_t before) {
  const std::string shifted = std::string(before, '\0') + std::string(text);
  const std::string whole = to_base64(shifted);
  const std::size_t first = (before * 8 + 5) / 6;
  const std::size_t last = shifted.size() * 8 / 6;
  return last > first ? whole.substr(first, last - first) : std::string();
}

class masker {
 public:
  masker(std::vector<masked_text> masks, const std::vector<redact_plan>& patterns)
      : masks_(std::move(masks)), patterns_(patterns) {
    std::ranges::sort(masks_, [](const masked_text& a, const masked_text& b) {
      return a.text.size() > b.text.size();
    });
    for (const redact_plan& each : patterns_)
      compiled_.push_back(std::make_unique<RE2>(each.pattern, RE2::Latin1));
  }

  void apply(std::string& text) const {
    for (const masked_text& mask : masks_) {
      for (std::size_t at = text.find(mask.text); at != text.npos;
           at = text.find(mask.text, at + mask.placeholder.size()))
        text.replace(at, mask.text.size(), mask.placeholder);
    }
    for (std::size_t i = 0; i < compiled_.size(); ++i)
      RE2::GlobalReplace(&text, *compiled_[i], literal(i));
  }

  void apply(std::vector<std::string>& texts) const {
    for (std::string& each : texts) apply(each);
  }

  void apply(value& of) const {
    if (of.is(value_type::text) || of.is(value_type::bytes)) {
      const bool is_text = of.is(value_type::text);
      std::string data = of.data();
      apply(data);
      of = is_text ? value::text(std::move(data)) : value::bytes(std::move(data));
    } else if (of.is(value_type::list)) {
      value::list_type items = of.items();
      for (value& each : items) apply(each);
      of = value::list(std::move(items));
    } else if (of.is(value_type::record)) {
      value::record_type fields = of.fields();
      for (field& each : fields) apply(each.content);
      of = value::record(std::move(fields));
    }
  }

  void apply(diagnostic& of) const {
    apply(of.message);
    apply(of.label);
    apply(of.notes);
    apply(of.help);
  }

  void apply(step_result& of) const {
    apply(of.note);
    apply(of.expected);
    apply(of.mechanism);
    apply(of.res_name);
    if (of.fields) apply(*of.fields);
    if (of.data) apply(*of.data);
    if (of.sent) apply(*of.sent);
    if (of.expected_data) apply(*of.expected_data);
    for (completion_event& each : of.completions)
      if (each.data) apply(*each.data);
    for (diagnostic& each : of.failures) apply(each);
    for (diagnostic& each : of.remarks) apply(each);
    for (blessing& each : of.blessings) hide(each);
  }

  /// What must not be seen must not be written either.
  void hide(blessing& of) const {
    std::string shown = of.text;
    apply(shown);
    of.hidden = shown != of.text;
    if (of.hidden) of.text.clear();
  }

  /// A secret may have come in pieces: the part of it that is in each is taken out.
  template <typename Get>
  void apply_across(std::vector<step_result>& steps, Get get) const {
    std::string whole;
    using place = std::pair<std::size_t, std::size_t>;  // step, and where its data begins
    std::vector<place> places;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const std::optional<std::string> piece = get(steps[i]);
      if (!piece) continue;
      places.emplace_back(i, whole.size());
      whole += *piece;
    }
    if (places.size() < 2) return;
    std::vector<bool> hidden(whole.size(), false);
    bool any = false;
    for (const masked_text& mask : masks_) {
      for (std::size_t at = whole.find(mask.text); at != whole.npos;
           at = whole.find(mask.text, at + 1)) {
        // What one piece holds whole is found there.
        const auto piece_of = [&](std::size_t offset) {
          return std::ranges::upper_bound(places, offset, {}, &place::second);
        };
        if (piece_of(at) == piece_of(at + mask.text.size() - 1)) continue;
        any = true;
        std::fill_n(hidden.begin() + static_cast<std::ptrdiff_t>(at), mask.text.size(), true);
      }
    }
    if (!any) return;
    for (std::size_t i = 0; i < places.size(); ++i) {
      const std::size_t begin = places[i].second;
      const std::size_t end = i + 1 < places.size() ? places[i + 1].second : whole.size();
      hide_piece(steps[places[i].first], whole, hidden, begin, end, get);
    }
  }

 private:
  std::string literal(std::size_t pattern) const {
    // In a replacement a backslash begins the number of a group.
    std::string text;
    for (const char c : patterns_[pattern].placeholder)
      text += c == '\\' ? "\\\\" : std::string(1, c);
    return text;
  }

  template <typename Get>
  static void hide_piece(step_result& step, const std::string& whole,
                         const std::vector<bool>& hidden, std::size_t begin, std::size_t end,
                         Get /*get*/) {
    std::string made;
    bool inside = false;
    for (std::size_t at = begin; at < end; ++at) {
      if (!hidden[at]) made += whole[at];
      if (hidden[at] && !inside) made += "<secret>";
      inside = hidden[at];
    }
    if (made == std::string_view(whole).substr(begin, end - begin)) return;
    Get::put(step, std::move(made));
  }

  std::vector<masked_text> masks_;
  const std::vector<redact_plan>& patterns_;
  std::vector<std::unique_ptr<RE2>> compiled_;
};

struct received {
  std::optional<std::string> operator()(const step_result& of) const {
    if (!of.data || !of.data->is(value_type::data)) return std::nullopt;
    return of.data->data();
  }
  static void put(step_result& into, std::string made) {
    into.data = value::bytes(std::move(made));
  }
};
struct sent {
  std::optional<std::string> operator()(const step_result& of) const { return of.sent; }
  static void put(step_result& into, std::string made) { into.sent = std::move(made); }
};

}  // namespace

std::optional<std::string> read_secret(const secret_plan& from, std::string& why) {
  std::string text;
  if (!from.variable.empty()) {
    const char* held = std::getenv(from.variable.c_str());
    if (held == nullptr) {
      why = fmt::format("the environment variable {} is not set", from.variable);
      return std::nullopt;
    }
    text = held;
  } else {
    diagnostics told;
    const auto read = load_source(
        (std::filesystem::path(from.at.in->name()).parent_path() / from.file).native(), told);
    if (read == nullptr) {
      why = told.all().front().message;
      return std::nullopt;
    }
    text = read->text();
    if (text.ends_with('\n')) text.pop_back();
  }
  if (text.size() >= secret_bytes_min) return text;
  why = fmt::format("it has {} bytes, and to be hidden it needs {}", text.size(), secret_bytes_min);
  return std::nullopt;
}

std::vector<masked_text> forms_of_secret(std::string_view text, const std::string& name) {
  const std::string placeholder = fmt::format("<secret:{}>", name);
  std::vector<masked_text> made;
  const auto add = [&](std::string form) {
    if (form.size() >= secret_bytes_min) made.push_back({std::move(form), placeholder});
  };
  add(std::string(text));
  std::string digits = to_hex(text);
  add(digits);
  std::ranges::transform(digits, digits.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  add(std::move(digits));
  for (std::size_t before = 0; before < 3; ++before) add(base64_inside(text, before));
  return made;
}

void apply_masks(scenario_result& to, std::vector<masked_text> masks,
                 const std::vector<redact_plan>& patterns) {
  if (masks.empty() && patterns.empty()) return;
  const masker all(std::move(masks), patterns);
  all.apply(to.skip_reason);
  all.apply(to.logs);
  all.apply(to.rerun);
  for (diagnostic& each : to.failures) all.apply(each);
  for (diagnostic& each : to.earlier_failures) all.apply(each);
  for (scenario_remark& each : to.remarks) all.apply(each.what);
  for (actor_result& actor : to.actors) {
    all.apply_across(actor.steps, received{});
    all.apply_across(actor.steps, sent{});
    for (step_result& step : actor.steps) all.apply(step);
  }
  for (std::vector<service_result>* programs : {&to.services, &to.processes}) {
    for (service_result& service : *programs) {
      all.apply(service.argv);
      all.apply(service.output_tail);
      all.apply(service.exit);
    }
  }
  for (fault_result& fault : to.faults) all.apply(fault.nearest_miss);
}

}  // namespace scenarios
