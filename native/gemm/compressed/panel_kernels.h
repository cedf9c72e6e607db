// What compressed weights need beside the dense tiles: codes of 4 bits unpacked, and the product of a 2:4 panel. One row per ISA.
#pragma once
#include <cstddef>
#include <cstdint>

#include "gemm/dtypes.h"

namespace aibench {

// 2:4: of every four elements along k two are kept. A panel is eight columns; per group of four k it holds the two kept
// elements of each column and where in the group they stood: 2 bits each, the first kept one of column j in bits 4j and 4j + 1.
constexpr int kSparseRows = 8, kSparseColumns = 8;
template <typename T>
struct SparseGroup {
  WeightOf<T> values[2][kSparseColumns];
  std::uint32_t places;
};

// What an element of A is packed to: f32, or s16 for int8.
template <typename T>
struct SparseWordOf {
  using Type = float;
};
template <>
struct SparseWordOf<std::int8_t> {
  using Type = std::int16_t;
};
template <typename T>
using SparseWord = typename SparseWordOf<T>::Type;

// C[8 x 8] (+)= A * panel over `groups` groups. A is packed: per group eight rows of four elements. Rows of c are ldc apart;
// `rows` x `columns` of it are written, with `add` added to.
template <typename T>
using SparseTile = void (*)(std::size_t groups, const SparseWord<T>* a, const SparseGroup<T>* panel, OutputOf<T>* c,
                            std::ptrdiff_t ldc, std::size_t rows, std::size_t columns, bool add);

struct PanelKernels {
  const char* isa;
  SparseTile<float> sparse_f32;
  SparseTile<Bf16> sparse_bf16;
  SparseTile<std::int8_t> sparse_s8;
};

template <typename T>
SparseTile<T> sparse_tile_of(const PanelKernels& panels);
template <>
inline SparseTile<float> sparse_tile_of<float>(const PanelKernels& panels) {
  return panels.sparse_f32;
}
template <>
inline SparseTile<Bf16> sparse_tile_of<Bf16>(const PanelKernels& panels) {
  return panels.sparse_bf16;
}
template <>
inline SparseTile<std::int8_t> sparse_tile_of<std::int8_t>(const PanelKernels& panels) {
  return panels.sparse_s8;
}

extern const PanelKernels kPanelKernels_scalar;
#if defined(AIBENCH_ARCH_x86_64)
extern const PanelKernels kPanelKernels_avx2;
#endif

}  // namespace aibench
