#include "scenarios/mask.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <utility>

namespace scenarios {
namespace {

constexpr std::string_view part_placeholder = "<secret>";
/// Of all widths to which something is described.
constexpr std::size_t described_width_min = 16;
constexpr std::size_t described_width_max = 200;

/// Data in which a secret may begin or end.
struct piece {
  step_result* step;
  std::string text;
  std::function<void(std::string)> put;
  std::vector<diagnostic*> told;  // of this step
};

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
    scenarios::hide(text, masks_);
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
    of.hidden = of.hidden || shown != of.text;
    if (of.hidden) of.text.clear();
  }

  /// What was written before it was cut off.
  void apply_to_tail(std::string& text) const {
    hide_end_at_beginning(text, masks_);
    apply(text);
  }

  /// A secret may have come in pieces: the part of it that is in each is taken out, and so is the
  /// beginning of one that has not come as a whole.
  void apply_across(const std::vector<piece>& pieces) const {
    std::string whole;
    for (const piece& each : pieces) whole += each.text;
    const std::vector<bool> hidden = hidden_in(whole, pieces);
    std::size_t begin = 0;
    for (const piece& each : pieces) {
      hide_piece(each, hidden, begin);
      begin += each.text.size();
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

  std::vector<bool> hidden_in(const std::string& whole, const std::vector<piece>& pieces) const {
    std::vector<std::size_t> begins;
    for (std::size_t at = 0; const piece& each : pieces) {
      begins.push_back(at);
      at += each.text.size();
    }
    std::vector<bool> hidden(whole.size(), false);
    for (const masked_text& mask : masks_) {
      if (mask.described) continue;
      for (std::size_t at = whole.find(mask.text); at != whole.npos;
           at = whole.find(mask.text, at + 1)) {
        // What one piece holds whole is found there.
        const auto piece_of = [&](std::size_t offset) {
          return std::ranges::upper_bound(begins, offset);
        };
        if (piece_of(at) == piece_of(at + mask.text.size() - 1)) continue;
        std::fill_n(hidden.begin() + static_cast<std::ptrdiff_t>(at), mask.text.size(), true);
      }
    }
    std::fill_n(hidden.rbegin(), beginning_at_end(whole, masks_), true);
    return hidden;
  }

  void hide_piece(const piece& of, const std::vector<bool>& hidden, std::size_t begin) const {
    std::string made;
    std::vector<std::string> parts;
    bool inside = false;
    for (std::size_t i = 0; i < of.text.size(); ++i) {
      if (!hidden[begin + i]) {
        made += of.text[i];
      } else {
        if (!inside) {
          made += part_placeholder;
          parts.emplace_back();
        }
        parts.back() += of.text[i];
      }
      inside = hidden[begin + i];
    }
    if (parts.empty()) return;
    for (blessing& each : of.step->blessings) {
      each.hidden = true;
      each.text.clear();
    }
    relabel(of, made, parts);
    of.put(std::move(made));
  }

  /// What has been said about the data of a step, of which a part is now hidden.
  static void relabel(const piece& of, const std::string& is,
                      const std::vector<std::string>& parts) {
    std::vector<masked_text> descriptions;
    for (std::size_t width = described_width_min; width <= described_width_max; ++width) {
      std::string said = describe_data(of.text, width);
      if (descriptions.empty() || descriptions.back().text != said)
        descriptions.push_back({std::move(said), describe_data(is, width)});
    }
    std::vector<masked_text> forms;
    for (const std::string& part : parts) {
      for (masked_text& form : forms_of_part(part, std::string(part_placeholder)))
        forms.push_back(std::move(form));
    }
    const auto relabel_text = [&](std::string& text) {
      hide_whole(text, descriptions);
      scenarios::hide(text, forms);
    };
    for (diagnostic* told : of.told) {
      relabel_text(told->message);
      relabel_text(told->label);
      for (std::string& note : told->notes) relabel_text(note);
    }
  }

  std::vector<masked_text> masks_;
  const std::vector<redact_plan>& patterns_;
  std::vector<std::unique_ptr<RE2>> compiled_;
};

/// All data that an actor had, in the order in which it came: what steps received, what they sent,
/// and what single completions brought.
std::array<std::vector<piece>, 3> pieces_of(actor_result& actor,
                                            std::vector<scenario_remark>& remarks) {
  std::array<std::vector<piece>, 3> all;
  auto& [received, sent, completed] = all;
  for (step_result& step : actor.steps) {
    std::vector<diagnostic*> told;
    for (std::vector<diagnostic>* each : {&step.failures, &step.remarks})
      for (diagnostic& one : *each) told.push_back(&one);
    for (scenario_remark& each : remarks)
      if (each.actor == actor.name && each.path == step.path) told.push_back(&each.what);
    if (step.data && step.data->is(value_type::data)) {
      const auto put = [&to = *step.data](std::string made) { to = value::bytes(std::move(made)); };
      received.push_back({&step, step.data->data(), put, told});
    }
    const auto add = [&](std::vector<piece>& to, std::string& text) {
      to.push_back({&step, text, [&text](std::string made) { text = std::move(made); }, told});
    };
    if (step.sent) add(sent, *step.sent);
    for (completion_event& each : step.completions)
      if (each.data) add(completed, *each.data);
  }
  return all;
}

}  // namespace

void apply_masks(scenario_result& to, std::vector<masked_text> masks,
                 const std::vector<redact_plan>& patterns) {
  if (masks.empty() && patterns.empty()) return;
  const masker all(std::move(masks), patterns);
  all.apply(to.skip_reason);
  all.apply(to.logs);
  all.apply(to.rerun);
  for (diagnostic& each : to.failures) all.apply(each);
  for (diagnostic& each : to.earlier_failures) all.apply(each);
  for (actor_result& actor : to.actors) {
    for (const std::vector<piece>& pieces : pieces_of(actor, to.remarks)) all.apply_across(pieces);
    for (step_result& step : actor.steps) all.apply(step);
  }
  for (scenario_remark& each : to.remarks) all.apply(each.what);
  for (std::vector<service_result>* programs : {&to.services, &to.processes}) {
    for (service_result& service : *programs) {
      all.apply(service.argv);
      all.apply_to_tail(service.output_tail);
      all.apply(service.exit);
    }
  }
  for (fault_result& fault : to.faults) {
    all.apply(fault.nearest_miss);
    all.apply(fault.expected);
  }
  all.apply(to.resolved_faults);
}

}  // namespace scenarios
