// 2:4 weights as they lie, and the kernels that multiply by them: one row per ISA and dtype in kernels/sparse24_<isa>.cc.
//
// Of every four elements along k a column keeps two. A strip has, for each 32 elements of k, one 32-bit word of places for each column and then
// words of values, the columns side by side. Beyond k values are 0.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/cpu_features.h"
#include "gemm/compressed/strips.h"

namespace aibench {

constexpr std::size_t kSparse24Depth = 32, kSparse24Groups = kSparse24Depth / 4;

// A step is what one word of values belongs to, or two for f32: four elements of k, of int8 eight.
template <typename T>
constexpr std::size_t kSparse24Steps = sizeof(T) == 1 ? 4 : 8;
template <typename T>
constexpr std::size_t kSparse24ValueWords = sizeof(T) * kSparse24Depth / 8;
template <typename T>
constexpr std::size_t kSparse24BlockWords = (1 + kSparse24ValueWords<T>) * kStrip;

// Where in a word of places the two bits for kept element `i` of group `g` are: a step's at 2 * step, of each kept one in a half of its own (a byte,
// for int8), so that a shift brings them to where a permutation looks for them.
template <typename T>
constexpr std::size_t sparse24_place(std::size_t g, std::size_t i) {
  return sizeof(T) == 1 ? 8 * (g % 2 * 2 + i) + g / 2 * 2 : 16 * i + 2 * g;
}
// Where in a strip's 32 elements of k its value is, in elements.
template <typename T>
constexpr std::size_t sparse24_value(std::size_t g, std::size_t i, std::size_t column) {
  if (sizeof(T) == 4) return (2 * g + i) * kStrip + column;
  if (sizeof(T) == 2) return (g * kStrip + column) * 2 + i;
  return (g / 2 * kStrip + column) * 4 + g % 2 * 2 + i;
}

template <typename T>
struct Sparse24Rows : StripRows<T> {
  std::size_t blocks;           // of 32 elements of k
  const std::uint32_t* strips;  // the next is blocks * kSparse24BlockWords on
  const OutputOf<T>* offsets;   // to add to each column of C, of whole strips; nullptr where a_offset is 0
};

template <typename T>
struct Sparse24Kernel {
  Isa isa;
  void (*rows)(const Sparse24Rows<T>&);
  int a_bytes;   // of an element of A as rows() wants it: those of T, 4 for f32, 2 for s16
  int a_offset;  // rows() multiplies by A + a_offset, modulo 256: offsets are -a_offset times the sum of a column
};

extern const Sparse24Kernel<float> kSparse24_f32_scalar, kSparse24_f32_avx2, kSparse24_f32_avx512f;
extern const Sparse24Kernel<Bf16> kSparse24_bf16_scalar, kSparse24_bf16_avx2, kSparse24_bf16_avx512f, kSparse24_bf16_avx512bf16;
extern const Sparse24Kernel<std::int8_t> kSparse24_s8_scalar, kSparse24_s8_avx2, kSparse24_s8_avx512vnni;

}  // namespace aibench
