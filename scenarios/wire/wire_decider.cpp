#include "scenarios/wire/wire_decider.hpp"

namespace scenarios {

// The finalizer of splitmix64: every bit of the question moves every bit of the answer.
std::uint64_t wire_mix(std::uint64_t seed, std::uint64_t with) {
  std::uint64_t z = seed + 0x9e3779b97f4a7c15U * (with + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

double wire_draw(std::uint64_t seed, std::uint64_t occurrence) {
  return static_cast<double>(wire_mix(seed, occurrence) >> 11) * 0x1p-53;
}

}  // namespace scenarios
