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
  std::ptrdiff_t ldb;
  T* pack_b;  // packing tiles write the panel of B here as they read it
  T* c;
  std::ptrdiff_t ldc;
  T alpha;
  T beta;  // 0: C is not read, so that NaN in it does not matter (the BLAS rule)
  std::size_t tail;
  // Lines to prefetch: `prefetch`, `prefetch + prefetch_stride` bytes, ... One per four steps of k where B is packed; one
  // (two for a tile wider than a line) per step where it is read in place.
  const char* prefetch;
  std::ptrdiff_t prefetch_stride;
};

template <typename T>
using TileFunction = void (*)(const Tile<T>&);

// Where a tile reads an operand: in place with any stride, or packed; B also in place, leaving it packed behind.
enum class FromA { kInPlace, kPacked };
enum class FromB { kInPlace, kPacking, kPacked };

// The tiles of one height and width. Packed A serves products that pack B too.
template <typename T>
struct TileVariants {
  TileFunction<T> in_place[3];  // A in place; by FromB
  TileFunction<T> packed[2];    // A packed; B kPacking, kPacked

  // nullptr for packed A with B in place, which no plan asks for.
  TileFunction<T> choose(FromA a, FromB b) const {
    if (a == FromA::kInPlace) return in_place[static_cast<int>(b)];
    return b == FromB::kInPlace ? nullptr : packed[b == FromB::kPacked ? 1 : 0];
  }
};

// Independent accumulators of the FMA ceiling: more than latency times rate of any core so far.
constexpr int kPeakChains = 12;

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
  // B is read whole; only the store of C knows the tail. kPacking and kInPlace want panels whose last vector is whole.
  TileVariants<T> tiles[kMaxTileRows + 1][kMaxTileVectors + 1];
  // Packs k x columns of B into a panel `vectors` wide, zeros behind the tail. (k, b, ldb, vectors, tail, panel)
  void (*pack_b)(std::size_t, const T*, std::ptrdiff_t, int, std::size_t, T*);
  // Packs rows of A for FromA::kPacked: k steps of `rows` elements. (k, a, lda, rows, packed)
  void (*pack_a)(std::size_t, const T*, std::ptrdiff_t, int, T*);

  // `steps` multiply-adds sums += a * b on each of kPeakChains independent accumulators, starting from 0: the same
  // instruction as in the tiles and nothing else. `a` and `b` are one vector; `sums` receives all accumulators.
  void (*multiply_add_chains)(std::size_t steps, const T* a, const T* b, T* sums);

  int columns() const { return vectors * lanes; }
};

// Rows of kernels.inc.
#define AIBENCH_GEMM_KERNEL(dtype, type, shape, path) extern const Microkernel<type> gemm_##dtype##_##shape##_##path;
#include "gemm/kernels.inc"
#undef AIBENCH_GEMM_KERNEL

}  // namespace aibench
