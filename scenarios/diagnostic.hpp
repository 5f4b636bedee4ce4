// What is wrong, where, and what to do about it; and how that is shown to a person.
//
// `diagnostics` collects, so that all errors of a check come at once. It is not thread safe: one
// collector per check. A diagnostic keeps its source alive and may outlive the collector.
// Nothing that is rendered can write to the terminal: control characters, escape sequences and bidi
// overrides in source lines, names and messages come out as visible text.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "scenarios/codes.hpp"
#include "scenarios/source.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {

enum class level : std::uint8_t { error, warning };

struct diagnostic {
  code id{};
  level severity = level::error;
  span where;                           ///< nowhere: rendered without the frame
  std::string message;                  ///< one line, lower case, no full stop
  std::string label;                    ///< beside the caret; may be empty
  std::vector<std::string> notes;       ///< "= note: …" each; may hold line breaks
  std::string help;                     ///< "= help: …"; may hold line breaks; may be empty
  std::shared_ptr<const source> keeps;  ///< keeps where.in alive

  diagnostic();
  diagnostic(code number, level how_bad, span place, std::string text);
  diagnostic(const diagnostic&);
  diagnostic(diagnostic&&) noexcept;
  diagnostic& operator=(const diagnostic&);
  diagnostic& operator=(diagnostic&&) noexcept;
  ~diagnostic();
};

class diagnostics {
 public:
  /// Above this many the rest is counted, not kept: a hostile file must not fill the memory.
  static constexpr std::size_t kept_max = 1000;

  /// The reference stays valid as long as the collector, so that .label, .notes, .help can be set.
  diagnostic& error(code id, span where, std::string message);
  diagnostic& warning(code id, span where, std::string message);
  /// Takes over one made elsewhere.
  diagnostic& add(diagnostic entry);

  /// A note on each of those that were kept after the first `count`: how one came there.
  void add_note_since(std::size_t count, const std::string& note);

  bool has_errors() const { return errors_ != 0; }
  /// Counts those above `kept_max` too.
  std::size_t error_count() const { return errors_; }
  std::size_t warning_count() const { return warnings_; }
  /// How many were counted but not kept.
  std::size_t dropped_count() const { return dropped_; }
  bool empty() const { return errors_ == 0 && warnings_ == 0; }

  /// In the order in which they were added.
  const std::deque<diagnostic>& all() const { return entries_; }
  /// By file, then offset, then order of arrival; exact duplicates once; those without a place
  /// first.
  std::vector<diagnostic> sorted() const;

 private:
  std::deque<diagnostic> entries_;
  diagnostic overflow_;
  std::size_t errors_ = 0;
  std::size_t warnings_ = 0;
  std::size_t dropped_ = 0;
};

struct render_style {
  bool color = false;
};

/// Several lines, each ended by '\n', no line wider than about 100 columns of source.
std::string render(const diagnostic& entry, const render_style& style = {});
/// sorted(), each rendered, with an empty line between.
std::string render(const diagnostics& entries, const render_style& style = {});

}  // namespace scenarios
