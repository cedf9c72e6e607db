// int8 products with AVX-VNNI for tile_body.h: a word is four int8. vpdpbusd wants one operand without a sign: for s8 that is
// B + 128, and packed A carries what has to be taken off again (kOffset); u8 times s8 is what the instruction is made for.
#pragma once
#include "gemm/kernels/s32_vector_256.h"

namespace aibench {
namespace {

template <typename A>
struct Int8Vector : S32Vector {
  using Source = A;
  static constexpr bool kSigned = static_cast<A>(-1) < static_cast<A>(1);
  static constexpr int kGroup = 4, kOffset = kSigned ? 128 : 0;
  static Register load_source(const std::int8_t* p, std::ptrdiff_t ldb) {
    const Register quads = int8_quads(p, ldb);
    return kSigned ? _mm256_xor_si256(quads, _mm256_set1_epi8(-128)) : quads;
  }
  static std::int32_t a_word(const A* p, std::size_t count) { return grouped<4, std::int8_t, std::int32_t>(p, 1, count); }
  static std::int32_t b_word(const std::int8_t* p, std::ptrdiff_t ldb, std::size_t count) {
    const auto word = grouped<4, std::int8_t, std::uint32_t>(p, ldb, count);
    return static_cast<std::int32_t>(kSigned ? word ^ 0x80808080u : word);
  }
  static void transpose(const A* a, std::ptrdiff_t lda, std::int32_t* packed, std::ptrdiff_t step) {
    transpose_words<RawWords>(a, lda, packed, step);
  }
#ifdef AIBENCH_SIMDE
  static void accumulate(Register& c, Register a, Register b) {
    c = kSigned ? _mm256_dpbusd_epi32(c, b, a) : _mm256_dpbusd_epi32(c, a, b);
  }
  AIBENCH_ACCUMULATE_TWELVE_PLAIN
#else
  static void accumulate(Register& c, Register a, Register b) {
    if constexpr (kSigned) asm volatile("%{vex%} vpdpbusd %1, %2, %0" : "+x"(c) : "x"(a), "x"(b));
    else asm volatile("%{vex%} vpdpbusd %2, %1, %0" : "+x"(c) : "x"(a), "x"(b));
  }
  // The rate does not depend on which operand is which: %[b] is given as the one without a sign.
  static void accumulate_twelve(Register& c0, Register& c1, Register& c2, Register& c3, Register& c4, Register& c5,
                                Register& c6, Register& c7, Register& c8, Register& c9, Register& c10, Register& c11,
                                Register a, Register b) {
    if constexpr (kSigned) twelve(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, a, b);
    else twelve(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, b, a);
  }

 private:
#define AIBENCH_DOT(c) "%{vex%} vpdpbusd %[a], %[b], " c "\n\t"
  AIBENCH_TWELVE(twelve, AIBENCH_DOT, "x")
#undef AIBENCH_DOT
#endif
};

}  // namespace
}  // namespace aibench
