// int4 weights times bf16 with AVX512_BF16: vpermw makes a pair of bf16 of each pair of codes, which vdpbf16ps multiplies. Its index has five
// bits, so the table stands there twice.
#include "gemm/kernels/f32_vector_avx512f.h"
#include "gemm/kernels/int4_body.h"

namespace aibench {
namespace {

struct Vector : F32Vector {
  using Source = Bf16;
  using Codes = __m512i;
  using Weights = __m512i;
  static constexpr bool kScaled = true;
  static constexpr int kGroup = 2, kWordBytes = 4;
  static constexpr std::size_t kMostRows = 8;
  static constexpr int vectors(int rows) { return rows <= 2 ? 4 : rows <= 4 ? 2 : 1; }
  static Codes load_codes(const std::uint32_t* p) { return _mm512_loadu_si512(p); }
  // 0 to 7, -8 to -1 as bf16.
  static Weights table() {
    const __m256i once = _mm256_setr_epi16(0, 0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x40c0, 0x40e0, static_cast<short>(0xc100), static_cast<short>(0xc0e0),
                                           static_cast<short>(0xc0c0), static_cast<short>(0xc0a0), static_cast<short>(0xc080), static_cast<short>(0xc040),
                                           static_cast<short>(0xc000), static_cast<short>(0xbf80));
    return _mm512_broadcast_i64x4(once);
  }
  template <int kWord>
  static Weights weights(Codes codes) {
    return _mm512_permutexvar_epi16(_mm512_srli_epi16(codes, 4 * kWord), table());
  }
  // Scale times code is a bf16 without rounding, so the upper halves of the f32 are it.
  static Register panel_word(Weights w, Register scale) {
    const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xffff0000u));
    const __m512 even = _mm512_mul_ps(_mm512_castsi512_ps(_mm512_slli_epi32(w, 16)), scale);
    const __m512 odd = _mm512_mul_ps(_mm512_castsi512_ps(_mm512_and_si512(w, upper)), scale);
    return _mm512_castsi512_ps(_mm512_or_si512(_mm512_srli_epi32(_mm512_castps_si512(even), 16), _mm512_castps_si512(odd)));
  }
  static void accumulate(Register& sum, const char* a, Weights w) {
    asm volatile("vdpbf16ps %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(w), "m"(*reinterpret_cast<const float*>(a)));
  }
};

}  // namespace

const Int4Kernel<Bf16> kInt4_bf16_avx512bf16 = {Isa::kAvx512Bf16, 2, 16, unpack_strip<Vector>, int4_rows<Vector>, 2, 0};

}  // namespace aibench
