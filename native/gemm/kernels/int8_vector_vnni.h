// int8 products with vpdpbusd for tile_body.h, of either width: a word is four int8. The instruction wants one operand without a
// sign: for s8 that is B + 128, and packed A carries what has to be taken off again (kOffset); u8 times s8 is what it is made for.
//
// The file that includes this one derives VnniVector from the S32Vector of its width, with `b_quads`, `flip_signs` and, for SIMDe, `dot`, and defines
// AIBENCH_DPBUSD, the instruction as the assembler needs it, and AIBENCH_VECTOR, the constraint of its registers.
#pragma once

namespace aibench {
namespace {

template <typename A>
struct Int8Vector : VnniVector {
  using Source = A;
  static constexpr bool kSigned = static_cast<A>(-1) < static_cast<A>(1);
  static constexpr int kGroup = 4, kOffset = kSigned ? 128 : 0;
  static Register load_source(const std::int8_t* p, std::ptrdiff_t ldb) {
    const Register quads = b_quads(p, ldb);
    return kSigned ? flip_signs(quads) : quads;
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
  static void accumulate(Register& c, Register a, Register b) { c = kSigned ? dot(c, b, a) : dot(c, a, b); }
  AIBENCH_ACCUMULATE_TWELVE_PLAIN
#else
  static void accumulate(Register& c, Register a, Register b) {
    if constexpr (kSigned) asm volatile(AIBENCH_DPBUSD " %1, %2, %0" : "+" AIBENCH_VECTOR(c) : AIBENCH_VECTOR(a), AIBENCH_VECTOR(b));
    else asm volatile(AIBENCH_DPBUSD " %2, %1, %0" : "+" AIBENCH_VECTOR(c) : AIBENCH_VECTOR(a), AIBENCH_VECTOR(b));
  }
  // The rate does not depend on which operand is which: %[b] is given as the one without a sign.
  static void accumulate_twelve(Register& c0, Register& c1, Register& c2, Register& c3, Register& c4, Register& c5,
                                Register& c6, Register& c7, Register& c8, Register& c9, Register& c10, Register& c11,
                                Register a, Register b) {
    if constexpr (kSigned) twelve(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, a, b);
    else twelve(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, b, a);
  }

 private:
#define AIBENCH_DOT(c) AIBENCH_DPBUSD " %[a], %[b], " c "\n\t"
  AIBENCH_TWELVE(twelve, AIBENCH_DOT, AIBENCH_VECTOR)
#undef AIBENCH_DOT
#endif
};

}  // namespace
}  // namespace aibench
