// STREAM with 256-bit vectors.
#include <immintrin.h>

#include "memory/kernels/stream_loops.h"

namespace aibench {
namespace {

struct Avx2 {
  using type = __m256d;
  static constexpr std::size_t width = 4;
  static type load(const double* p) { return _mm256_load_pd(p); }
  static type broadcast(double value) { return _mm256_set1_pd(value); }
  static type mul(type a, type b) { return _mm256_mul_pd(a, b); }
  static type add(type a, type b) { return _mm256_add_pd(a, b); }
  static type fma(type a, type b, type c) { return _mm256_fmadd_pd(a, b, c); }
  static void store2(double* p, type a, type b) {
    _mm256_store_pd(p, a);
    _mm256_store_pd(p + 4, b);
  }
  static void stream2(double* p, type a, type b) {
    _mm256_stream_pd(p, a);
    _mm256_stream_pd(p + 4, b);
  }
  static void fence() { _mm_sfence(); }
};

}  // namespace

const StreamKernelSet kStreamKernels_avx2 = {
    "avx2", AIBENCH_STREAM_LOOPS(Avx2, false), AIBENCH_STREAM_LOOPS(Avx2, true)};

}  // namespace aibench
