#include "scenarios/layout/layout_tree.hpp"

#include <algorithm>

#include "scenarios/step_lists.hpp"

namespace scenarios::layout {
namespace {

/// Trivia between two tokens: its comments, and whether a blank line ends it.
struct gap {
  std::vector<comment> comments;
  bool breaks = false;  // a line break before the first comment, or the next token
  bool blank = false;   // a blank line after the last comment
};

std::size_t line_ends(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool lone = text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n');
    if (text[i] == '\n' || lone) ++count;
  }
  return count;
}

class reader {
 public:
  explicit reader(const document& from) : text_(from.from->text()), tokens_(from.tokens) {}

  tree read() {
    tree made;
    gap start = read_gap();
    if (!start.comments.empty()) start.comments.front().blank_before = false;
    made.root.blank_before = start.blank && !start.comments.empty();
    made.root.before = std::move(start.comments);
    made.root.held = read_value();
    const gap end = read_gap();
    split(end, made.root.after, made.at_end);
    return made;
  }

 private:
  std::string_view text_of(const token& of) const {
    return text_.substr(of.begin, of.end - of.begin);
  }
  token_kind kind() const { return at_ < tokens_.size() ? tokens_[at_].kind : token_kind::invalid; }
  std::string_view take() { return text_of(tokens_[at_++]); }

  gap read_gap() {
    gap made;
    std::size_t breaks = 0;
    for (; at_ < tokens_.size() && tokens_[at_].is_trivia(); ++at_) {
      const std::string_view text = text_of(tokens_[at_]);
      if (tokens_[at_].kind == token_kind::whitespace) {
        breaks += line_ends(text);
        if (breaks != 0 && made.comments.empty()) made.breaks = true;
        if (breaks != 0 && !made.comments.empty()) made.comments.back().ends_line = true;
        continue;
      }
      comment& one = made.comments.emplace_back();
      one.is_line = tokens_[at_].kind == token_kind::line_comment;
      one.text = one.is_line ? text.substr(0, text.find_last_not_of(" \t") + 1) : text;
      one.ends_line = one.is_line;
      one.own_line = breaks != 0 || one.text.data() == text_.data();
      one.blank_before = breaks > 1;
      breaks = 0;
    }
    made.blank = breaks > 1;
    return made;
  }

  /// Comments that end the line on which they begin belong to what stands before them.
  static void split(const gap& from, std::vector<comment>& same_line, std::vector<comment>& rest) {
    auto first = std::ranges::find_if(from.comments, &comment::own_line);
    // Nothing can follow a line comment.
    const auto line =
        std::find_if(from.comments.begin(), first, [](const comment& c) { return c.is_line; });
    if (line != first) first = std::next(line);
    const bool any = first != from.comments.begin();
    if (any && !std::prev(first)->ends_line) first = from.comments.begin();
    same_line.insert(same_line.end(), from.comments.begin(), first);
    rest.insert(rest.end(), first, from.comments.end());
  }

  value read_value() {
    value made;
    if (kind() != token_kind::left_brace && kind() != token_kind::left_bracket) {
      made.scalar = take();
      return made;
    }
    made.open = take().front();
    gap rest;
    split(read_gap(), made.at_open, rest.comments);
    while (!at_close()) rest = read_entry(made, std::move(rest));
    made.at_close = std::move(rest.comments);
    take();
    return made;
  }

  bool at_close() const {
    return kind() == token_kind::right_brace || kind() == token_kind::right_bracket ||
           at_ >= tokens_.size();
  }

  /// Reads one entry with its comma, and returns what stands between it and the next.
  gap read_entry(value& into, gap before) {
    entry made;
    const bool first = into.entries.empty();
    made.blank_before = before.blank && !(first && before.comments.empty());
    made.before = std::move(before.comments);
    if (first && !made.before.empty()) made.before.front().blank_before = false;
    if (into.open == '{') {
      made.key = take();
      move_before(made, read_gap());
      take();
      move_before(made, read_gap());
    }
    made.held = read_value();
    gap next = read_gap();
    if (kind() == token_kind::comma) {
      take();
      gap more = read_gap();
      if (more.breaks && !next.comments.empty()) next.comments.back().ends_line = true;
      next.comments.insert(next.comments.end(), more.comments.begin(), more.comments.end());
      next.blank = more.blank;
    }
    gap rest;
    split(next, made.after, rest.comments);
    rest.blank = next.blank;
    into.entries.push_back(std::move(made));
    return rest;
  }

  /// What stands between a key and its value.
  static void move_before(entry& into, const gap& found) {
    for (comment one : found.comments) {
      one.blank_before = false;
      into.before.push_back(one);
    }
  }

  std::string_view text_;
  const std::vector<token>& tokens_;
  std::size_t at_ = 0;
};

}  // namespace

namespace {

bool is_inline(const comment& of) {
  return !of.ends_line && of.text.find('\n') == std::string_view::npos &&
         of.text.find('\r') == std::string_view::npos;
}

std::size_t entry_width(const entry& of) {
  std::size_t width = of.held.width + (of.key.empty() ? 0 : columns_of(of.key) + 2);
  for (const comment& each : of.before)
    width += is_inline(each) ? columns_of(each.text) + 1 : never;
  return of.after.empty() ? width : never;
}

/// `steps`: it stands where a list of steps does.
void measure(value& of, bool steps) {
  if (of.open == 0) {
    of.width = columns_of(of.scalar);
    return;
  }
  of.is_step_list = steps && of.open == '[';
  of.width = is_spaced(of) ? 4 : 2;
  for (entry& each : of.entries) {
    const bool named = each.key.size() > 2 && holds_steps(each.key.substr(1, each.key.size() - 2));
    measure(each.held, of.open == '{' ? named : of.is_step_list);
    of.width += entry_width(each) + 2;
  }
  if (!of.entries.empty()) of.width -= 2;
  const bool several_steps = of.is_step_list && of.entries.size() > 1;
  if (several_steps || !of.at_open.empty() || !of.at_close.empty()) of.width = never;
  of.width = std::min(of.width, never);
}

}  // namespace

tree read_tree(const document& from) {
  tree made = reader(from).read();
  measure(made.root.held, false);
  return made;
}

bool is_spaced(const value& of) {
  if (of.entries.empty()) return false;
  const value& first = of.entries.front().held;
  return of.open == '{' || (first.open != 0 && !first.entries.empty());
}

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace scenarios::layout
