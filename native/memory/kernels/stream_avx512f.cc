// STREAM with 512-bit vectors: one vector is one cache line.
#include <immintrin.h>

#include "memory/kernels/stream_loops.h"

namespace aibench {
namespace {

struct Avx512 {
  using type = __m512d;
  static constexpr std::size_t width = 8;
  static type load(const double* p) { return _mm512_load_pd(p); }
  static type broadcast(double value) { return _mm512_set1_pd(value); }
  static type mul(type a, type b) { return _mm512_mul_pd(a, b); }
  static type add(type a, type b) { return _mm512_add_pd(a, b); }
  static type fma(type a, type b, type c) { return _mm512_fmadd_pd(a, b, c); }
  static void store2(double* p, type a, type b) {
    _mm512_store_pd(p, a);
    _mm512_store_pd(p + 8, b);
  }
  static void stream2(double* p, type a, type b) {
    _mm512_stream_pd(p, a);
    _mm512_stream_pd(p + 8, b);
  }
  static void fence() { _mm_sfence(); }
};

}  // namespace

const StreamKernelSet kStreamKernels_avx512f = {
    "avx512f", AIBENCH_STREAM_LOOPS(Avx512, false), AIBENCH_STREAM_LOOPS(Avx512, true)};

}  // namespace aibench
