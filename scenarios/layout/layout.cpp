#include "scenarios/layout/layout.hpp"

#include <algorithm>

#include "scenarios/layout/layout_tree.hpp"

namespace scenarios {
namespace layout {
namespace {

constexpr std::size_t step = 2;
// Beyond it, what goes on in the next line is not aligned under the bracket but indented.
constexpr std::size_t aligned_max = 60;
// Longer words stand one a line.
constexpr std::size_t short_word = 24;

/// `block`: an object is opened, and each of its keys has a line. `flow`: inside a step, keys stand
/// side by side as long as they fit.
enum class style : std::uint8_t { block, flow };

/// Where a value goes.
struct place {
  std::size_t indent = 0;  // of the line on which it begins
  std::size_t tail = 0;    // columns that follow it on its last line
  style how = style::block;
};

bool is_scalar_list(const value& of) {
  return std::ranges::all_of(of.entries, [](const entry& e) { return e.held.open == 0; });
}

/// A list of steps, or what ends with one: its bracket may end a line that has begun.
bool ends_with_steps(const value& of) {
  if (of.is_step_list) return true;
  return of.open == '{' && !of.entries.empty() && ends_with_steps(of.entries.back().held);
}

bool has_steps(const value& of) {
  return std::ranges::any_of(of.entries, [](const entry& e) { return ends_with_steps(e.held); });
}

bool begins_line(const entry& of) {
  return std::ranges::any_of(of.before, &comment::ends_line);
}

class printer {
 public:
  std::string print(const tree& from) {
    write_before(from.root, 0, true);
    write_root(from.root.held);
    write_after(from.root);
    for (const comment& each : from.at_end) {
      out_ += each.blank_before ? "\n\n" : "\n";
      out_ += each.text;
    }
    return std::move(out_) + '\n';
  }

 private:
  std::size_t column() const {
    const std::size_t line = out_.rfind('\n');
    return columns_of(std::string_view(out_).substr(line == std::string::npos ? 0 : line + 1));
  }
  void new_line(std::size_t indent) {
    out_ += '\n';
    out_.append(indent, ' ');
  }

  // ---- Comments --------------------------------------------------------------------------------

  /// `blanks`: blank lines are kept.
  void write_before(const entry& of, std::size_t indent, bool blanks) {
    bool at_start = true;
    for (const comment& each : of.before) {
      if (!at_start && each.blank_before && blanks) blank_line();
      out_ += each.text;
      if (each.ends_line) {
        new_line(indent);
      } else {
        out_ += ' ';
      }
      at_start = false;
    }
    if (!of.before.empty() && of.before.back().ends_line && of.blank_before && blanks) blank_line();
  }

  /// Puts an empty line before the one that was just begun.
  void blank_line() {
    const std::size_t line = out_.rfind('\n');
    if (line != std::string::npos) out_.insert(line, 1, '\n');
  }

  void write_after(const entry& of) {
    for (const comment& each : of.after) {
      out_ += ' ';
      out_ += each.text;
    }
  }

  void write_at_open(const value& of) {
    for (const comment& each : of.at_open) {
      out_ += ' ';
      out_ += each.text;
    }
  }

  // ---- On one line -----------------------------------------------------------------------------

  void write_flat(const value& of) {
    if (of.open == 0) {
      out_ += of.scalar;
      return;
    }
    const bool spaced = is_spaced(of);
    out_ += of.open;
    if (spaced) out_ += ' ';
    for (const entry& each : of.entries) {
      if (&each != &of.entries.front()) out_ += ", ";
      for (const comment& one : each.before) {
        out_ += one.text;
        out_ += ' ';
      }
      write_key(each);
      write_flat(each.held);
    }
    if (spaced) out_ += ' ';
    out_ += closer(of);
  }

  void write_key(const entry& of) {
    if (of.key.empty()) return;
    out_ += of.key;
    out_ += ": ";
  }
  static char closer(const value& of) { return of.open == '{' ? '}' : ']'; }

  bool fits(std::size_t width, std::size_t tail) const {
    return width < never && column() + width + tail <= layout_columns;
  }

  // ---- On several ------------------------------------------------------------------------------

  void write_root(const value& of) {
    if (of.open != '{' || of.entries.empty()) return write(of, {});
    write_lines(of, {}, step);
    // The last bracket stands alone.
    if (out_.ends_with(" }")) {
      out_.resize(out_.size() - 2);
      out_ += "\n}";
    }
  }

  void write(const value& of, const place& at) {
    const bool empty = of.width == 2 && of.entries.empty();
    if (of.open == 0 || empty || fits(of.width, at.tail)) return write_flat(of);
    if (of.entries.empty() || of.is_step_list || !of.at_open.empty())
      return write_lines(of, at, at.indent + step);
    if (of.open == '[') return write_list(of, at);
    const bool flows = at.how == style::flow || begins_with_a_head(of);
    if (!flows) return write_lines(of, at, at.indent + step);
    const std::size_t aligned = column() + 2;
    const bool indented = has_steps(of) || aligned > aligned_max;
    write_flow(of, at, indented ? at.indent + step : aligned);
  }

  /// "srv": { "server": "…", "do": [ … with all of it up to the bracket on one line.
  bool begins_with_a_head(const value& of) const {
    if (!of.entries.back().held.is_step_list || begins_line(of.entries.back())) return false;
    std::size_t width = 2;
    for (const entry& each : of.entries) {
      const bool last = &each == &of.entries.back();
      width += columns_of(each.key) + 2 + (last ? 1 : each.held.width + 2);
      for (const comment& one : each.before)
        width += one.ends_line ? never : columns_of(one.text) + 1;
      if (!last && !each.after.empty()) return false;
    }
    return column() + width <= layout_columns;
  }

  void write_list(const value& of, const place& at) {
    const auto is_short = [](const entry& e) {
      return e.held.width <= short_word && e.after.empty() && !begins_line(e);
    };
    if (is_scalar_list(of) && std::ranges::all_of(of.entries, is_short)) return write_words(of, at);
    const std::size_t aligned = column() + 2;
    const bool indented =
        at.how == style::block || aligned > aligned_max || begins_line(of.entries.front());
    write_lines(of, at, indented ? at.indent + step : aligned, !indented);
  }

  /// Short words, as many as fit on each line.
  void write_words(const value& of, const place& at) {
    out_ += of.open;
    const std::size_t aligned = column();
    const std::size_t next = aligned > aligned_max ? at.indent + step : aligned;
    for (const entry& each : of.entries) {
      const bool last = &each == &of.entries.back();
      const bool first = &each == &of.entries.front();
      std::size_t width = each.held.width;
      for (const comment& one : each.before) width += columns_of(one.text) + 1;
      if (!first && !fits(width + 1, last ? at.tail + 1 : 1)) {
        new_line(next);
      } else if (!first) {
        out_ += ' ';
      }
      write_before(each, next, false);
      write_flat(each.held);
      if (!last) out_ += ',';
    }
    close(of, at, false);
  }

  /// Every entry on lines of its own; `hangs`: the first one behind the bracket.
  void write_lines(const value& of, const place& at, std::size_t indent, bool hangs = false) {
    out_ += of.open;
    write_at_open(of);
    if (hangs) out_ += ' ';
    for (const entry& each : of.entries) {
      const bool last = &each == &of.entries.back();
      if (!hangs || &each != &of.entries.front()) {
        const bool blank =
            each.before.empty() ? each.blank_before : each.before.front().blank_before;
        if (blank && &each != &of.entries.front()) out_ += '\n';
        new_line(indent);
      }
      write_before(each, indent, true);
      write_key(each);
      const style how = of.open == '[' ? style::flow : at.how;
      write(each.held, {indent, last ? at.tail + 2 : 1, how});
      if (!last) out_ += ',';
      write_after(each);
    }
    close(of, at, true);
  }

  /// Keys side by side; a new line begins at `next`.
  void write_flow(const value& of, const place& at, std::size_t next) {
    out_ += "{ ";
    std::size_t indent = at.indent;
    bool broken = false;  // the entry before takes several lines, or a comment ends it
    for (const entry& each : of.entries) {
      const bool last = &each == &of.entries.back();
      const bool first = &each == &of.entries.front();
      const std::size_t tail = last ? at.tail + 2 : 1;
      const std::size_t gap = first ? 0 : 1;
      if (begins_line(each) || (!first && (broken || !continues(each, tail, gap)))) {
        if (first) out_.pop_back();
        new_line(next);
        indent = next;
      } else if (!first) {
        out_ += ' ';
      }
      write_before(each, next, false);
      write_key(each);
      const std::size_t begin = out_.size();
      write(each.held, {indent, tail, style::flow});
      if (!last) out_ += ',';
      write_after(each);
      broken = out_.find('\n', begin) != std::string::npos || !each.after.empty();
    }
    close(of, at, true);
  }

  /// Whether it can stand on the line that has been begun.
  bool continues(const entry& of, std::size_t tail, std::size_t gap) const {
    std::size_t width = of.key.empty() ? 0 : columns_of(of.key) + 2;
    for (const comment& each : of.before) width += columns_of(each.text) + 1;
    if (of.held.width < never && fits(width + of.held.width + gap, tail)) return true;
    return ends_with_steps(of.held) && column() + gap + width + 2 <= layout_columns;
  }

  void close(const value& of, const place& at, bool spaced) {
    const bool commented = !of.entries.empty() && !of.entries.back().after.empty();
    for (const comment& each : of.at_close) {
      if (each.blank_before && !(of.entries.empty() && &each == &of.at_close.front())) out_ += '\n';
      new_line(at.indent + step);
      out_ += each.text;
    }
    if (commented || !of.at_close.empty() || of.entries.empty()) {
      new_line(at.indent);
    } else if (spaced) {
      out_ += ' ';
    }
    out_ += closer(of);
  }

  std::string out_;
};

}  // namespace
}  // namespace layout

std::string lay_out(const document& from) {
  return layout::printer().print(layout::read_tree(from));
}

}  // namespace scenarios
