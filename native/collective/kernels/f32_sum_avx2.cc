// f32 sum with 256-bit vectors.
#include <immintrin.h>

#include "collective/kernels/reduce_loops.h"

namespace aibench {
namespace {

struct Avx2 {
  using element = float;
  using type = __m256;
  static constexpr std::size_t width = 8;
  static type load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, type v) { _mm256_storeu_ps(p, v); }
  static void stream2(float* p, type a, type b) {
    _mm256_stream_ps(p, a);
    _mm256_stream_ps(p + 8, b);
  }
  static void fence() { _mm_sfence(); }
  static type combine(type a, type b) { return _mm256_add_ps(a, b); }
  static float combine_element(float a, float b) { return a + b; }
};

}  // namespace

const Reduction kReduction_f32_sum_avx2 = {
    "f32", "sum", "avx2", sizeof(float), combine<Avx2>, reduce_to_all<Avx2, false>, reduce_to_all<Avx2, true>};

}  // namespace aibench
