#include "engine/fault_effect.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace uring {
namespace {

constexpr std::array<std::string_view, static_cast<size_t>(ring_fault::count_)> ring_names{
    "sq_full", "partial_submit", "submit_errno", "wait_errno", "cq_overflow", "reap_limit"};

}  // namespace

std::string_view ring_fault_name(ring_fault fault) {
  return fault < ring_fault::count_ ? ring_names[static_cast<size_t>(fault)] : "";
}

std::optional<ring_fault> find_ring_fault(std::string_view name) {
  const auto* const found = std::ranges::find(ring_names, name);
  if (found == ring_names.end()) return std::nullopt;
  return static_cast<ring_fault>(found - ring_names.begin());
}

uint64_t kept_bytes(const byte_amount& amount, uint64_t all) {
  uint64_t kept = amount.bytes;
  if (amount.by == byte_amount::measure::fraction) {
    const double part = std::clamp(amount.fraction, 0.0, 1.0);
    kept = static_cast<uint64_t>(std::floor(static_cast<double>(all) * part));
  } else if (amount.by == byte_amount::measure::minus) {
    kept = all > amount.bytes ? all - amount.bytes : 0;
  }
  return std::min(std::max<uint64_t>(kept, 1), all);
}

}  // namespace uring
