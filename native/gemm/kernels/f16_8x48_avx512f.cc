// f16, 8x48, AVX-512F: packing converts to f32, which the f32 kernel then multiplies.
#define AIBENCH_MILLI_512
#include "gemm/kernels/f32_millikernel.h"
#include "gemm/kernels/f32_vector_avx512f.h"
#include "gemm/kernels/words.h"
#include "gemm/kernels/x86_words.h"

namespace aibench {
namespace {

struct Vector : F32Vector {
  using Source = F16;
  using Weight = F16;
  static constexpr bool kInPlaceA = false;
  static Register load_source(const F16* p, std::ptrdiff_t) { 
    const __m256i low = _mm256_castps_si256(_mm256_cvtph_ps(_mm_loadu_si128(at128(p, 0))));
    const __m256i high = _mm256_castps_si256(_mm256_cvtph_ps(_mm_loadu_si128(at128(p, 16))));
    return _mm512_castsi512_ps(_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1));
  }
  static float a_word(const F16* p, std::size_t) { return converted(*p); }
  static float b_word(const F16* p, std::ptrdiff_t, std::size_t) { return converted(*p); }
  static void transpose(const F16* a, std::ptrdiff_t lda, float* packed, std::ptrdiff_t step) {
    transpose_words<WordsOf>(a, lda, packed, step);
  }
};

}  // namespace

constexpr Microkernel<F16> gemm_f16_8x48_avx512f = with_millikernels<Vector>(make_microkernel<Vector, 8, 3>("f16_8x48_avx512f", Isa::kAvx512f));

}  // namespace aibench
