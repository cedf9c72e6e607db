// int4 weights with AVX-512: a code is the index of a table of sixteen f32. vpermps looks at the lowest four bits of each lane alone.
#include "gemm/kernels/f32_vector_avx512f.h"
#include "gemm/kernels/int4_body.h"

namespace aibench {
namespace {

template <typename T>
struct Vector : F32Vector {
  using Source = T;
  using Codes = __m512i;
  using Weights = __m512;
  static constexpr bool kScaled = true;
  static constexpr int kWordBytes = 4;
  static constexpr std::size_t kMostRows = 8;
  // Sums, totals, codes and weights in 32 registers, and at least as many sums as a multiply-add has cycles.
  static constexpr int vectors(int rows) { return rows <= 2 ? 4 : rows <= 4 ? 2 : 1; }
  static Codes load_codes(const std::uint32_t* p) { return _mm512_loadu_si512(p); }
  template <int kWord>
  static Weights weights(Codes codes) {
    const __m512 table = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1);
    return _mm512_permutexvar_ps(_mm512_srli_epi32(codes, 4 * int4_place<T>(kWord)), table);
  }
  static Register panel_word(Weights w, Register scale) { return _mm512_mul_ps(w, scale); }
  static void accumulate(Register& sum, const char* a, Weights w) {
    asm volatile("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(w), "m"(*reinterpret_cast<const float*>(a)));
  }
};

}  // namespace

const Int4Kernel<float> kInt4_f32_avx512f = {Isa::kAvx512f, 1, 16, unpack_strip<Vector<float>>, int4_rows<Vector<float>>, 4, 0};
const Int4Kernel<Bf16> kInt4_bf16_avx512f = {Isa::kAvx512f, 1, 16, unpack_strip<Vector<Bf16>>, int4_rows<Vector<Bf16>>, 4, 0};

}  // namespace aibench
