#include "scenarios/diagnostic.hpp"

#include <fmt/color.h>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

#include "scenarios/remedy.hpp"

namespace scenarios {

diagnostic& diagnostics::error(code id, span where, std::string message) {
  return add(diagnostic(id, level::error, where, std::move(message)));
}

diagnostic& diagnostics::warning(code id, span where, std::string message) {
  return add(diagnostic(id, level::warning, where, std::move(message)));
}

diagnostic& diagnostics::add(diagnostic entry) {
  ++(entry.severity == level::error ? errors_ : warnings_);
  if (entry.where.in != nullptr && entry.keeps == nullptr) {
    entry.keeps = entry.where.in->weak_from_this().lock();
  }
  if (entries_.size() < kept_max) return entries_.emplace_back(std::move(entry));
  ++dropped_;
  overflow_ = std::move(entry);
  return overflow_;
}

void diagnostics::add_note_since(std::size_t count, const std::string& note) {
  for (; count < entries_.size(); ++count) entries_[count].notes.push_back(note);
}

namespace {

/// Where an entry is shown; two loads of one file are the same place.
using place = std::tuple<bool, std::string_view, std::uint32_t>;

place place_of(const diagnostic& entry) {
  const source* in = entry.where.in;
  if (in == nullptr) return {false, {}, 0};
  return {true, in->name(), entry.where.begin};
}

bool same(const diagnostic& a, const diagnostic& b) {
  return place_of(a) == place_of(b) && a.where.end == b.where.end && a.id == b.id &&
         a.severity == b.severity && a.message == b.message && a.label == b.label &&
         a.notes == b.notes && a.help == b.help;
}

}  // namespace

std::vector<diagnostic> diagnostics::sorted() const {
  // The order of arrival is part of the key: libstdc++'s stable_sort does not compile without
  // deprecation warnings under clang.
  std::vector<std::pair<place, std::size_t>> order;
  order.reserve(entries_.size());
  for (const diagnostic& entry : entries_) order.emplace_back(place_of(entry), order.size());
  std::ranges::sort(order);
  std::vector<diagnostic> out;
  std::size_t group = 0;  // the first of those at this place: a duplicate is among them
  for (const auto& [at, arrival] : order) {
    if (group < out.size() && place_of(out[group]) != at) group = out.size();
    const auto twin = [&](const diagnostic& other) { return same(other, entries_[arrival]); };
    if (std::none_of(out.begin() + static_cast<std::ptrdiff_t>(group), out.end(), twin)) {
      out.push_back(entries_[arrival]);
    }
  }
  return out;
}

namespace {

constexpr std::size_t columns_max = 100;
constexpr std::size_t columns_before_caret = 40;
// More than this beside the caret is never shown, so lines of megabytes cost nothing.
constexpr std::size_t context_bytes = 8 * columns_max;
constexpr std::string_view tab = "    ";
constexpr std::string_view cut_mark = "…";

struct palette {
  bool on;

  std::string paint(std::string_view text, fmt::text_style style) const {
    return on ? fmt::format(style, "{}", text) : std::string(text);
  }
  std::string strong(std::string_view text) const { return paint(text, fmt::emphasis::bold); }
  std::string frame(std::string_view text) const {
    return paint(text, fmt::emphasis::bold | fmt::fg(fmt::terminal_color::bright_blue));
  }
  std::string alarm(std::string_view text, level severity) const {
    const auto hue = severity == level::error ? fmt::terminal_color::bright_red
                                              : fmt::terminal_color::bright_yellow;
    return paint(text, fmt::emphasis::bold | fmt::fg(hue));
  }
};

/// A source line as shown, and where the caret stands under it, in terminal columns.
struct excerpt {
  std::string text;
  std::size_t caret_begin = 0;
  std::size_t caret_width = 1;
};

/// The bytes of one line around a marked range, as glyphs.
class shown_line {
 public:
  shown_line(std::string_view line, std::size_t mark_begin, std::size_t mark_end) {
    std::size_t at = mark_begin > context_bytes ? mark_begin - context_bytes : 0;
    // Never begin inside a code point, nor inside what was meant as one.
    while (at < mark_begin && (static_cast<unsigned char>(line[at]) & 0xC0U) == 0x80U) ++at;
    cut_left_ = at > 0;
    const std::size_t stop = std::min(line.size(), mark_begin + context_bytes);
    for (; at < stop; at += glyphs_.back().bytes) {
      if (at < mark_begin) mark_first_ = glyphs_.size() + 1;
      if (at < mark_end) mark_last_ = glyphs_.size() + 1;
      glyphs_.push_back(line[at] == '\t' ? glyph{std::string(tab), tab.size(), 1}
                                         : glyph_at(line, at));
    }
    cut_right_ = at < line.size();
    mark_last_ = std::max(mark_first_, mark_last_);
  }

  excerpt cut() const {
    const bool whole = !cut_left_ && !cut_right_ && width(0, glyphs_.size()) <= columns_max;
    const std::size_t first = whole ? 0 : first_shown();
    excerpt out;
    std::size_t used = 0;
    if (first > 0 || cut_left_) {
      out.text = cut_mark;
      used = 1;
    }
    out.caret_begin = used + width(first, mark_first_);
    std::size_t last = first;
    for (; last < glyphs_.size(); ++last) {
      if (!whole && used + glyphs_[last].width >= columns_max) break;
      used += glyphs_[last].width;
      out.text += glyphs_[last].text;
    }
    if (last < glyphs_.size() || cut_right_) out.text += cut_mark;
    const std::size_t marked =
        width(mark_first_, std::min(mark_last_, std::max(last, mark_first_)));
    out.caret_width = std::max<std::size_t>(1, marked);
    return out;
  }

 private:
  std::size_t width(std::size_t from, std::size_t to) const {
    std::size_t sum = 0;
    for (; from < to; ++from) sum += glyphs_[from].width;
    return sum;
  }

  /// The start of the line if the whole mark fits then, else a little before the mark.
  std::size_t first_shown() const {
    if (!cut_left_ && width(0, mark_last_) < columns_max - 1) return 0;
    std::size_t first = mark_first_;
    std::size_t before = 0;
    while (first > 0 && before + glyphs_[first - 1].width <= columns_before_caret) {
      before += glyphs_[--first].width;
    }
    return first;
  }

  std::vector<glyph> glyphs_;
  std::size_t mark_first_ = 0;
  std::size_t mark_last_ = 0;
  bool cut_left_ = false;
  bool cut_right_ = false;
};

excerpt excerpt_of(const span& where, std::uint32_t line_number) {
  const std::string_view line = where.in->line(line_number);
  const std::uint32_t start = where.in->line_begin(line_number);
  const std::size_t begin = std::min<std::size_t>(where.begin - start, line.size());
  const std::size_t end = std::max(begin, std::min<std::size_t>(where.end - start, line.size()));
  return shown_line(line, begin, end).cut();
}

/// "= note: …": further lines of the text stand under its first.
void append_remark(std::string& out, const palette& colors, std::string_view margin,
                   std::string_view kind, std::string_view text) {
  out += margin;
  out += colors.frame("=");
  out += fmt::format(" {}: ", colors.strong(kind));
  const std::string indent(margin.size() + kind.size() + 4, ' ');
  while (true) {
    const std::size_t end = text.find('\n');
    out += visible(text.substr(0, end)) + '\n';
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
    out += indent;
  }
}

/// The arrow, the line and the caret; returns the margin under which remarks stand.
std::string append_frame(std::string& out, const palette& colors, const diagnostic& entry) {
  // A span past the end, or upside down, must not take the renderer down with it.
  span where = entry.where;
  where.begin = std::min(where.begin, static_cast<std::uint32_t>(where.in->text().size()));
  where.end = std::max(where.begin, where.end);
  const position at = where.in->locate(where.begin);
  const std::string number = std::to_string(at.line);
  const std::string margin(number.size() + 1, ' ');
  const excerpt shown = excerpt_of(where, at.line);
  const std::string bar = colors.frame("|");
  out += margin.substr(1) + colors.frame("-->");
  out += fmt::format(" {}:{}:{}\n", visible(where.in->name()), at.line, at.column);
  out += fmt::format("{}{}\n", margin, bar);
  out += fmt::format("{} {}{}{}\n", colors.frame(number), bar, shown.text.empty() ? "" : " ",
                     shown.text);
  std::string mark(shown.caret_width, '^');
  if (!entry.label.empty()) mark += ' ' + visible(entry.label);
  out += fmt::format("{}{} {}{}\n", margin, bar, std::string(shown.caret_begin, ' '),
                     colors.alarm(mark, entry.severity));
  if (!entry.notes.empty() || !help_of(entry).empty()) out += fmt::format("{}{}\n", margin, bar);
  return margin;
}

}  // namespace

std::string_view help_of(const diagnostic& entry) {
  const auto number = static_cast<int>(entry.id);
  const bool found_by_run = number >= 100 && number < 200;
  if (!entry.help.empty() || found_by_run) return entry.help;
  return info(entry.id).remedy;
}

std::string render(const diagnostic& entry, const render_style& style) {
  const palette colors{style.color};
  const std::string_view word = entry.severity == level::error ? "error" : "warning";
  std::string out = colors.alarm(fmt::format("{}[{}]", word, name(entry.id)), entry.severity) +
                    colors.strong(": " + visible(entry.message)) + '\n';
  std::string margin = "  ";
  if (entry.where.in != nullptr) {
    margin = append_frame(out, colors, entry);
  } else if (!entry.label.empty()) {
    append_remark(out, colors, margin, "note", entry.label);
  }
  for (const std::string& note : entry.notes) append_remark(out, colors, margin, "note", note);
  const std::string_view help = help_of(entry);
  if (!help.empty()) append_remark(out, colors, margin, "help", help);
  return out;
}

std::string render(const diagnostics& entries, const render_style& style) {
  std::string out;
  for (const diagnostic& entry : entries.sorted()) {
    if (!out.empty()) out += '\n';
    out += render(entry, style);
  }
  if (entries.dropped_count() != 0) {
    out += fmt::format("\n{} more errors and warnings are not shown\n", entries.dropped_count());
  }
  return out;
}

diagnostic::diagnostic() = default;
diagnostic::diagnostic(code number, level how_bad, span place, std::string text)
    : id(number), severity(how_bad), where(place), message(std::move(text)) {}
diagnostic::diagnostic(const diagnostic&) = default;
diagnostic::diagnostic(diagnostic&&) noexcept = default;
diagnostic& diagnostic::operator=(const diagnostic&) = default;
diagnostic& diagnostic::operator=(diagnostic&&) noexcept = default;
diagnostic::~diagnostic() = default;

}  // namespace scenarios
