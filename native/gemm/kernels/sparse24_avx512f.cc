// 2:4 weights with AVX-512, f32 and bf16: four elements of A stand in every quarter of a register, and every lane takes the two that its column
// kept. vpermilps looks at the lowest two bits of each lane alone.
#include "gemm/kernels/f32_vector_avx512f.h"
#include "gemm/kernels/sparse24_body.h"

namespace aibench {
namespace {

template <typename T>
struct Vector : F32Vector {
  using Source = T;
  using Places = __m512i;
  using Data = __m512;
  static constexpr std::size_t kMostRows = 8, kStepBytes = 16;
  static constexpr int vectors(int rows) { return rows == 1 ? 4 : 2; }
  struct Picks {
    __m512i first, second;
  };
  struct Values {
    __m512 first, second;
  };
  static Places load_places(const std::uint32_t* p) { return _mm512_loadu_si512(p); }
  static Places next(Places places) { return _mm512_srli_epi32(places, 2); }
  static Picks picks(Places places) { return {places, _mm512_srli_epi32(places, 16)}; }
  static Data load_data(const char* a) { return _mm512_broadcast_f32x4(_mm_loadu_ps(reinterpret_cast<const float*>(a))); }
  static Values load_values(const std::uint32_t* p) {
    if constexpr (sizeof(T) == 4) return {_mm512_loadu_ps(p), _mm512_loadu_ps(p + kStrip)};
    const __m512i pairs = _mm512_loadu_si512(p);
    return {_mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16)),
            _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32(static_cast<int>(0xffff0000u))))};
  }
  static void accumulate(Register& sum, Data data, const Picks& picks, const Values& values) {
    sum = _mm512_fmadd_ps(_mm512_permutevar_ps(data, picks.first), values.first, sum);
    sum = _mm512_fmadd_ps(_mm512_permutevar_ps(data, picks.second), values.second, sum);
  }
};

}  // namespace

const Sparse24Kernel<float> kSparse24_f32_avx512f = {Isa::kAvx512f, sparse24_rows<Vector<float>>, 4, 0};
const Sparse24Kernel<Bf16> kSparse24_bf16_avx512f = {Isa::kAvx512f, sparse24_rows<Vector<Bf16>>, 4, 0};

}  // namespace aibench
