// bf16, 8 x 48, AVX512_BF16: a word is a pair, which vdpbf16ps multiplies and adds onto f32. 24 accumulators, 3 vectors of B and
// 1 broadcast of A in 28 of the 32 registers. The instruction flushes subnormals and rounds each of its two sums.
#define AIBENCH_MILLI_512
#define AIBENCH_MILLI_BYTES 4
#define AIBENCH_MILLI_BROADCAST "vbroadcastss"
#define AIBENCH_MILLI_ADD "vaddps"
#define AIBENCH_MILLI_FIRST(c, b) "vpxord " c ", " c ", " c "\n\t" AIBENCH_MILLI_NEXT(c, b)
#define AIBENCH_MILLI_NEXT(c, b) "vdpbf16ps " b ", " AIBENCH_MILLI_A ", " c "\n\t"
#define AIBENCH_MILLI_NEXT_FROM(c, b, a) "vdpbf16ps " a "%{1to16%}, " b ", " c "\n\t"
#include "gemm/kernels/millikernel_x86.h"
#include "gemm/kernels/f32_vector_avx512f.h"
#include "gemm/kernels/words.h"
#include "gemm/kernels/x86_words.h"

namespace aibench {
namespace {

struct Vector : F32Vector {
  using Source = Bf16;
  using Weight = Bf16;
  static constexpr int kGroup = 2;
  static constexpr bool kInPlaceA = true;  // a pair as it lies
  static Register load_source(const Bf16* p, std::ptrdiff_t ldb) {
    // Two rows of sixteen, one behind the other, to sixteen pairs of a column each.
    const __m512i low = _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    const __m512i rows = _mm512_inserti64x4(low, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at128(p, ldb))), 1);
    const __m512i pairs = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_castsi512_ps(_mm512_permutexvar_epi16(pairs, rows));
  }
  static float a_word(const Bf16* p, std::size_t count) { return grouped<2, Bf16, float>(p, 2, count); }
  static float b_word(const Bf16* p, std::ptrdiff_t ldb, std::size_t count) { return grouped<2, Bf16, float>(p, ldb, count); }
  static void transpose(const Bf16* a, std::ptrdiff_t lda, float* packed, std::ptrdiff_t step) {
    transpose_words<RawWords>(a, lda, packed, step);
  }
#ifdef AIBENCH_SIMDE
  static void accumulate(Register& c, Register a, Register b) {  // the even elements, then the odd ones
    const auto even = [](Register v) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(v), 16)); };
    const auto odd = [](Register v) {
      return _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(v), _mm512_set1_epi32(static_cast<int>(0xffff0000u))));
    };
    c = fma(even(a), even(b), fma(odd(a), odd(b), c));
  }
  AIBENCH_ACCUMULATE_TWELVE_PLAIN
#else
  static void accumulate(Register& c, Register a, Register b) {
    asm volatile("vdpbf16ps %2, %1, %0" : "+v"(c) : "v"(a), "v"(b));
  }
#define AIBENCH_DOT(c) "vdpbf16ps %[b], %[a], " c "\n\t"
  AIBENCH_ACCUMULATE_TWELVE(AIBENCH_DOT, "v")
#undef AIBENCH_DOT
#endif
};

}  // namespace

constexpr Microkernel<Bf16> gemm_bf16_8x48_avx512bf16 =
    with_millikernels<Vector>(make_microkernel<Vector, 8, 3>("bf16_8x48_avx512bf16", Isa::kAvx512Bf16));

}  // namespace aibench
