// int4 weights with AVX-512: a code is the index of a table of sixteen f32. vpermps looks at the lowest four bits of each lane alone.
#include <immintrin.h>

#include "gemm/kernels/int4_body.h"

namespace aibench {
namespace {

template <typename T>
struct Vector {
  using Source = T;
  using Element = float;
  using Register = __m512;
  using Codes = __m512i;
  using Weights = __m512;
  using Scales = __m512;
  static constexpr bool kScaled = true;
  static constexpr int kLanes = 16, kGroup = 1, kWordBytes = 4;
  static constexpr std::size_t kMostRows = 8;
  // Sums, totals, codes and weights in 32 registers, and at least as many sums as a multiply-add has cycles.
  static constexpr int vectors(int rows) { return rows <= 2 ? 4 : rows <= 4 ? 2 : 1; }
  static Register zero() { return _mm512_setzero_ps(); }
  static Scales no_scales() { return zero(); }
  static Scales load_scales(const float* p) { return _mm512_loadu_ps(p); }
  static Codes load_codes(const std::uint32_t* p) { return _mm512_loadu_si512(p); }
  template <int kWord>
  static Weights weights(Codes codes) {
    const __m512 table = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1);
    return _mm512_permutexvar_ps(_mm512_srli_epi32(codes, 4 * int4_place<T>(kWord)), table);
  }
  static Register panel_word(Weights w, Scales scale) { return _mm512_mul_ps(w, scale); }
  static void accumulate(Register& sum, const char* a, Weights w) {
    asm volatile("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(w), "m"(*reinterpret_cast<const float*>(a)));
  }
  static Register finish(Register total, Register sum, Scales scale) { return _mm512_fmadd_ps(sum, scale, total); }
  static void store(float* p, Register v) { _mm512_storeu_ps(p, v); }
};

}  // namespace

const Int4Kernel<float> kInt4_f32_avx512f = {Isa::kAvx512f, 1, 16, unpack_strip<Vector<float>>, int4_rows<Vector<float>>, 4, 0};
const Int4Kernel<Bf16> kInt4_bf16_avx512f = {Isa::kAvx512f, 1, 16, unpack_strip<Vector<Bf16>>, int4_rows<Vector<Bf16>>, 4, 0};

}  // namespace aibench
