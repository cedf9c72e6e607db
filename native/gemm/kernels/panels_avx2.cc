// Compressed panels with AVX2 and FMA.
#include <immintrin.h>

#include "gemm/compressed/panel_kernels.h"

namespace aibench {
namespace {

#define AIBENCH_ROWS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
// The places of each column at the bottom of its lane: the first at bit 0, the second at bit 2.
inline __m256i eight_places(std::uint32_t places) {
  return _mm256_srlv_epi32(_mm256_set1_epi32(static_cast<int>(places)), _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28));
}
inline __m256i lanes_below(std::size_t columns) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(columns)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

inline __m256 eight_values(const float* p) { return _mm256_loadu_ps(p); }
inline __m256 eight_values(const Bf16* p) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))), 16));
}

// One row of A against one group: its four elements stand in both halves of a register, and every lane takes the one that
// its column kept. vpermilps looks at the lowest two bits of each place.
#define AIBENCH_SPARSE_ROW(r)                                                                             \
  {                                                                                                       \
    const __m256 four = _mm256_broadcast_ps(reinterpret_cast<const __m128*>(a + 4 * r));                  \
    c##r = _mm256_fmadd_ps(_mm256_permutevar_ps(four, place0), value0, c##r);                             \
    c##r = _mm256_fmadd_ps(_mm256_permutevar_ps(four, place1), value1, c##r);                             \
  }

// f32 and bf16.
template <typename T>
void sparse_floats(std::size_t groups, const float* a, const SparseGroup<T>* panel, float* c, std::ptrdiff_t ldc, std::size_t rows,
                   std::size_t columns, bool add) {
#define AIBENCH_ZERO(r) __m256 c##r = _mm256_setzero_ps();
  AIBENCH_ROWS(AIBENCH_ZERO)
#undef AIBENCH_ZERO
  for (; groups != 0; --groups, a += 4 * kSparseRows, ++panel) {
    __builtin_prefetch(reinterpret_cast<const char*>(panel) + 1024);
    const __m256i place0 = eight_places(panel->places), place1 = _mm256_srli_epi32(place0, 2);
    const __m256 value0 = eight_values(panel->values[0]), value1 = eight_values(panel->values[1]);
    AIBENCH_SPARSE_ROW(0)
    if (rows == 1) continue;  // a row alone is a stream of weights
    AIBENCH_SPARSE_ROW(1) AIBENCH_SPARSE_ROW(2) AIBENCH_SPARSE_ROW(3)
    AIBENCH_SPARSE_ROW(4) AIBENCH_SPARSE_ROW(5) AIBENCH_SPARSE_ROW(6) AIBENCH_SPARSE_ROW(7)
  }
  const __m256i lanes = lanes_below(columns);
#define AIBENCH_STORE_ROW(r)                                                                              \
  if (rows > r) {                                                                                         \
    float* to = c + r * ldc;                                                                              \
    if (add) c##r = _mm256_add_ps(c##r, _mm256_maskload_ps(to, lanes));                                   \
    _mm256_maskstore_ps(to, lanes, c##r);                                                                 \
  }
  AIBENCH_ROWS(AIBENCH_STORE_ROW)
#undef AIBENCH_STORE_ROW
}
#undef AIBENCH_SPARSE_ROW

// int8: the two elements that a column kept, as a pair of s16, by one shuffle of bytes; vpmaddwd multiplies and adds the pair.
#define AIBENCH_SPARSE_ROW(r)                                                                                          \
  {                                                                                                                    \
    const __m256i four = _mm256_castpd_si256(_mm256_broadcast_sd(reinterpret_cast<const double*>(a + 4 * r)));         \
    c##r = _mm256_add_epi32(c##r, _mm256_madd_epi16(_mm256_shuffle_epi8(four, bytes), values));                        \
  }
void sparse_s8(std::size_t groups, const std::int16_t* a, const SparseGroup<std::int8_t>* panel, std::int32_t* c,
               std::ptrdiff_t ldc, std::size_t rows, std::size_t columns, bool add) {
#define AIBENCH_ZERO(r) __m256i c##r = _mm256_setzero_si256();
  AIBENCH_ROWS(AIBENCH_ZERO)
#undef AIBENCH_ZERO
  for (; groups != 0; --groups, a += 4 * kSparseRows, ++panel) {
    __builtin_prefetch(reinterpret_cast<const char*>(panel) + 1024);
    // Place p of a half of a lane to the bytes 2p and 2p + 1.
    const __m256i places = eight_places(panel->places);
    const __m256i halves = _mm256_or_si256(_mm256_and_si256(places, _mm256_set1_epi32(3)),
                                           _mm256_and_si256(_mm256_slli_epi32(places, 14), _mm256_set1_epi32(0x30000)));
    const __m256i bytes = _mm256_add_epi16(_mm256_mullo_epi16(halves, _mm256_set1_epi16(0x0202)), _mm256_set1_epi16(0x0100));
    const __m128i first = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(panel->values[0]));
    const __m128i second = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(panel->values[1]));
    const __m256i values = _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(first, second));
    AIBENCH_SPARSE_ROW(0)
    if (rows == 1) continue;
    AIBENCH_SPARSE_ROW(1) AIBENCH_SPARSE_ROW(2) AIBENCH_SPARSE_ROW(3)
    AIBENCH_SPARSE_ROW(4) AIBENCH_SPARSE_ROW(5) AIBENCH_SPARSE_ROW(6) AIBENCH_SPARSE_ROW(7)
  }
  const __m256i lanes = lanes_below(columns);
#define AIBENCH_STORE_ROW(r)                                                                              \
  if (rows > r) {                                                                                         \
    std::int32_t* to = c + r * ldc;                                                                       \
    if (add) c##r = _mm256_add_epi32(c##r, _mm256_maskload_epi32(to, lanes));                             \
    _mm256_maskstore_epi32(to, lanes, c##r);                                                              \
  }
  AIBENCH_ROWS(AIBENCH_STORE_ROW)
#undef AIBENCH_STORE_ROW
}
#undef AIBENCH_SPARSE_ROW
#undef AIBENCH_ROWS

}  // namespace

const PanelKernels kPanelKernels_avx2 = {"avx2", sparse_floats<float>, sparse_floats<Bf16>, sparse_s8};

}  // namespace aibench
