// 2:4 weights with AVX2 and FMA, as sparse24_avx512f.cc; int8 as pairs of s16, which vpmaddwd multiplies.
#include "gemm/kernels/f32_vector_avx2.h"
#include "gemm/kernels/s32_vector_256.h"
#include "gemm/kernels/sparse24_body.h"

namespace aibench {
namespace {

template <typename T>
struct FloatVector : F32Vector {
  using Source = T;
  using Places = __m256i;
  using Data = __m256;
  static constexpr std::size_t kMostRows = 8, kStepBytes = 16;
  static constexpr int vectors(int rows) { return rows == 1 ? 4 : rows <= 4 ? 2 : 1; }
  struct Picks {
    __m256i first, second;
  };
  struct Values {
    __m256 first, second;
  };
  static Places load_places(const std::uint32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static Places next(Places places) { return _mm256_srli_epi32(places, 2); }
  static Picks picks(Places places) { return {places, _mm256_srli_epi32(places, 16)}; }
  static Data load_data(const char* a) { return _mm256_broadcast_ps(reinterpret_cast<const __m128*>(a)); }
  static Values load_values(const std::uint32_t* p) {
    if constexpr (sizeof(T) == 4) {
      return {_mm256_loadu_ps(reinterpret_cast<const float*>(p)), _mm256_loadu_ps(reinterpret_cast<const float*>(p + kStrip))};
    }
    const __m256i pairs = load_places(p);
    return {_mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16)),
            _mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32(static_cast<int>(0xffff0000u))))};
  }
  static void accumulate(Register& sum, Data data, const Picks& picks, const Values& values) {
    sum = _mm256_fmadd_ps(_mm256_permutevar_ps(data, picks.first), values.first, sum);
    sum = _mm256_fmadd_ps(_mm256_permutevar_ps(data, picks.second), values.second, sum);
  }
};

// A step is eight elements of k: its first and its second four stand in registers of their own.
struct PairVector : S32Vector {
  using Source = std::int8_t;
  using Places = __m256i;
  static constexpr std::size_t kMostRows = 8, kStepBytes = 16;
  static constexpr int vectors(int rows) { return rows == 1 ? 4 : rows == 2 ? 2 : 1; }
  struct Data {
    __m256i first, second;
  };
  using Picks = Data;
  using Values = Data;
  static Places load_places(const std::uint32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static Places next(Places places) { return _mm256_srli_epi32(places, 2); }
  // Place p, a byte, to the bytes 2p and 2p + 1 of an s16.
  static Picks picks(Places places) {
    const __m256i low = _mm256_and_si256(places, _mm256_set1_epi8(3)), twice = _mm256_add_epi8(low, low), odd = _mm256_set1_epi16(0x0100);
    const auto doubled = [&](int from) {
      const int in_lane = 0x01010000 + 0x01010101 * from;
      const __m256i bytes = _mm256_setr_epi32(in_lane, in_lane + 0x04040404, in_lane + 0x08080808, in_lane + 0x0c0c0c0c, in_lane,
                                              in_lane + 0x04040404, in_lane + 0x08080808, in_lane + 0x0c0c0c0c);
      return _mm256_or_si256(_mm256_shuffle_epi8(twice, bytes), odd);
    };
    return {doubled(0), doubled(2)};
  }
  static Data load_data(const char* a) {
    const auto four = [](const char* p) { return _mm256_set1_epi64x(*reinterpret_cast<const std::int64_t*>(p)); };
    return {four(a), four(a + 8)};
  }
  // Two bytes of each word to two s16.
  static Values load_values(const std::uint32_t* p) {
    const __m256i quads = load_places(p);
    const auto widened = [](__m256i words) {  // by way of the top of each half
      return _mm256_srai_epi16(_mm256_blend_epi16(_mm256_slli_epi32(words, 8), _mm256_slli_epi32(words, 16), 0xaa), 8);
    };
    return {widened(quads), widened(_mm256_srli_epi32(quads, 16))};
  }
  static void accumulate(Register& sum, const Data& data, const Picks& picks, const Values& values) {
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_shuffle_epi8(data.first, picks.first), values.first));
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_shuffle_epi8(data.second, picks.second), values.second));
  }
};

}  // namespace

const Sparse24Kernel<float> kSparse24_f32_avx2 = {Isa::kAvx2, sparse24_rows<FloatVector<float>>, 4, 0};
const Sparse24Kernel<Bf16> kSparse24_bf16_avx2 = {Isa::kAvx2, sparse24_rows<FloatVector<Bf16>>, 4, 0};
const Sparse24Kernel<std::int8_t> kSparse24_s8_avx2 = {Isa::kAvx2, sparse24_rows<PairVector>, 2, 0};

}  // namespace aibench
