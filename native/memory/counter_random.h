// Random numbers by position: any thread can make, and any checker can make again, the value of any element on its own.
#pragma once
#include <cstdint>

namespace aibench {

// The finalizer of splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014).
inline std::uint64_t mix64(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// 64 bits for element `index` of sequence `stream` under `seed`.
inline std::uint64_t random_bits(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) {
  constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15u;
  return mix64(mix64(seed + kGolden * (stream + 1)) + kGolden * (index + 1));
}

// Uniform in [0, bound), bound > 0, by multiply-shift; the bias is below bound / 2^64.
inline std::uint64_t random_below(std::uint64_t bits, std::uint64_t bound) {
  return static_cast<std::uint64_t>((static_cast<unsigned __int128>(bits) * bound) >> 64);
}

}  // namespace aibench
