// int4 weights with AVX2: a code is shifted to the top of its lane and back down with its sign.
#include "gemm/kernels/f32_vector_avx2.h"
#include "gemm/kernels/int4_body.h"
#include "gemm/kernels/s32_vector_256.h"

namespace aibench {
namespace {

template <typename T>
struct FloatVector : F32Vector {
  using Source = T;
  using Codes = __m256i;
  using Weights = __m256;
  static constexpr bool kScaled = true;
  static constexpr int kWordBytes = 4;
  static constexpr std::size_t kMostRows = 4;
  static constexpr int vectors(int rows) { return rows == 1 ? 4 : rows == 2 ? 2 : 1; }
  static Codes load_codes(const std::uint32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  template <int kWord>
  static Weights weights(Codes codes) {
    constexpr int kTop = 28 - 4 * static_cast<int>(int4_place<T>(kWord));
    return _mm256_cvtepi32_ps(_mm256_srai_epi32(kTop == 0 ? codes : _mm256_slli_epi32(codes, kTop), 28));
  }
  static Register panel_word(Weights w, Register scale) { return _mm256_mul_ps(w, scale); }
  static void accumulate(Register& sum, const char* a, Weights w) {
    sum = _mm256_fmadd_ps(_mm256_broadcast_ss(reinterpret_cast<const float*>(a)), w, sum);
  }
};

// Pairs of s16, which vpmaddwd multiplies.
struct PairVector : S32Vector {
  using Source = std::int8_t;
  using Codes = __m256i;
  using Weights = __m256i;
  static constexpr bool kScaled = false;
  static constexpr int kGroup = 2, kWordBytes = 4;
  static constexpr std::size_t kMostRows = 4;
  static constexpr int vectors(int rows) { return rows == 1 ? 4 : rows == 2 ? 2 : 1; }
  static Codes load_codes(const std::uint32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  // A byte holds k and, above it, k + 4. The lower of two s16 gets its code from the lower byte of the pair, the upper one from the upper byte.
  template <int kWord>
  static Weights weights(Codes codes) {
    constexpr int kLow = 4 * static_cast<int>(int4_place<std::int8_t>(2 * kWord)), kHigh = 4 * static_cast<int>(int4_place<std::int8_t>(2 * kWord + 1));
    const __m256i low = shifted<12 - kLow>(codes), high = shifted<28 - kHigh>(codes);
    return _mm256_srai_epi16(_mm256_blend_epi16(low, high, 0xaa), 12);
  }
  static Register panel_word(Weights w, Register) { return w; }
  static void accumulate(Register& sum, const char* a, Weights w) {
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_set1_epi32(*reinterpret_cast<const std::int32_t*>(a)), w));
  }

 private:
  template <int kLeft>
  static __m256i shifted(__m256i v) {
    if constexpr (kLeft >= 0) return _mm256_slli_epi32(v, kLeft);
    else return _mm256_srli_epi32(v, -kLeft);
  }
};

}  // namespace

const Int4Kernel<float> kInt4_f32_avx2 = {Isa::kAvx2, 1, 8, unpack_strip<FloatVector<float>>, int4_rows<FloatVector<float>>, 4, 0};
const Int4Kernel<Bf16> kInt4_bf16_avx2 = {Isa::kAvx2, 1, 8, unpack_strip<FloatVector<Bf16>>, int4_rows<FloatVector<Bf16>>, 4, 0};
const Int4Kernel<std::int8_t> kInt4_s8_avx2 = {Isa::kAvx2, 2, 8, unpack_strip<PairVector>, int4_rows<PairVector>, 2, 0};

}  // namespace aibench
