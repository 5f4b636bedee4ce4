#include "runner/case_queue.hpp"

#include <algorithm>
#include <utility>

namespace runner {

case_queue::case_queue(std::vector<shared_plan> plans) : plans_(std::move(plans)) {
  needs_.reserve(plans_.size());
  for (const shared_plan& each : plans_) {
    needs_.push_back(estimate(*each));
    largest_descriptors_ = std::max(largest_descriptors_, needs_.back().descriptors);
  }
}

bool case_queue::is_free(const scenarios::plan& of, bool may_lock) const {
  if (of.locks.empty()) return true;
  return may_lock && std::ranges::none_of(
                         of.locks, [&](const std::string& lock) { return held_.contains(lock); });
}

// The first of its kind that may run now. Without locks that is the first of its kind.
std::size_t case_queue::next_of(std::size_t from, bool heavy, bool may_lock) const {
  std::size_t at = from;
  while (at < plans_.size() &&
         (plans_[at] == nullptr || needs_[at].heavy != heavy || !is_free(*plans_[at], may_lock))) {
    ++at;
  }
  return at;
}

void case_queue::release(const scenarios::plan& of) {
  if (of.locks.empty()) return;
  const std::scoped_lock lock(mutex_);
  for (const std::string& each : of.locks) held_.erase(each);
}

ticket case_queue::remove(std::size_t index) {
  held_.insert(plans_[index]->locks.begin(), plans_[index]->locks.end());
  return {index, std::move(plans_[index]), needs_[index]};
}

case_queue::answer case_queue::take(const room& left) {
  const std::scoped_lock lock(mutex_);
  const std::size_t end = plans_.size();
  const auto skip = [&](std::size_t& at, bool heavy) {
    while (at < end && (plans_[at] == nullptr || needs_[at].heavy != heavy)) ++at;
  };
  skip(next_light_, false);
  skip(next_heavy_, true);
  if (closed_ || (next_light_ == end && next_heavy_ == end)) return {.taken = {}, .empty = true};
  const std::size_t light = next_of(next_light_, false, left.locks);
  const std::size_t heavy = next_of(next_heavy_, true, left.locks);
  // What is left is for the worker that runs what has locks.
  if (!left.locks && light == end && heavy == end) return {.taken = {}, .empty = true};
  const std::size_t next = left.heavy ? std::min(light, heavy) : light;
  if (next == end) return {};
  if (!left.idle && needs_[next].descriptors > left.descriptors) return {};
  return {.taken = remove(next), .empty = false};
}

void case_queue::close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
}

std::vector<ticket> case_queue::rest() {
  const std::scoped_lock lock(mutex_);
  std::vector<ticket> left;
  for (std::size_t at = 0; at < plans_.size(); ++at) {
    if (plans_[at] != nullptr) left.push_back(remove(at));
  }
  return left;
}

}  // namespace runner
