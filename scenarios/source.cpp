#include "scenarios/source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

#include "scenarios/diagnostic.hpp"
#include "scenarios/utf8.hpp"

namespace scenarios {

std::shared_ptr<const source> source::from_text(std::string name, std::string text) {
  if (text.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw std::length_error("a source is limited to 4 GiB");
  }
  // make_shared can't reach the private constructor, which keeps sources off the stack.
  return std::shared_ptr<const source>(new source(std::move(name), std::move(text)));
}

namespace {

// Columns are counted from the start of a block, not of the line: a hostile file of one line with
// thousands of mistakes must not cost its length for each of them.
constexpr std::size_t block_bytes = 4096;

std::uint32_t count_continuations(std::string_view text) {
  return static_cast<std::uint32_t>(std::ranges::count_if(
      text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }));
}

}  // namespace

source::source(std::string name, std::string text)
    : name_(std::move(name)), text_(std::move(text)), line_starts_{0} {
  for (std::size_t at = text_.find('\n'); at != std::string::npos; at = text_.find('\n', at + 1)) {
    line_starts_.push_back(static_cast<std::uint32_t>(at + 1));
  }
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at <= text_.size(); at += block_bytes) {
    continuations_.push_back(sum);
    sum += count_continuations(std::string_view(text_).substr(at, block_bytes));
  }
}

std::uint32_t source::continuation_bytes_before(std::uint32_t offset) const {
  const std::size_t block = offset / block_bytes;
  const std::size_t start = block * block_bytes;
  return continuations_[block] +
         count_continuations(std::string_view(text_).substr(start, offset - start));
}

position source::locate(std::uint32_t offset) const {
  offset = std::min(offset, static_cast<std::uint32_t>(text_.size()));
  const auto after = std::ranges::upper_bound(line_starts_, offset);
  const std::uint32_t start = *std::prev(after);
  const std::uint32_t continuations =
      continuation_bytes_before(offset) - continuation_bytes_before(start);
  return {static_cast<std::uint32_t>(after - line_starts_.begin()),
          offset - start - continuations + 1};
}

std::uint32_t source::line_begin(std::uint32_t number) const {
  if (number == 0 || number > line_starts_.size()) return static_cast<std::uint32_t>(text_.size());
  return line_starts_[number - 1];
}

std::string_view source::line(std::uint32_t number) const {
  const std::uint32_t begin = line_begin(number);
  std::string_view found = std::string_view(text_).substr(begin, line_begin(number + 1) - begin);
  if (found.ends_with('\n')) found.remove_suffix(1);
  if (found.ends_with('\r')) found.remove_suffix(1);
  return found;
}

std::string_view span::text() const {
  if (in == nullptr || begin >= in->text().size() || end < begin) return {};
  return in->text().substr(begin, end - begin);
}

span join(span first, span last) {
  return {first.in, first.begin, last.end};
}

namespace {

struct descriptor {
  int fd = -1;
  explicit descriptor(int opened) : fd(opened) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

/// Adds the error for what the system refused.
void tell_errno(const std::string& path, int error, diagnostics& into) {
  const std::string shown = in_quotes(path, 200);
  if (error == ENOENT || error == ENOTDIR) {
    into.error(code::file_not_found, {}, fmt::format("{} does not exist", shown)).help =
        "check the spelling; the path is taken relative to the current directory";
  } else if (error == EISDIR) {
    into.error(code::not_a_file, {}, fmt::format("{} is a directory, not a file", shown)).help =
        "name a file in it";
  } else if (error == EACCES || error == EPERM) {
    into.error(code::file_not_readable, {}, fmt::format("{} may not be read", shown)).help =
        "give this user permission to read it and to enter the directories above it";
  } else {
    into.error(code::file_not_readable, {},
               fmt::format("{} can't be read: {}", shown, std::strerror(error)))
        .help = "check that it is an ordinary file and that its file system works";
  }
}

/// Reads one byte more than allowed, so that "too large" needs no trust in st_size. 0 or an errno.
int read_all(int fd, std::string& text) {
  // Most scenarios are small: clearing and giving back a large buffer costs more than reading them.
  std::array<char, std::size_t{16} << 10U> chunk;
  while (text.size() <= source_bytes_max) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got == 0) return 0;
    if (got < 0 && errno != EINTR) return errno;
    if (got > 0) text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return 0;
}

/// What is wrong with the bytes of a file, if anything; `into` gets it.
bool is_text(const std::shared_ptr<const source>& file, diagnostics& into) {
  if (file->text().empty()) {
    into.error(code::empty_document, {}, fmt::format("{} is empty", in_quotes(file->name(), 200)))
        .help = "write a scenario into it; `uring-scenario new` makes one to start from";
    return false;
  }
  const auto bad = first_utf8_error(file->text());
  if (!bad) return true;
  const auto at = static_cast<std::uint32_t>(*bad);
  const auto byte = static_cast<unsigned char>(file->text()[at]);
  diagnostic& told = into.error(code::not_utf8, {file.get(), at, at + 1}, "the file is not UTF-8");
  told.label = fmt::format("byte 0x{:02x} at offset {}", byte, at);
  told.help = "save the file as UTF-8";
  return false;
}

}  // namespace

bool is_file_name(std::string_view text) {
  return !text.empty() && text.find('\0') == std::string_view::npos;
}

std::shared_ptr<const source> load_source(const std::string& path, diagnostics& into) {
  // O_NOCTTY: a path that leads to a terminal must not become our controlling terminal.
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  std::string text;
  const int error = file.fd < 0 ? errno : read_all(file.fd, text);
  if (error != 0) {
    tell_errno(path, error, into);
    return nullptr;
  }
  if (text.size() > source_bytes_max) {
    into.error(code::file_too_large, {},
               fmt::format("{} is larger than 16 MiB", in_quotes(path, 200)))
        .help = "move large payloads into files of their own and use { \"file\": … }";
    return nullptr;
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  text.shrink_to_fit();
  auto made = source::from_text(path, std::move(text));
  return is_text(made, into) ? made : nullptr;
}

}  // namespace scenarios
