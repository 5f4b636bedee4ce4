#include "scenarios/services/low_descriptors.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace scenarios {
namespace {

// What the kernel copies at least.
constexpr int copied_at_least = 64;
// With fewer to be had they are the scenarios' own.
constexpr rlim_t limit_min = 1024;

}  // namespace

// Never destroyed: children are made until the end.
low_descriptors& low_descriptors::all() {
  static auto* const one = new low_descriptors;
  return *one;
}

void low_descriptors::hold() {
  low_descriptors& one = all();
  const std::scoped_lock alone(one.alone_);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < limit_min) return;
  while (one.take(copied_at_least)) {
  }
}

std::size_t low_descriptors::count() {
  low_descriptors& one = all();
  const std::scoped_lock alone(one.alone_);
  return one.held_.size();
}

/// Another one, if the lowest that is free is below this number.
bool low_descriptors::take(int below) {
  if (!nothing_.is_open()) nothing_.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!nothing_.is_open()) return false;
  // Not the standard three, which a child puts its own in place of.
  descriptor next(::fcntl(nothing_.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!next.is_open() || next.get() >= below) return false;
  held_.push_back(std::move(next));
  return true;
}

/// 0, or the errno of why there are not enough for a child.
int low_descriptors::take_places() {
  while (held_.size() < places)
    if (!take(INT_MAX)) return errno;
  std::ranges::transform(held_.begin(), held_.begin() + places, lent_.begin(), &descriptor::get);
  return 0;
}

low_descriptors::loan::loan(std::span<const int, places> what)
    : alone_(all().alone_), error_(all().take_places()) {
  for (std::size_t i = 0; i < places && error_ == 0; ++i)
    if (::dup3(what[i], at(i), O_CLOEXEC) < 0) error_ = errno;
}

low_descriptors::loan::~loan() {
  if (all().held_.size() < places) return;
  for (const int each : all().lent_) ::dup3(all().nothing_.get(), each, O_CLOEXEC);
}

int low_descriptors::loan::at(std::size_t place) const {
  return all().lent_[place];
}

unsigned low_descriptors::loan::end() const {
  return static_cast<unsigned>(*std::ranges::max_element(all().lent_)) + 1;
}

}  // namespace scenarios
