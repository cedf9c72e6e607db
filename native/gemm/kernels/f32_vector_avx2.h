// f32 vectors of avx2 for tile_body.h; the kernels of dtypes that packing converts to f32 derive theirs from it.
#pragma once
#include <immintrin.h>

#include "gemm/kernels/tile_body.h"
#include "gemm/kernels/twelve.h"

namespace aibench {
namespace {

struct F32Vector {
  using Element = float;
  using Source = float;
  using Weight = float;
  static constexpr int kGroup = 1, kOffset = 0;
  static constexpr bool kInPlaceA = true;
  using Register = __m256;
  static constexpr int kLanes = 8;
  static Register zero() { return _mm256_setzero_ps(); }
  static void pin(Register& v) { asm volatile("" : "+x"(v)); }
  static Register load(const float* p) { return _mm256_loadu_ps(p); }
  static Register load_source(const float* p, std::ptrdiff_t) { return load(p); }
  static Element a_word(const float* p, std::size_t) { return *p; }
  static Element b_word(const float* p, std::ptrdiff_t, std::size_t) { return *p; }
  static Register broadcast(const float* p) { return _mm256_broadcast_ss(p); }
  static Register mul(Register a, Register b) { return _mm256_mul_ps(a, b); }
  static Register fma(Register a, Register b, Register c) { return _mm256_fmadd_ps(a, b, c); }
  // Volatile asm keeps the order of the source: GCC otherwise hoists broadcasts, runs out of registers and spills.
  static Register broadcast_in_order(const Element* p) {
    Register v;
    asm volatile("vbroadcastss %1, %0" : "=x"(v) : "m"(*p));
    return v;
  }
  static void accumulate(Register& c, Register a, Register b) {
    asm volatile("vfmadd231ps %2, %1, %0" : "+x"(c) : "x"(a), "x"(b));
  }
  // The same with b in memory: one instruction for the load and the product, so that more of a stream is under way.
  static void accumulate_from(Register& c, Register a, const float* b) {
    asm volatile("vfmadd231ps %2, %1, %0" : "+x"(c) : "x"(a), "m"(*reinterpret_cast<const float (*)[kLanes]>(b)));
  }
  static void store(float* p, Register v) { _mm256_storeu_ps(p, v); }
  static __m256i mask(std::size_t count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static Register load_partial(const float* p, std::size_t count) { return _mm256_maskload_ps(p, mask(count)); }
  static void store_partial(float* p, Register v, std::size_t count) { _mm256_maskstore_ps(p, mask(count), v); }
  static constexpr int kTransposedRows = 4, kTransposedSteps = 4;
  static void transpose(const float* a, std::ptrdiff_t lda, float* packed, std::ptrdiff_t step) {
    __m128 r0 = _mm_loadu_ps(a), r1 = _mm_loadu_ps(a + lda), r2 = _mm_loadu_ps(a + 2 * lda), r3 = _mm_loadu_ps(a + 3 * lda);
    _MM_TRANSPOSE4_PS(r0, r1, r2, r3);
    _mm_storeu_ps(packed, r0);
    _mm_storeu_ps(packed + step, r1);
    _mm_storeu_ps(packed + 2 * step, r2);
    _mm_storeu_ps(packed + 3 * step, r3);
  }
#define AIBENCH_FMA231(c) "vfmadd231ps %[b], %[a], " c "\n\t"
  AIBENCH_ACCUMULATE_TWELVE(AIBENCH_FMA231, "x")
#undef AIBENCH_FMA231
};

}  // namespace
}  // namespace aibench
