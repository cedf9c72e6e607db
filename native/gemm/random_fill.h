// Seeded inputs: the element depends on the seed and its index only, so that any thread may fill any part.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/half.h"
#include "gemm/dtypes.h"

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

// An element of an operand: uniform in (-1, 1), rounded to nearest for bf16 and f16; for int8 over all that it can hold, since
// a kernel that saturates does so at the ends.
template <typename T>
struct RandomElement {
  static T at(std::uint64_t seed, std::uint64_t index) { return random_unit<T>(seed, index); }
};
template <>
struct RandomElement<Bf16> {
  static Bf16 at(std::uint64_t seed, std::uint64_t index) { return {float_to_bf16(random_unit<float>(seed, index))}; }
};
template <>
struct RandomElement<F16> {
  static F16 at(std::uint64_t seed, std::uint64_t index) { return {float_to_f16(random_unit<float>(seed, index))}; }
};
template <>
struct RandomElement<std::int8_t> {
  static std::int8_t at(std::uint64_t seed, std::uint64_t index) { return static_cast<std::int8_t>(random_bits(seed, index) >> 56); }
};
template <>
struct RandomElement<std::uint8_t> {
  static std::uint8_t at(std::uint64_t seed, std::uint64_t index) { return static_cast<std::uint8_t>(random_bits(seed, index) >> 56); }
};
template <typename T>
T random_element(std::uint64_t seed, std::uint64_t index) {
  return RandomElement<T>::at(seed, index);
}

}  // namespace aibench
