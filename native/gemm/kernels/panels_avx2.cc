// Compressed panels with AVX2 and FMA.
#include <immintrin.h>

#include "gemm/compressed/panel_kernels.h"

namespace aibench {
namespace {

// A word in all lanes, each lane's code shifted to the top and back down with its sign.
inline __m256 eight_codes(const std::uint32_t* word) {
  const __m256i all = _mm256_set1_epi32(static_cast<int>(*word));
  const __m256i top = _mm256_sllv_epi32(all, _mm256_setr_epi32(28, 24, 20, 16, 12, 8, 4, 0));
  return _mm256_cvtepi32_ps(_mm256_srai_epi32(top, 28));
}

void unpack_int4(const std::uint32_t* codes, std::size_t rows, std::size_t words, const float* scales, std::size_t columns,
                 float* out) {
  const std::size_t whole = columns / 8;
  for (std::size_t r = 0; r < rows; ++r, codes += words, out += columns) {
    for (std::size_t w = 0; w < whole; ++w) {
      _mm256_storeu_ps(out + 8 * w, _mm256_mul_ps(eight_codes(codes + w), _mm256_loadu_ps(scales + 8 * w)));
    }
    for (std::size_t j = 8 * whole; j < columns; ++j) {
      const auto code = static_cast<std::int32_t>((codes[j / 8] >> (4 * (j % 8))) & 15u);
      out[j] = scales[j] * static_cast<float>(code >= 8 ? code - 16 : code);
    }
  }
}

// One row of A against one group: its four elements stand in both halves of a register, and every lane takes the one that
// its column kept.
#define AIBENCH_SPARSE_ROW(r)                                                                             \
  {                                                                                                       \
    const __m256 four = _mm256_broadcast_ps(reinterpret_cast<const __m128*>(a + 4 * r));                  \
    c##r = _mm256_fmadd_ps(_mm256_permutevar_ps(four, place0), value0, c##r);                             \
    c##r = _mm256_fmadd_ps(_mm256_permutevar_ps(four, place1), value1, c##r);                             \
  }
#define AIBENCH_ROWS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)

void sparse_tile(std::size_t groups, const float* a, const SparseGroup* panel, float* c, std::ptrdiff_t ldc,
                 std::size_t rows, std::size_t columns, bool add) {
#define AIBENCH_ZERO(r) __m256 c##r = _mm256_setzero_ps();
  AIBENCH_ROWS(AIBENCH_ZERO)
#undef AIBENCH_ZERO
  for (; groups != 0; --groups, a += 4 * kSparseRows, ++panel) {
    __builtin_prefetch(reinterpret_cast<const char*>(panel) + 1024);
    const __m256i place0 = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(panel->places[0])));
    const __m256i place1 = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(panel->places[1])));
    const __m256 value0 = _mm256_loadu_ps(panel->values[0]), value1 = _mm256_loadu_ps(panel->values[1]);
    AIBENCH_SPARSE_ROW(0)
    if (rows == 1) continue;  // a row alone is a stream of weights
    AIBENCH_SPARSE_ROW(1) AIBENCH_SPARSE_ROW(2) AIBENCH_SPARSE_ROW(3)
    AIBENCH_SPARSE_ROW(4) AIBENCH_SPARSE_ROW(5) AIBENCH_SPARSE_ROW(6) AIBENCH_SPARSE_ROW(7)
  }
  const __m256i lanes = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(columns)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
#define AIBENCH_STORE_ROW(r)                                                                              \
  if (rows > r) {                                                                                         \
    float* to = c + r * ldc;                                                                              \
    if (add) c##r = _mm256_add_ps(c##r, _mm256_maskload_ps(to, lanes));                                   \
    _mm256_maskstore_ps(to, lanes, c##r);                                                                 \
  }
  AIBENCH_ROWS(AIBENCH_STORE_ROW)
#undef AIBENCH_STORE_ROW
}
#undef AIBENCH_ROWS
#undef AIBENCH_SPARSE_ROW

}  // namespace

const PanelKernels kPanelKernels_avx2 = {"avx2", unpack_int4, sparse_tile};

}  // namespace aibench
