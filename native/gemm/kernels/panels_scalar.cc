// Compressed panels in plain C++.
#include "gemm/compressed/panel_kernels.h"

namespace aibench {
namespace {

void unpack_int4(const std::uint32_t* codes, std::size_t rows, std::size_t words, const float* scales, std::size_t columns,
                 float* out) {
  for (std::size_t r = 0; r < rows; ++r, codes += words, out += columns) {
    for (std::size_t j = 0; j < columns; ++j) {
      const auto code = static_cast<std::int32_t>((codes[j / 8] >> (4 * (j % 8))) & 15u);
      out[j] = scales[j] * static_cast<float>(code >= 8 ? code - 16 : code);
    }
  }
}

void sparse_tile(std::size_t groups, const float* a, const SparseGroup* panel, float* c, std::ptrdiff_t ldc,
                 std::size_t rows, std::size_t columns, bool add) {
  float sums[kSparseRows][kSparseColumns] = {};
  for (std::size_t g = 0; g < groups; ++g, a += 4 * kSparseRows, ++panel) {
    for (std::size_t r = 0; r < rows; ++r) {
      for (int kept = 0; kept < 2; ++kept) {
        for (int j = 0; j < kSparseColumns; ++j) sums[r][j] += a[4 * r + panel->places[kept][j]] * panel->values[kept][j];
      }
    }
  }
  for (std::size_t r = 0; r < rows; ++r, c += ldc) {
    for (std::size_t j = 0; j < columns; ++j) c[j] = add ? c[j] + sums[r][j] : sums[r][j];
  }
}

}  // namespace

const PanelKernels kPanelKernels_scalar = {"scalar", unpack_int4, sparse_tile};

}  // namespace aibench
