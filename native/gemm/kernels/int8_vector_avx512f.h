// int8 products with AVX-512BW for tile_body.h: a word is a pair of int16, which vpmaddwd multiplies and adds without loss.
#pragma once
#include "gemm/kernels/s32_vector_512.h"

namespace aibench {
namespace {

template <typename A>
struct Int8Vector : S32Vector {
  using Source = A;
  static constexpr int kGroup = 2, kOffset = 0;
  static Register load_source(const std::int8_t* p, std::ptrdiff_t ldb) {
    return join(int16_pairs(p, ldb), int16_pairs(p + 8, ldb));
  }
  static std::int32_t a_word(const A* p, std::size_t count) { return grouped<2, std::int16_t, std::int32_t>(p, 1, count); }
  static std::int32_t b_word(const std::int8_t* p, std::ptrdiff_t ldb, std::size_t count) {
    return grouped<2, std::int16_t, std::int32_t>(p, ldb, count);
  }
  static void transpose(const A* a, std::ptrdiff_t lda, std::int32_t* packed, std::ptrdiff_t step) {
    transpose_words<WordsOf>(a, lda, packed, step);
  }
#ifdef AIBENCH_SIMDE
  static void accumulate(Register& c, Register a, Register b) { c = add(c, _mm512_madd_epi16(a, b)); }
  AIBENCH_ACCUMULATE_TWELVE_PLAIN
#else
  static void accumulate(Register& c, Register a, Register b) {
    Register products;
    asm volatile("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+v"(c), "=&v"(products) : "v"(a), "v"(b));
  }
#define AIBENCH_MADD(c) "vpmaddwd %[b], %[a], %%zmm31\n\tvpaddd %%zmm31, " c ", " c "\n\t"
  AIBENCH_ACCUMULATE_TWELVE(AIBENCH_MADD, "v", "xmm31")
#undef AIBENCH_MADD
#endif
};

}  // namespace
}  // namespace aibench
