// int4 weights as they lie, and the kernels that use them: one row per ISA and dtype in kernels/int4_<isa>.cc.
//
// A strip of columns has one 32-bit word for each eight elements of k and column, the columns side by side:
// eight codes of four bits each, signed; beyond k they are 0. Where float scales belong to them there is one for each kInt4Group elements of k and
// column, in the same order.
#pragma once
#include <cstddef>
#include <cstdint>

#include "gemm/compressed/strips.h"
#include "gemm/microkernel.h"

namespace aibench {

constexpr std::size_t kInt4Codes = 8, kInt4Group = 32;

// Which four bits of a word hold element k % 8: so that what a kernel multiplies at once (an f32, a pair of bf16, a quad of int8) comes out of one
// shift and one mask, or one shift and one look-up.
template <typename T>
constexpr unsigned int4_place(unsigned k) {
  return k;
}
template <>
constexpr unsigned int4_place<Bf16>(unsigned k) {  // the even ones below, the odd ones above
  return k % 2 * 4 + k / 2;
}
template <>
constexpr unsigned int4_place<std::int8_t>(unsigned k) {  // two to a byte, four apart
  return k % 4 * 2 + k / 4;
}

template <typename T>
struct Int4Rows : StripRows<T> {
  std::size_t words;           // of a column
  const OutputOf<T>* offsets;  // to add to each row of C; nullptr where there are scales
  const std::uint32_t* codes;  // of the first strip; the next is words * kStrip on
  const float* scales;         // the same, words / 4 rounded up; nullptr for int8
};

template <typename T>
struct Int4Kernel {
  Isa isa;
  int group;  // of the dense kernel whose panels unpack() makes, ...
  int lanes;  // ... and its vectors
  // `words` words of `lanes` columns to steps of a packed panel, `pitch` words of it apart: as pack_b makes them. (words, codes, scales, panel, pitch)
  void (*unpack)(std::size_t, const std::uint32_t*, const float*, OutputOf<T>*, std::size_t);
  // Products without unpacking anything to memory, each word used by a few rows of A while it is in a register.
  void (*rows)(const Int4Rows<T>&);
  int a_bytes;   // of an element of A as rows() wants it: those of T, 4 for f32, 2 for s16
  int a_offset;  // rows() multiplies codes + a_offset: offsets are -a_offset times the sum of a row
};

extern const Int4Kernel<float> kInt4_f32_avx2, kInt4_f32_avx512f;
extern const Int4Kernel<Bf16> kInt4_bf16_avx2, kInt4_bf16_avx512f, kInt4_bf16_avx512bf16;
extern const Int4Kernel<std::int8_t> kInt4_s8_avx2, kInt4_s8_avx512vnni;

}  // namespace aibench
