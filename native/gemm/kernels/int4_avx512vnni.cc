// int4 weights times int8 with VNNI: codes + 8 are the operand without a sign that vpdpbusd wants.
#include <immintrin.h>

#include "gemm/kernels/int4_body.h"
#include "gemm/kernels/s32_vector_512.h"

namespace aibench {
namespace {

struct Vector : S32Vector {
  using Source = std::int8_t;
  using Codes = __m512i;
  using Weights = __m512i;
  static constexpr bool kScaled = false;
  static constexpr int kGroup = 4, kWordBytes = 4;
  static constexpr std::size_t kMostRows = 8;
  static constexpr int vectors(int rows) { return rows <= 4 ? 4 : 2; }
  // As codes + 8.
  static Codes load_codes(const std::uint32_t* p) { return _mm512_xor_si512(_mm512_loadu_si512(p), _mm512_set1_epi8(static_cast<char>(0x88))); }
  template <int kWord>
  static Weights weights(Codes codes) {
    return _mm512_and_si512(kWord == 0 ? codes : _mm512_srli_epi16(codes, 4), _mm512_set1_epi8(15));
  }
  // What the dense kernel multiplies: codes + 128.
  static Register panel_word(Weights w, Register) { return _mm512_add_epi8(w, _mm512_set1_epi8(120)); }
  static void accumulate(Register& sum, const char* a, Weights w) {
    asm volatile("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(w), "m"(*reinterpret_cast<const std::int32_t*>(a)));
  }
};

}  // namespace

const Int4Kernel<std::int8_t> kInt4_s8_avx512vnni = {Isa::kAvx512Vnni, 4, 16, unpack_strip<Vector>, int4_rows<Vector>, 1, 8};

}  // namespace aibench
