// f16, 4x24, AVX2 + FMA + F16C: packing converts to f32, which the f32 kernel then multiplies.
#include "gemm/kernels/f32_millikernel.h"
#include "gemm/kernels/f32_vector_avx2.h"
#include "gemm/kernels/words.h"
#include "gemm/kernels/x86_words.h"

namespace aibench {
namespace {

struct Vector : F32Vector {
  using Source = F16;
  using Weight = F16;
  static constexpr bool kInPlaceA = false;
  static Register load_source(const F16* p, std::ptrdiff_t) { return _mm256_cvtph_ps(_mm_loadu_si128(at128(p, 0))); }
  static float a_word(const F16* p, std::size_t) { return converted(*p); }
  static float b_word(const F16* p, std::ptrdiff_t, std::size_t) { return converted(*p); }
  static void transpose(const F16* a, std::ptrdiff_t lda, float* packed, std::ptrdiff_t step) {
    transpose_words<WordsOf>(a, lda, packed, step);
  }
};

}  // namespace

constexpr Microkernel<F16> gemm_f16_4x24_avx2 = with_millikernels<Vector>(make_microkernel<Vector, 4, 3>("f16_4x24_avx2", Isa::kAvx2));

}  // namespace aibench
