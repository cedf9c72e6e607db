// f64, 8 x 24, AVX-512F: 24 accumulators, 3 vectors of B and 1 broadcast of A in 28 of the 32 registers. Eight rows of A
// are read in place: they still fit in the ways of an L1 when lda is a power of two.
#ifdef AIBENCH_SIMDE  // a correctness build for CPUs without AVX-512, see native/test
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#else
#include <immintrin.h>
#endif

#define AIBENCH_MILLI_512
#include "gemm/kernels/f64_millikernel.h"
#include "gemm/kernels/few_millikernel_avx512.h"
#include "gemm/kernels/tile_body.h"
#include "gemm/kernels/twelve.h"

namespace aibench {
namespace {

struct Vector {
  using Element = double;
  using Source = double;
  using Weight = double;
  static constexpr int kGroup = 1, kOffset = 0;
  static constexpr bool kInPlaceA = true;
  using Register = __m512d;
  static constexpr int kLanes = 8;
  static Register zero() { return _mm512_setzero_pd(); }
  static void pin([[maybe_unused]] Register& v) {
#ifndef AIBENCH_SIMDE
    asm volatile("" : "+v"(v));
#endif
  }
  static Register load(const double* p) { return _mm512_loadu_pd(p); }
  static Register load_source(const double* p, std::ptrdiff_t) { return load(p); }
  static Element a_word(const double* p, std::size_t) { return *p; }
  static Element b_word(const double* p, std::ptrdiff_t, std::size_t) { return *p; }
  static Register broadcast(const double* p) { return _mm512_set1_pd(*p); }
  static Register mul(Register a, Register b) { return _mm512_mul_pd(a, b); }
  static Register fma(Register a, Register b, Register c) { return _mm512_fmadd_pd(a, b, c); }
  // Volatile asm keeps the order of the source: GCC otherwise hoists broadcasts, runs out of registers and spills.
  static Register broadcast_in_order(const Element* p) {
#ifdef AIBENCH_SIMDE
    return broadcast(p);
#else
    Register v;
    asm volatile("vbroadcastsd %1, %0" : "=v"(v) : "m"(*p));
    return v;
#endif
  }
  static void accumulate(Register& c, Register a, Register b) {
#ifdef AIBENCH_SIMDE
    c = fma(a, b, c);
#else
    asm volatile("vfmadd231pd %2, %1, %0" : "+v"(c) : "v"(a), "v"(b));
#endif
  }
  static void store(double* p, Register v) { _mm512_storeu_pd(p, v); }
#ifdef AIBENCH_SIMDE  // has no masked load and store
  static Register load_partial(const double* p, std::size_t count) {
    double lanes[kLanes] = {};
    for (std::size_t i = 0; i < count; ++i) lanes[i] = p[i];
    return load(lanes);
  }
  static void store_partial(double* p, Register v, std::size_t count) {
    double lanes[kLanes];
    store(lanes, v);
    for (std::size_t i = 0; i < count; ++i) p[i] = lanes[i];
  }
#else
  static __mmask8 mask(std::size_t count) { return static_cast<__mmask8>((1u << count) - 1); }
  static Register load_partial(const double* p, std::size_t count) { return _mm512_maskz_loadu_pd(mask(count), p); }
  static void store_partial(double* p, Register v, std::size_t count) { _mm512_mask_storeu_pd(p, mask(count), v); }
#endif
  static constexpr int kTransposedRows = 2, kTransposedSteps = 2;
  static void transpose(const double* a, std::ptrdiff_t lda, double* packed, std::ptrdiff_t step) {
    const __m128d r0 = _mm_loadu_pd(a), r1 = _mm_loadu_pd(a + lda);
    _mm_storeu_pd(packed, _mm_unpacklo_pd(r0, r1));
    _mm_storeu_pd(packed + step, _mm_unpackhi_pd(r0, r1));
  }
#ifdef AIBENCH_SIMDE
  AIBENCH_ACCUMULATE_TWELVE_PLAIN
#else
#define AIBENCH_FMA231(c) "vfmadd231pd %[b], %[a], " c "\n\t"
  AIBENCH_ACCUMULATE_TWELVE(AIBENCH_FMA231, "v")
#undef AIBENCH_FMA231
#endif
};

}  // namespace

constexpr Microkernel<double> gemm_f64_8x24_avx512f =
    with_few_millikernels<Vector>(with_millikernels<Vector>(make_microkernel<Vector, 8, 3>("f64_8x24_avx512f", Isa::kAvx512f)));

}  // namespace aibench
