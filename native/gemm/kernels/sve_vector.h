// f32 and f64 vectors of SVE for tile_body.h, at the one length that the file is compiled for (-msve-vector-bits): registers then
// have a size, and offsets are constants. Which length the CPU has is asked at run time (core/cpu_features.cc).
#pragma once
#include <arm_sve.h>

#define AIBENCH_LOW_ROWS 2  // of a build that is emulated: AdvSIMD's files prove what more rows need

#include "gemm/kernels/tile_body.h"
#include "gemm/kernels/words.h"

namespace aibench {
namespace {

#define AIBENCH_SVE_REGISTER __attribute__((arm_sve_vector_bits(__ARM_FEATURE_SVE_BITS)))
typedef svfloat32_t SveF32 AIBENCH_SVE_REGISTER;
typedef svfloat64_t SveF64 AIBENCH_SVE_REGISTER;
typedef svint32_t SveS32 AIBENCH_SVE_REGISTER;

template <typename E>
struct SveTypes;
template <>
struct SveTypes<float> {
  using Register = SveF32;
  static svfloat32_t all(float x) { return svdup_n_f32(x); }
};
template <>
struct SveTypes<double> {
  using Register = SveF64;
  static svfloat64_t all(double x) { return svdup_n_f64(x); }
};
template <>
struct SveTypes<std::int32_t> {
  using Register = SveS32;
  static svint32_t all(std::int32_t x) { return svdup_n_s32(x); }
};

// Twelve of `instruction` in one asm statement, as in twelve.h, with a predicate beside.
#define AIBENCH_SVE_TWELVE(name, ACCUMULATE)                                                                           \
  static void name(Register& c0, Register& c1, Register& c2, Register& c3, Register& c4, Register& c5, Register& c6,   \
                   Register& c7, Register& c8, Register& c9, Register& c10, Register& c11, Register a, Register b) {   \
    asm volatile(ACCUMULATE("%0") ACCUMULATE("%1") ACCUMULATE("%2") ACCUMULATE("%3") ACCUMULATE("%4") ACCUMULATE("%5") \
                 ACCUMULATE("%6") ACCUMULATE("%7") ACCUMULATE("%8") ACCUMULATE("%9") ACCUMULATE("%10")                 \
                 ACCUMULATE("%11")                                                                                     \
                 : "+w"(c0), "+w"(c1), "+w"(c2), "+w"(c3), "+w"(c4), "+w"(c5), "+w"(c6), "+w"(c7), "+w"(c8), "+w"(c9), \
                   "+w"(c10), "+w"(c11)                                                                                \
                 : [a] "w"(a), [b] "w"(b), [p] "Upl"(svptrue_b8()));                                                   \
  }

template <typename E>
struct SveVector {
  using Element = E;
  using Source = E;
  using Weight = E;
  using Register = typename SveTypes<E>::Register;
  static constexpr int kGroup = 1, kOffset = 0;
  static constexpr bool kInPlaceA = true;
  static constexpr int kLanes = __ARM_FEATURE_SVE_BITS / 8 / sizeof(E);
  static svbool_t first(std::size_t count) {
    if constexpr (sizeof(E) == 8) return svwhilelt_b64(std::uint64_t{0}, static_cast<std::uint64_t>(count));
    else return svwhilelt_b32(std::uint64_t{0}, static_cast<std::uint64_t>(count));
  }
  static Register zero() { return SveTypes<E>::all(0); }
  static void pin(Register& v) { asm volatile("" : "+w"(v)); }
  static Register load(const E* p) { return svld1(svptrue_b8(), p); }
  static Register load_source(const E* p, std::ptrdiff_t) { return load(p); }
  static E a_word(const E* p, std::size_t) { return *p; }
  static E b_word(const E* p, std::ptrdiff_t, std::size_t) { return *p; }
  static Register broadcast(const E* p) { return SveTypes<E>::all(*p); }
  // Volatile asm keeps the order of the source: GCC otherwise hoists broadcasts, runs out of registers and spills.
  static Register broadcast_in_order(const E* p) {
    Register v;
    if constexpr (sizeof(E) == 8) asm volatile("ld1rd {%0.d}, %1/z, %2" : "=w"(v) : "Upl"(svptrue_b8()), "Q"(*p));
    else asm volatile("ld1rw {%0.s}, %1/z, %2" : "=w"(v) : "Upl"(svptrue_b8()), "Q"(*p));
    return v;
  }
  static Register add(Register a, Register b) { return svadd_x(svptrue_b8(), a, b); }
  static Register mul(Register a, Register b) { return svmul_x(svptrue_b8(), a, b); }
  static Register fma(Register a, Register b, Register c) { return svmla_x(svptrue_b8(), c, a, b); }
  static void accumulate(Register& c, Register a, Register b) {
    if constexpr (sizeof(E) == 8) asm volatile("fmla %0.d, %3/m, %1.d, %2.d" : "+w"(c) : "w"(a), "w"(b), "Upl"(svptrue_b8()));
    else asm volatile("fmla %0.s, %3/m, %1.s, %2.s" : "+w"(c) : "w"(a), "w"(b), "Upl"(svptrue_b8()));
  }
  static void store(E* p, Register v) { svst1(svptrue_b8(), p, v); }
  static Register load_partial(const E* p, std::size_t count) { return svld1(first(count), p); }
  static void store_partial(E* p, Register v, std::size_t count) { svst1(first(count), p, v); }
  static constexpr int kTransposedRows = 1, kTransposedSteps = 1;
  static void transpose(const E* a, std::ptrdiff_t, E* packed, std::ptrdiff_t) { *packed = *a; }
  static void accumulate_twelve(Register& c0, Register& c1, Register& c2, Register& c3, Register& c4, Register& c5,
                                Register& c6, Register& c7, Register& c8, Register& c9, Register& c10, Register& c11,
                                Register a, Register b) {
    if constexpr (sizeof(E) == 8) double_twelve(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, a, b);
    else single_twelve(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, a, b);
  }

 private:
#define AIBENCH_FMLA_S(c) "fmla " c ".s, %[p]/m, %[a].s, %[b].s\n\t"
#define AIBENCH_FMLA_D(c) "fmla " c ".d, %[p]/m, %[a].d, %[b].d\n\t"
  AIBENCH_SVE_TWELVE(single_twelve, AIBENCH_FMLA_S)
  AIBENCH_SVE_TWELVE(double_twelve, AIBENCH_FMLA_D)
#undef AIBENCH_FMLA_S
#undef AIBENCH_FMLA_D
};

// What packing converts to f32.
template <typename H>
struct SveHalfVector : SveVector<float> {
  using Source = H;
  using Weight = H;
  static constexpr bool kInPlaceA = false;
  static Register load_source(const H* p, std::ptrdiff_t) {
    return widened(svld1uh_u32(svptrue_b32(), &p->bits), p);
  }
  static float a_word(const H* p, std::size_t) { return converted(*p); }
  static float b_word(const H* p, std::ptrdiff_t, std::size_t) { return converted(*p); }
  static void transpose(const H* a, std::ptrdiff_t, float* packed, std::ptrdiff_t) { *packed = converted(*a); }

 private:
  static svfloat32_t widened(svuint32_t bits, const Bf16*) { return svreinterpret_f32(svlsl_n_u32_x(svptrue_b32(), bits, 16)); }
  static svfloat32_t widened(svuint32_t bits, const F16*) { return svcvt_f32_f16_x(svptrue_b32(), svreinterpret_f16(bits)); }
};

}  // namespace
}  // namespace aibench
