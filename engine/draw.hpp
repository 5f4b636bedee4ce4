// Random numbers by identity: keyed to who asks and for what, never to when.
//
// A generator that several share hands out its numbers in the order in which they ask, which is the
// kernel's choice. Here the same question has the same answer on every machine, whatever else
// happens. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace uring {

// FNV-1a. Applied to each part of an identity in turn: where one ends and the next begins counts.
constexpr std::uint64_t hash_identity(std::uint64_t seed, std::string_view part) {
  std::uint64_t hash = seed ^ 0xcbf29ce484222325U;
  for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

// The number at place `n` of the sequence that belongs to `seed` (splitmix64): similar seeds have
// nothing in common.
constexpr std::uint64_t draw_bits(std::uint64_t seed, std::uint64_t n) {
  std::uint64_t bits = seed + 0x9e3779b97f4a7c15U * (n + 1);
  bits = (bits ^ (bits >> 30U)) * 0xbf58476d1ce4e5b9U;
  bits = (bits ^ (bits >> 27U)) * 0x94d049bb133111ebU;
  return bits ^ (bits >> 31U);
}

// The same as a fraction, from 0 to below 1.
constexpr double draw(std::uint64_t seed, std::uint64_t n) {
  return static_cast<double>(draw_bits(seed, n) >> 11U) * 0x1p-53;
}

}  // namespace uring
