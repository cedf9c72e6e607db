// int8 products with AVX2 for weights in [-64, 63], for tile_body.h: a word is four int8, and vpmaddubsw, which adds two products at 16 bits,
// cannot saturate: 255 * 64 * 2 and 128 * 127 * 2 fit. Half as many multiplications as int8_vector_avx2.h, which takes any weights.
// vpmaddubsw wants one operand without a sign: A of u8; for s8 it is B + 64 (kOffset).
#pragma once
#include "gemm/kernels/s32_vector_256.h"

namespace aibench {
namespace {

template <typename A>
struct Int8NarrowVector : S32Vector {
  using Source = A;
  static constexpr bool kSigned = static_cast<A>(-1) < static_cast<A>(1);
  static constexpr int kGroup = 4, kOffset = kSigned ? 64 : 0;
  static Register load_source(const std::int8_t* p, std::ptrdiff_t ldb) {
    const Register quads = int8_quads(p, ldb);
    return kSigned ? _mm256_add_epi8(quads, _mm256_set1_epi8(kOffset)) : quads;
  }
  static std::int32_t a_word(const A* p, std::size_t count) { return grouped<4, std::int8_t, std::int32_t>(p, 1, count); }
  static std::int32_t b_word(const std::int8_t* p, std::ptrdiff_t ldb, std::size_t count) {
    const auto word = grouped<4, std::int8_t, std::uint32_t>(p, ldb, count);
    // Byte by byte: no carry leaves the lower seven bits.
    return static_cast<std::int32_t>(kSigned ? ((word & 0x7f7f7f7fu) + 0x40404040u) ^ (word & 0x80808080u) : word);
  }
  static void transpose(const A* a, std::ptrdiff_t lda, std::int32_t* packed, std::ptrdiff_t step) {
    transpose_words<RawWords>(a, lda, packed, step);
  }
  static void accumulate(Register& c, Register a, Register b) {
    Register products;
    const Register without_sign = kSigned ? b : a, with_sign = kSigned ? a : b;
    asm volatile("vpmaddubsw %3, %2, %1\n\tvpmaddwd %4, %1, %1\n\tvpaddd %1, %0, %0"
                 : "+x"(c), "=&x"(products)
                 : "x"(without_sign), "x"(with_sign), "x"(_mm256_set1_epi16(1)));
  }
  // %[b] is given as the one without a sign. Twelve sums, a, b and the products leave one register; the ones are read from memory all the
  // same, since the compiler would load them anew for every statement.
  static void accumulate_twelve(Register& c0, Register& c1, Register& c2, Register& c3, Register& c4, Register& c5,
                                Register& c6, Register& c7, Register& c8, Register& c9, Register& c10, Register& c11,
                                Register a, Register b) {
    alignas(32) static constexpr std::int16_t kOnes[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
#define AIBENCH_MADD(c) "vpmaddubsw %[a], %[b], %%ymm15\n\tvpmaddwd %[ones], %%ymm15, %%ymm15\n\tvpaddd %%ymm15, " c ", " c "\n\t"
    asm volatile(AIBENCH_MADD("%0") AIBENCH_MADD("%1") AIBENCH_MADD("%2") AIBENCH_MADD("%3") AIBENCH_MADD("%4") AIBENCH_MADD("%5")
                 AIBENCH_MADD("%6") AIBENCH_MADD("%7") AIBENCH_MADD("%8") AIBENCH_MADD("%9") AIBENCH_MADD("%10") AIBENCH_MADD("%11")
                 : "+x"(c0), "+x"(c1), "+x"(c2), "+x"(c3), "+x"(c4), "+x"(c5), "+x"(c6), "+x"(c7), "+x"(c8), "+x"(c9), "+x"(c10), "+x"(c11)
                 : [a] "x"(kSigned ? a : b), [b] "x"(kSigned ? b : a), [ones] "m"(kOnes)
                 : "xmm15");
#undef AIBENCH_MADD
  }
};

}  // namespace
}  // namespace aibench
