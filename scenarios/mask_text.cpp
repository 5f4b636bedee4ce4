#include "scenarios/mask_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "scenarios/codec.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr std::string_view cut = "…";

/// The part of the base64 of `text`, `before` bytes into a group, that no other text can change.
std::string base64_inside(std::string_view text, std::size_t before) {
  const std::string shifted = std::string(before, '\0') + std::string(text);
  const std::string whole = to_base64(shifted);
  const std::size_t first = (before * 8 + 5) / 6;
  const std::size_t last = shifted.size() * 8 / 6;
  return last > first ? whole.substr(first, last - first) : std::string();
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string replaced(std::string_view text, std::string_view what, std::string_view by) {
  std::string made;
  for (std::size_t at = 0;;) {
    const std::size_t found = text.find(what, at);
    made += text.substr(at, found - at);
    if (found == text.npos) return made;
    made += by;
    at = found + what.size();
  }
}

/// As describe_data writes what is not text.
std::string spaced_hex(std::string_view text) {
  std::string made;
  for (const char c : text)
    made += fmt::format("{}{:02x}", made.empty() ? "" : " ", static_cast<unsigned char>(c));
  return made;
}

/// As describe_data writes text, without the quotes.
std::string as_described(std::string_view text) {
  return visible(replaced(replaced(text, "\\", "\\\\"), "\"", "\\\""));
}

/// As it stands in a JSON string.
std::string in_json(std::string_view text) {
  const std::string whole =
      nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return whole.substr(1, whole.size() - 2);
}

class form_list {
 public:
  explicit form_list(std::string placeholder) : placeholder_(std::move(placeholder)) {}

  void add(std::string form, bool described) {
    const auto is_same = [&](const masked_text& each) { return each.text == form; };
    if (form.size() < secret_bytes_min || std::ranges::any_of(made_, is_same)) return;
    made_.push_back({std::move(form), placeholder_, described});
  }

  void add_descriptions(std::string_view text) {
    add(spaced_hex(text), true);
    add(as_described(text), true);
    add(visible(text), true);
    add(in_json(text), true);
    // The output of a program stands line by line below a note.
    std::string lines;
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      lines += (at == 0 ? "" : "\n  ") + visible(text.substr(at, end - at));
      at = end + 1;
    }
    add(std::move(lines), true);
  }

  std::vector<masked_text> take() { return std::move(made_); }

 private:
  std::string placeholder_;
  std::vector<masked_text> made_;
};

/// How much of `form`'s beginning `text` ends in.
std::size_t overlap_at_end(std::string_view text, std::string_view form) {
  for (std::size_t n = std::min(text.size(), form.size() - 1); n > 0; --n)
    if (text.ends_with(form.substr(0, n))) return n;
  return 0;
}

std::size_t overlap_at_beginning(std::string_view text, std::string_view form) {
  for (std::size_t n = std::min(text.size(), form.size() - 1); n > 0; --n)
    if (text.starts_with(form.substr(form.size() - n))) return n;
  return 0;
}

/// Beside each cut: a described text goes on there, and may be the rest of a secret.
void hide_at_cuts(std::string& text, const std::vector<masked_text>& masks) {
  for (std::size_t at = text.find(cut); at != text.npos; at = text.find(cut, at + cut.size())) {
    std::size_t most = 0;
    const masked_text* which = nullptr;
    for (const masked_text& mask : masks) {
      const std::size_t n = overlap_at_end(std::string_view(text).substr(0, at), mask.text);
      if (n > most) most = n, which = &mask;
    }
    if (which != nullptr) {
      text.replace(at - most, most, which->placeholder);
      at += which->placeholder.size() - most;
    }
    std::string_view after = std::string_view(text).substr(at + cut.size());
    for (const std::string_view opening : {"\"", "hex "})
      if (after.starts_with(opening)) after.remove_prefix(opening.size());
    most = 0;
    for (const masked_text& mask : masks) {
      const std::size_t n = overlap_at_beginning(after, mask.text);
      if (n > most) most = n, which = &mask;
    }
    if (most != 0) text.replace(text.size() - after.size(), most, which->placeholder);
  }
}

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
  form_list made(fmt::format("<secret:{}>", name));
  made.add(std::string(text), false);
  made.add(to_hex(text), false);
  made.add(upper(to_hex(text)), false);
  for (std::size_t before = 0; before < 3; ++before) made.add(base64_inside(text, before), false);
  made.add_descriptions(text);
  return made.take();
}

std::vector<masked_text> forms_of_part(std::string_view text, const std::string& placeholder) {
  form_list made(placeholder);
  made.add(std::string(text), false);
  made.add_descriptions(text);
  return made.take();
}

void hide_whole(std::string& text, const std::vector<masked_text>& masks) {
  for (const masked_text& mask : masks) {
    for (std::size_t at = text.find(mask.text); at != text.npos;
         at = text.find(mask.text, at + mask.placeholder.size()))
      text.replace(at, mask.text.size(), mask.placeholder);
  }
}

void hide(std::string& text, const std::vector<masked_text>& masks) {
  hide_whole(text, masks);
  hide_at_cuts(text, masks);
}

std::size_t beginning_at_end(std::string_view data, const std::vector<masked_text>& masks) {
  std::size_t most = 0;
  for (const masked_text& mask : masks)
    if (!mask.described) most = std::max(most, overlap_at_end(data, mask.text));
  return most >= part_bytes_min ? most : 0;
}

void hide_end_at_beginning(std::string& text, const std::vector<masked_text>& masks) {
  std::size_t most = 0;
  const masked_text* which = nullptr;
  for (const masked_text& mask : masks) {
    const std::size_t n = overlap_at_beginning(text, mask.text);
    if (n > most) most = n, which = &mask;
  }
  if (most >= part_bytes_min) text.replace(0, most, which->placeholder);
}

}  // namespace scenarios
