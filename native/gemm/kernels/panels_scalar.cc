// Compressed panels in plain C++.
#include "core/half.h"
#include "gemm/compressed/panel_kernels.h"

namespace aibench {
namespace {

float value(float x) { return x; }
float value(Bf16 x) { return bf16_to_float(x.bits); }
std::int32_t value(std::int8_t x) { return x; }

// Sums of s32 wrap around, as in the dense kernels.
float multiplied(float sum, float a, float b) { return sum + a * b; }
std::int32_t multiplied(std::int32_t sum, std::int16_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(sum) + static_cast<std::uint32_t>(a * b));
}
float added(float x, float y) { return x + y; }
std::int32_t added(std::int32_t x, std::int32_t y) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(x) + static_cast<std::uint32_t>(y));
}

template <typename T>
void sparse_tile(std::size_t groups, const SparseWord<T>* a, const SparseGroup<T>* panel, OutputOf<T>* c, std::ptrdiff_t ldc,
                 std::size_t rows, std::size_t columns, bool add) {
  OutputOf<T> sums[kSparseRows][kSparseColumns] = {};
  for (std::size_t g = 0; g < groups; ++g, a += 4 * kSparseRows, ++panel) {
    for (std::size_t r = 0; r < rows; ++r) {
      for (int kept = 0; kept < 2; ++kept) {
        for (int j = 0; j < kSparseColumns; ++j) {
          const std::size_t place = (panel->places >> (4 * j + 2 * kept)) & 3u;
          sums[r][j] = multiplied(sums[r][j], a[4 * r + place], value(panel->values[kept][j]));
        }
      }
    }
  }
  for (std::size_t r = 0; r < rows; ++r, c += ldc) {
    for (std::size_t j = 0; j < columns; ++j) c[j] = add ? added(c[j], sums[r][j]) : sums[r][j];
  }
}

}  // namespace

const PanelKernels kPanelKernels_scalar = {"scalar", sparse_tile<float>, sparse_tile<Bf16>, sparse_tile<std::int8_t>};

}  // namespace aibench
