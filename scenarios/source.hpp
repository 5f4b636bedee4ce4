// The text of one scenario file, and places in it.
//
// Owns the bytes and the table of line starts; immutable once made, so any number of threads may
// read it. Everything that can be shown to a person (a node, a step, a diagnostic) carries a
// `span`, which does not own its source: documents and diagnostics hold the `shared_ptr` that keeps
// it alive. Offsets are bytes from the start of the text; lines and columns count from 1, columns
// in code points, which is what editors jump to.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace scenarios {

class diagnostics;

/// Files larger than this are refused, in bytes.
inline constexpr std::size_t source_bytes_max = 16U << 20U;

struct position {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  friend bool operator==(const position&, const position&) = default;
};

class source : public std::enable_shared_from_this<source> {
 public:
  /// `name` is how people call this text (a path as the user gave it, or "--var", …).
  /// Throws std::length_error above 4 GiB, where offsets would no longer fit.
  static std::shared_ptr<const source> from_text(std::string name, std::string text);

  const std::string& name() const { return name_; }
  std::string_view text() const { return text_; }

  /// Offsets past the end are taken as the end. Cheap even in a line of megabytes.
  position locate(std::uint32_t offset) const;
  /// The line without its end (\n or \r\n); empty when there is no such line.
  std::string_view line(std::uint32_t number) const;
  /// Byte offset of the first byte of a line; the text's size when there is no such line.
  std::uint32_t line_begin(std::uint32_t number) const;
  std::uint32_t line_count() const { return static_cast<std::uint32_t>(line_starts_.size()); }

 private:
  source(std::string name, std::string text);

  std::string name_;
  std::string text_;
  /// Continuation bytes before an offset: what columns must not count.
  std::uint32_t continuation_bytes_before(std::uint32_t offset) const;

  std::vector<std::uint32_t> line_starts_;
  std::vector<std::uint32_t> continuations_;  // before each block of the text
};

/// Half-open range of bytes of a source. A span without a source is "nowhere".
struct span {
  const source* in = nullptr;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  /// The bytes themselves; empty without a source.
  std::string_view text() const;
  friend bool operator==(const span&, const span&) = default;
};

/// From the first byte of `first` to the last of `last`, which must be of the same source.
span join(span first, span last);

/// Not for a text that is empty or has a NUL, which would end the name that the kernel sees:
/// another file would be read.
bool is_file_name(std::string_view text);

/// Reads a file: regular, or a pipe such as `<(generate)`. On failure (missing, a directory, no
/// permission, above `source_bytes_max`, empty, not UTF-8) returns nullptr and adds one error that
/// says what is wrong and what to do. A UTF-8 byte order mark is skipped.
std::shared_ptr<const source> load_source(const std::string& path, diagnostics& into);

}  // namespace scenarios
