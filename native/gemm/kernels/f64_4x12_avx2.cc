// f64, 4 x 12, AVX2 + FMA: 12 accumulators, 3 vectors of B and 1 broadcast of A in the 16 registers.
#include <immintrin.h>

#include "gemm/kernels/f64_millikernel.h"
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
  using Register = __m256d;
  static constexpr int kLanes = 4;
  static Register zero() { return _mm256_setzero_pd(); }
  static void pin(Register& v) { asm volatile("" : "+x"(v)); }
  static Register load(const double* p) { return _mm256_loadu_pd(p); }
  static Register load_source(const double* p, std::ptrdiff_t) { return load(p); }
  static Element a_word(const double* p, std::size_t) { return *p; }
  static Element b_word(const double* p, std::ptrdiff_t, std::size_t) { return *p; }
  static Register broadcast(const double* p) { return _mm256_broadcast_sd(p); }
  static Register mul(Register a, Register b) { return _mm256_mul_pd(a, b); }
  static Register fma(Register a, Register b, Register c) { return _mm256_fmadd_pd(a, b, c); }
  // Volatile asm keeps the order of the source: GCC otherwise hoists broadcasts, runs out of registers and spills.
  static Register broadcast_in_order(const Element* p) {
    Register v;
    asm volatile("vbroadcastsd %1, %0" : "=x"(v) : "m"(*p));
    return v;
  }
  static void accumulate(Register& c, Register a, Register b) {
    asm volatile("vfmadd231pd %2, %1, %0" : "+x"(c) : "x"(a), "x"(b));
  }
  // The same with b in memory: one instruction for the load and the product, so that more of a stream is under way.
  static void accumulate_from(Register& c, Register a, const double* b) {
    asm volatile("vfmadd231pd %2, %1, %0" : "+x"(c) : "x"(a), "m"(*reinterpret_cast<const double (*)[kLanes]>(b)));
  }
  static void store(double* p, Register v) { _mm256_storeu_pd(p, v); }
  static __m256i mask(std::size_t count) {
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(static_cast<long long>(count)), _mm256_setr_epi64x(0, 1, 2, 3));
  }
  static Register load_partial(const double* p, std::size_t count) { return _mm256_maskload_pd(p, mask(count)); }
  static void store_partial(double* p, Register v, std::size_t count) { _mm256_maskstore_pd(p, mask(count), v); }
  static constexpr int kTransposedRows = 2, kTransposedSteps = 2;
  static void transpose(const double* a, std::ptrdiff_t lda, double* packed, std::ptrdiff_t step) {
    const __m128d r0 = _mm_loadu_pd(a), r1 = _mm_loadu_pd(a + lda);
    _mm_storeu_pd(packed, _mm_unpacklo_pd(r0, r1));
    _mm_storeu_pd(packed + step, _mm_unpackhi_pd(r0, r1));
  }
#define AIBENCH_FMA231(c) "vfmadd231pd %[b], %[a], " c "\n\t"
  AIBENCH_ACCUMULATE_TWELVE(AIBENCH_FMA231, "x")
#undef AIBENCH_FMA231
};

}  // namespace

constexpr Microkernel<double> gemm_f64_4x12_avx2 = with_millikernels<Vector>(make_microkernel<Vector, 4, 3>("f64_4x12_avx2", Isa::kAvx2));

}  // namespace aibench
