// The contract between the GEMM frame (gemm.cc) and its microkernels (kernels/).
#pragma once
#include <cstddef>

#include "core/cpu_features.h"

namespace aibench {

// One tile: C[rows x columns] = alpha * A[rows x k] * B[k x columns] + beta * C, all row-major. Strides are in elements.
// `columns` are whole vectors except for the last one, of which `tail` columns count (tail == lanes when it is whole).
template <typename T>
struct Tile {
  std::size_t k;
  const T* a;
  std::ptrdiff_t lda;
  const T* b;
  std::ptrdiff_t ldb;  // the panel's width where B is packed
  T* pack;             // packing kernels write the panel of B here as they read it
  T* c;
  std::ptrdiff_t ldc;
  T alpha;
  T beta;  // 0: C is not read, so that NaN in it does not matter (the BLAS rule)
  std::size_t tail;
  // One line is prefetched per step of k: `prefetch`, `prefetch + prefetch_stride` bytes, ...
  const char* prefetch;
  std::ptrdiff_t prefetch_stride;
};

template <typename T>
using TileFunction = void (*)(const Tile<T>&);

constexpr int kMaxTileRows = 8;
constexpr int kMaxTileVectors = 4;
constexpr int kMaxLanes = 16;

// One microkernel: the same tile for every height up to `rows` and every width up to `vectors`, so that a matrix can be
// cut into balanced panels instead of full ones and a slow remainder.
template <typename T>
struct Microkernel {
  const char* name;
  Isa isa;
  int rows;     // MR
  int vectors;  // NR = vectors * lanes
  int lanes;
  // B is read whole: packed, or in place with any stride; only the store of C knows the tail.
  TileFunction<T> plain[kMaxTileRows + 1][kMaxTileVectors + 1];
  // B is read in place and left packed behind. Only for panels whose last vector is whole.
  TileFunction<T> packing[kMaxTileRows + 1][kMaxTileVectors + 1];
  // Packs k x columns of B into a panel `vectors` wide, zeros behind the tail. (k, b, ldb, vectors, tail, panel)
  void (*pack_b)(std::size_t, const T*, std::ptrdiff_t, int, std::size_t, T*);

  // `steps` multiply-adds sums += a * b on each of rows * vectors independent accumulators, starting from 0: the same
  // instruction as in the tiles and nothing else. `a` and `b` are one vector; `sums` receives all accumulators.
  void (*multiply_add_chains)(std::size_t steps, const T* a, const T* b, T* sums);

  int columns() const { return vectors * lanes; }
};

// Rows of kernels.inc.
#define AIBENCH_GEMM_KERNEL(dtype, type, shape, path) extern const Microkernel<type> gemm_##dtype##_##shape##_##path;
#include "gemm/kernels.inc"
#undef AIBENCH_GEMM_KERNEL

}  // namespace aibench
