// What compressed weights need beside the f32 tiles: int4 to f32 panels, and the product of a 2:4 panel. One row per ISA.
#pragma once
#include <cstddef>
#include <cstdint>

namespace aibench {

// 2:4: of every four elements along k two are kept. A panel is eight columns; per group of four k it holds the two kept
// elements of each column and where in the group they stood.
constexpr int kSparseRows = 8, kSparseColumns = 8;
struct SparseGroup {
  float values[2][kSparseColumns];
  std::uint8_t places[2][kSparseColumns];  // 0 to 3
};

struct PanelKernels {
  const char* isa;
  // `rows` rows of `words` words, each eight codes of 4 bits, the lowest first: out = scale of the column times the code as a
  // signed number, eight floats per word, of which the first `columns` are wanted; rows of out are `columns` apart, which is a
  // multiple of 8 or no more than one word.
  void (*unpack_int4)(const std::uint32_t* codes, std::size_t rows, std::size_t words, const float* scales,
                      std::size_t columns, float* out);
  // C[8 x 8] (+)= A * panel over `groups` groups. A is packed: per group eight rows of four elements. Rows of c are ldc apart;
  // `rows` x `columns` of it are written, with `add` added to.
  void (*sparse_tile)(std::size_t groups, const float* a, const SparseGroup* panel, float* c, std::ptrdiff_t ldc,
                      std::size_t rows, std::size_t columns, bool add);
};

extern const PanelKernels kPanelKernels_scalar;
#if defined(AIBENCH_ARCH_x86_64)
extern const PanelKernels kPanelKernels_avx2;
#endif

}  // namespace aibench
