// f32 sum with 512-bit vectors.
#include <immintrin.h>

#include "collective/kernels/reduce_loops.h"

namespace aibench {
namespace {

struct Avx512 {
  using element = float;
  using type = __m512;
  static constexpr std::size_t width = 16;
  static type load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, type v) { _mm512_storeu_ps(p, v); }
  static void stream2(float* p, type a, type b) {
    _mm512_stream_ps(p, a);
    _mm512_stream_ps(p + 16, b);
  }
  static void fence() { _mm_sfence(); }
  static type combine(type a, type b) { return _mm512_add_ps(a, b); }
  static float combine_element(float a, float b) { return a + b; }
};

}  // namespace

const Reduction kReduction_f32_sum_avx512f = {
    "f32", "sum", "avx512f", sizeof(float), combine<Avx512>, reduce_to_all<Avx512, false>, reduce_to_all<Avx512, true>};

}  // namespace aibench
