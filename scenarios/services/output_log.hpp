// What a program wrote to one of its streams: a bounded tail of it, and each line as it comes.
//
// Takes any amount of any bytes; keeps the last 64 KiB. A line counts once its end has come (or the
// stream's end); one that is longer than 16 KiB is handed on in pieces. Line ends (\n, \r\n) are
// not part of a line. Memory is bounded by about twice the tail. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace scenarios {

class output_log {
 public:
  static constexpr std::size_t tail_bytes_max = 64U << 10U;
  static constexpr std::size_t line_bytes_max = 16U << 10U;

  /// Called for every line from now on; the view is valid during the call only.
  using line_observer = std::function<void(std::string_view)>;
  void on_line(line_observer observer) { observers_.push_back(std::move(observer)); }

  /// Called with all that comes from now on, as it comes.
  void on_bytes(line_observer observer) { piece_observers_.push_back(std::move(observer)); }

  void append(std::string_view bytes);
  /// The stream has ended: what has no line end is a line, too.
  void finish();

  /// The last bytes, at most tail_bytes_max.
  [[nodiscard]] std::string_view tail() const;
  /// How many bytes came in all.
  [[nodiscard]] std::uint64_t total() const { return total_; }
  /// The bytes since the last line end, at most line_bytes_max: a prompt, for one.
  [[nodiscard]] std::string_view unfinished() const { return line_; }

 private:
  void emit();

  std::string tail_;
  std::string line_;
  std::uint64_t total_ = 0;
  std::vector<line_observer> observers_;
  std::vector<line_observer> piece_observers_;
};

}  // namespace scenarios
