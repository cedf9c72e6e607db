// f32 vectors of avx512f for tile_body.h; the kernels of dtypes that packing converts to f32 derive theirs from it.
#pragma once
#ifdef AIBENCH_SIMDE  // a correctness build for CPUs without AVX-512, see native/test
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#else
#include <immintrin.h>
#endif

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
  using Register = __m512;
  static constexpr int kLanes = 16;
  static Register zero() { return _mm512_setzero_ps(); }
  static void pin([[maybe_unused]] Register& v) {
#ifndef AIBENCH_SIMDE
    asm volatile("" : "+v"(v));
#endif
  }
  static Register load(const float* p) { return _mm512_loadu_ps(p); }
  static Register load_source(const float* p, std::ptrdiff_t) { return load(p); }
  static Element a_word(const float* p, std::size_t) { return *p; }
  static Element b_word(const float* p, std::ptrdiff_t, std::size_t) { return *p; }
  static Register broadcast(const float* p) { return _mm512_set1_ps(*p); }
  static Register mul(Register a, Register b) { return _mm512_mul_ps(a, b); }
  static Register fma(Register a, Register b, Register c) { return _mm512_fmadd_ps(a, b, c); }
  // Volatile asm keeps the order of the source: GCC otherwise hoists broadcasts, runs out of registers and spills.
  static Register broadcast_in_order(const Element* p) {
#ifdef AIBENCH_SIMDE
    return broadcast(p);
#else
    Register v;
    asm volatile("vbroadcastss %1, %0" : "=v"(v) : "m"(*p));
    return v;
#endif
  }
  static void accumulate(Register& c, Register a, Register b) {
#ifdef AIBENCH_SIMDE
    c = fma(a, b, c);
#else
    asm volatile("vfmadd231ps %2, %1, %0" : "+v"(c) : "v"(a), "v"(b));
#endif
  }
  static void store(float* p, Register v) { _mm512_storeu_ps(p, v); }
#ifdef AIBENCH_SIMDE  // has no masked load and store
  static Register load_partial(const float* p, std::size_t count) {
    float lanes[kLanes] = {};
    for (std::size_t i = 0; i < count; ++i) lanes[i] = p[i];
    return load(lanes);
  }
  static void store_partial(float* p, Register v, std::size_t count) {
    float lanes[kLanes];
    store(lanes, v);
    for (std::size_t i = 0; i < count; ++i) p[i] = lanes[i];
  }
#else
  static __mmask16 mask(std::size_t count) { return static_cast<__mmask16>((1u << count) - 1); }
  static Register load_partial(const float* p, std::size_t count) { return _mm512_maskz_loadu_ps(mask(count), p); }
  static void store_partial(float* p, Register v, std::size_t count) { _mm512_mask_storeu_ps(p, mask(count), v); }
#endif
  static constexpr int kTransposedRows = 4, kTransposedSteps = 4;
  static void transpose(const float* a, std::ptrdiff_t lda, float* packed, std::ptrdiff_t step) {
    __m128 r0 = _mm_loadu_ps(a), r1 = _mm_loadu_ps(a + lda), r2 = _mm_loadu_ps(a + 2 * lda), r3 = _mm_loadu_ps(a + 3 * lda);
    _MM_TRANSPOSE4_PS(r0, r1, r2, r3);
    _mm_storeu_ps(packed, r0);
    _mm_storeu_ps(packed + step, r1);
    _mm_storeu_ps(packed + 2 * step, r2);
    _mm_storeu_ps(packed + 3 * step, r3);
  }
#ifdef AIBENCH_SIMDE
  AIBENCH_ACCUMULATE_TWELVE_PLAIN
#else
#define AIBENCH_FMA231(c) "vfmadd231ps %[b], %[a], " c "\n\t"
  AIBENCH_ACCUMULATE_TWELVE(AIBENCH_FMA231, "v")
#undef AIBENCH_FMA231
#endif
};

}  // namespace
}  // namespace aibench
