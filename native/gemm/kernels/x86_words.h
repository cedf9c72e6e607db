// Small rectangles of words transposed in SSE registers, and the elements of bf16, f16 and int8 as words: what the x86 kernels
// of several dtypes share. In an unnamed namespace: code built for one ISA must not be merged with another's.
#pragma once
#ifdef AIBENCH_SIMDE  // a correctness build for CPUs without AVX-512, see native/test
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#else
#include <immintrin.h>
#endif

#include <cstddef>
#include <cstdint>

#include "core/half.h"
#include "gemm/dtypes.h"

namespace aibench {
namespace {

// Four words of a row of A, from each kind of element.
struct WordsOf {
  static __m128 of(const Bf16* p) {
    const __m128i bits = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    return _mm_castsi128_ps(_mm_slli_epi32(_mm_cvtepu16_epi32(bits), 16));
  }
  static __m128 of(const F16* p) { return _mm_cvtph_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))); }
  // Pairs of int16.
  static __m128 of(const std::int8_t* p) {
    return _mm_castsi128_ps(_mm_cvtepi8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
  }
  static __m128 of(const std::uint8_t* p) {
    return _mm_castsi128_ps(_mm_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
  }
};
// Elements that make up a word as they lie.
struct RawWords {
  static __m128 of(const void* p) { return _mm_castsi128_ps(_mm_loadu_si128(static_cast<const __m128i*>(p))); }
};

// Four words of each of four rows, `lda` elements apart, to four steps `step` words apart.
template <typename Words, typename Source, typename Word>
inline __attribute__((always_inline)) void transpose_words(const Source* a, std::ptrdiff_t lda, Word* packed,
                                                           std::ptrdiff_t step) {
  static_assert(sizeof(Word) == 4);
  __m128 r0 = Words::of(a), r1 = Words::of(a + lda), r2 = Words::of(a + 2 * lda), r3 = Words::of(a + 3 * lda);
  _MM_TRANSPOSE4_PS(r0, r1, r2, r3);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(packed), _mm_castps_si128(r0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(packed + step), _mm_castps_si128(r1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(packed + 2 * step), _mm_castps_si128(r2));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(packed + 3 * step), _mm_castps_si128(r3));
}

inline const __m128i* at128(const void* p, std::ptrdiff_t bytes) {
  return reinterpret_cast<const __m128i*>(static_cast<const char*>(p) + bytes);
}

// Two rows of eight int8, `ldb` bytes apart, as eight pairs of int16.
inline __m256i int16_pairs(const std::int8_t* b, std::ptrdiff_t ldb) {
  return _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(_mm_loadl_epi64(at128(b, 0)), _mm_loadl_epi64(at128(b, ldb))));
}

// Four rows of eight int8 as eight quads.
inline __m256i int8_quads(const std::int8_t* b, std::ptrdiff_t ldb) {
  const __m128i low = _mm_unpacklo_epi8(_mm_loadl_epi64(at128(b, 0)), _mm_loadl_epi64(at128(b, ldb)));
  const __m128i high = _mm_unpacklo_epi8(_mm_loadl_epi64(at128(b, 2 * ldb)), _mm_loadl_epi64(at128(b, 3 * ldb)));
  return _mm256_set_m128i(_mm_unpackhi_epi16(low, high), _mm_unpacklo_epi16(low, high));
}

// Two rows of eight bf16 as eight pairs.
inline __m256i bf16_pairs(const Bf16* b, std::ptrdiff_t ldb) {
  const __m128i low = _mm_loadu_si128(at128(b, 0)), high = _mm_loadu_si128(at128(b, ldb));
  return _mm256_set_m128i(_mm_unpackhi_epi16(low, high), _mm_unpacklo_epi16(low, high));
}

}  // namespace
}  // namespace aibench
