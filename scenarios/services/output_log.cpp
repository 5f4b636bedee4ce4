#include "scenarios/services/output_log.hpp"

#include <algorithm>

namespace scenarios {

void output_log::append(std::string_view bytes) {
  total_ += bytes.size();
  for (const line_observer& observer : piece_observers_) observer(bytes);
  tail_.append(bytes.substr(bytes.size() - std::min(bytes.size(), tail_bytes_max)));
  // Cut at twice the size: each byte is moved at most once.
  if (tail_.size() > 2 * tail_bytes_max) tail_.erase(0, tail_.size() - tail_bytes_max);

  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::size_t room = line_bytes_max - line_.size();
    const std::size_t taken = std::min(std::min(end, bytes.size()), room);
    line_.append(bytes.substr(0, taken));
    const bool ended = taken == end;
    bytes.remove_prefix(ended ? taken + 1 : taken);
    if (ended || line_.size() == line_bytes_max) emit();
  }
}

void output_log::finish() {
  if (!line_.empty()) emit();
}

std::string_view output_log::tail() const {
  const std::string_view kept = tail_;
  return kept.substr(kept.size() - std::min(kept.size(), tail_bytes_max));
}

void output_log::emit() {
  std::string_view line = line_;
  if (line.ends_with('\r')) line.remove_suffix(1);
  for (const line_observer& observer : observers_) observer(line);
  line_.clear();
}

}  // namespace scenarios
