// Seeded inputs: the element depends on the seed and its index only, so that any thread may fill any part.
#pragma once
#include <cstddef>
#include <cstdint>

namespace aibench {

// SplitMix64 (Steele, Lea, Flood 2014): the index-th number of the stream `seed`.
inline std::uint64_t random_bits(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t z = seed * 0xd1342543de82ef95u + (index + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// Uniform over the odd multiples of 2^-23 (float) or 2^-52 (double) in (-1, 1): never zero, and exact.
template <typename T>
T random_unit(std::uint64_t seed, std::uint64_t index) {
  constexpr int kBits = sizeof(T) == 4 ? 23 : 52;
  const std::uint64_t odd = 2 * (random_bits(seed, index) >> (64 - kBits)) + 1;
  return static_cast<T>(odd) * (T{1} / static_cast<T>(std::uint64_t{1} << kBits)) - T{1};
}

}  // namespace aibench
