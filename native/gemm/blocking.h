// How a product is cut so that each piece stays in the cache that it is read from.
#pragma once
#include <cstddef>

#include "core/cpu_features.h"

namespace aibench {

// Row-major C[m x n] = A[m x k] * B[k x n], Goto's order: for nc columns, for kc of k, for mc rows, panels of NR columns
// (packed B, kc x NR), tiles of MR rows (kc x MR of A).
struct Blocking {
  std::size_t mc = 0;
  std::size_t kc = 0;
  std::size_t nc = 0;
  std::size_t l1 = 32 << 10, l2 = 512 << 10;  // bytes
};

// Limits for one thread: kc so that a panel of B takes at most an eighth of L2 (a panel that streams from L2 costs less
// than the more frequent passes over C of one that fits in L1), mc so that a block of A takes three eighths of L2, nc so
// that packed B takes half of this thread's share of L3 (at least L2). Multiples of what the tile needs.
Blocking blocking_limits(const CacheBudget& caches, std::size_t element_bytes, std::size_t tile_rows,
                         std::size_t tile_columns);

// `total` cut into equal parts of at most `limit`, each rounded up to `multiple`: the size of a part. One part is not rounded.
std::size_t balanced_part(std::size_t total, std::size_t limit, std::size_t multiple);

// How one thread cuts its product.
struct Plan {
  std::size_t mc, kc, nc;  // sizes of the parts
  bool pack_a;
  bool few;            // few rows and weights beyond L2, B by rows: it is a stream
  bool b_in_place;  // B is small enough to be read where it lies by every tile
  std::size_t ahead;  // columns by which B is prefetched where it is read in place
};
// How the weights lie.
enum class Weights { kRows, kTransposed, kPacked };
struct ProductShape {
  std::size_t m, n, k, lda, ldb;
  Weights weights;
  std::size_t few_most;  // up to so many rows are few (Microkernel::few_most)
};
Plan plan_blocks(const Blocking& limits, const ProductShape& product, std::size_t element_bytes, std::size_t tile_rows,
                 std::size_t tile_columns);
// Rows of a block of A that is kc deep: more than limits.mc where kc is less than limits.kc, up to four times as many.
std::size_t block_rows(const Blocking& limits, std::size_t kc);

// Which part of the rows and columns of C each thread computes: a grid of row_parts x column_parts.
struct ThreadGrid {
  int row_parts = 1;
  int column_parts = 1;
};
// The grid whose largest part needs the least time, counting tiles (edges included) and the traffic of A and B.
ThreadGrid thread_grid(int threads, std::size_t m, std::size_t n, std::size_t tile_rows, std::size_t tile_columns);

}  // namespace aibench
