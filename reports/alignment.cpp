#include "reports/alignment.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <unordered_map>

namespace reports {

namespace {

using pairs = std::vector<std::pair<std::size_t, std::size_t>>;
using steps = std::vector<alignable>;

// 16 MB of table; two lists of 2,000 steps that have changed throughout.
constexpr std::size_t cells_max = 4'000'000;

/// Half-open ranges of both lists.
struct stretch {
  std::size_t before_begin, before_end, after_begin, after_end;
  std::size_t before_size() const { return before_end - before_begin; }
  std::size_t after_size() const { return after_end - after_begin; }
};

/// The longest common subsequence by signature, by the textbook's table.
pairs anchors(const steps& before, const steps& after, const stretch& in) {
  const std::size_t rows = in.before_size();
  const std::size_t columns = in.after_size();
  if (rows == 0 || columns == 0 || rows > cells_max / columns) return {};
  std::vector<std::uint32_t> length((rows + 1) * (columns + 1), 0);
  const auto cell = [&](std::size_t r, std::size_t c) -> std::uint32_t& {
    return length[r * (columns + 1) + c];
  };
  const auto same = [&](std::size_t r, std::size_t c) {
    return before[in.before_begin + r].signature == after[in.after_begin + c].signature;
  };
  for (std::size_t r = rows; r-- > 0;) {
    for (std::size_t c = columns; c-- > 0;) {
      cell(r, c) = same(r, c) ? cell(r + 1, c + 1) + 1 : std::max(cell(r + 1, c), cell(r, c + 1));
    }
  }
  pairs out;
  for (std::size_t r = 0, c = 0; r < rows && c < columns;) {
    if (same(r, c)) {
      out.emplace_back(in.before_begin + r++, in.after_begin + c++);
    } else if (cell(r + 1, c) >= cell(r, c + 1)) {
      ++r;
    } else {
      ++c;
    }
  }
  return out;
}

/// Between two anchors: each step with the next one of its op.
void pair_by_op(const steps& before, const steps& after, const stretch& in, pairs& out) {
  if (in.before_size() == 0 || in.after_size() == 0) return;
  std::unordered_map<std::string_view, std::vector<std::size_t>> places;
  for (std::size_t at = in.after_begin; at < in.after_end; ++at) {
    places[after[at].op].push_back(at);
  }
  std::size_t next = in.after_begin;
  for (std::size_t at = in.before_begin; at < in.before_end; ++at) {
    const auto of_op = places.find(before[at].op);
    if (of_op == places.end()) continue;
    const auto found = std::ranges::lower_bound(of_op->second, next);
    if (found == of_op->second.end()) continue;
    out.emplace_back(at, *found);
    next = *found + 1;
  }
}

}  // namespace

pairs align(const steps& before, const steps& after) {
  const auto same_op = [](const alignable& a, const alignable& b) { return a.op == b.op; };
  const auto same = [](const alignable& a, const alignable& b) {
    return a.signature == b.signature;
  };
  pairs out;
  if (std::ranges::equal(before, after, same_op)) {
    for (std::size_t i = 0; i < before.size(); ++i) out.emplace_back(i, i);
    return out;
  }
  stretch middle{0, before.size(), 0, after.size()};
  while (middle.before_size() > 0 && middle.after_size() > 0 &&
         same(before[middle.before_begin], after[middle.after_begin])) {
    out.emplace_back(middle.before_begin++, middle.after_begin++);
  }
  pairs tail;
  while (middle.before_size() > 0 && middle.after_size() > 0 &&
         same(before[middle.before_end - 1], after[middle.after_end - 1])) {
    tail.emplace_back(--middle.before_end, --middle.after_end);
  }
  std::size_t before_at = middle.before_begin;
  std::size_t after_at = middle.after_begin;
  for (const auto& [b, a] : anchors(before, after, middle)) {
    pair_by_op(before, after, {before_at, b, after_at, a}, out);
    out.emplace_back(b, a);
    before_at = b + 1;
    after_at = a + 1;
  }
  pair_by_op(before, after, {before_at, middle.before_end, after_at, middle.after_end}, out);
  out.insert(out.end(), tail.rbegin(), tail.rend());
  return out;
}

}  // namespace reports
