// The contract between the GEMM frame (gemm.cc) and its microkernels (kernels/).
#pragma once
#include <cstddef>

#include "core/cpu_features.h"
#include "gemm/dtypes.h"

namespace aibench {

// A kernel multiplies words: one element as it is (f32, f64), one that packing has converted (bf16 to f32), or a group of
// `group` elements along k (two bf16, four int8) that one instruction multiplies and adds up. Packed operands are words of
// C's size; in place they are elements. A group that k does not fill has zeros behind.

// One tile: C[rows x columns] = alpha * A[rows x k] * B[k x columns] + beta * C, all row-major. Strides are in elements.
// `columns` are whole vectors except for the last one, of which `tail` columns count (tail == lanes when it is whole).
template <typename T>
struct Tile {
  std::size_t k;  // elements
  const void* a;  // T in place, words packed
  std::ptrdiff_t lda;
  const void* b;  // WeightOf<T> in place, words packed
  std::ptrdiff_t ldb;
  const OutputOf<T>* offsets;  // with b_offset and A in place: what row_offsets() made of the tile's rows
  void* pack_b;  // packing tiles write the panel of B here as they read it
  OutputOf<T>* c;
  std::ptrdiff_t ldc;
  OutputOf<T> alpha;
  OutputOf<T> beta;  // 0: C is not read, so that NaN in it does not matter (the BLAS rule)
  std::size_t tail;
  std::size_t rows, vectors;  // for kernels that serve all sizes with one function (Microkernel::any_size)
  // Lines to prefetch: `prefetch`, `prefetch + prefetch_stride` bytes, ... One per four steps of k where B is packed; one
  // (two for a tile wider than a line) per step where it is read in place.
  const char* prefetch;
  std::ptrdiff_t prefetch_stride;
};

template <typename T>
using TileFunction = void (*)(const Tile<T>&);

// Millikernel (the term of BLIS): `count` tiles one below the other, all of the given one's height, with B packed or all of it in
// place. A, C and the prefetches run on from tile to tile. Only with alpha 1, beta 0 or 1 and at least kMilliSteps steps; the last
// vector has to be whole where Microkernel::milli_tails does not say otherwise, and where B is in place.
template <typename T>
using MilliFunction = void (*)(const Tile<T>&, std::size_t count);
constexpr std::size_t kMilliSteps = 8;

// Where a tile reads an operand: in place with any stride, or packed; B also in place, leaving it packed behind.
enum class FromA { kInPlace, kPacked };
enum class FromB { kInPlace, kPacking, kPacked };

// The tiles of one height and width. A kernel that reads A in place packs it only for products that pack B too; one that does
// not (its words are not A's elements) has packed A alone, and no packing tiles.
template <typename Function>
struct TileVariants {
  Function in_place[3];  // A in place; by FromB
  Function packed[3];    // A packed; by FromB

  // nullptr for what no plan asks for.
  Function choose(FromA a, FromB b) const {
    return (a == FromA::kInPlace ? in_place : packed)[static_cast<int>(b)];
  }
};

// What a kernel tells beside of its tiles if its instruction multiplies small matrices (smmla, AMX) instead of vectors.
struct MatrixUnit {
  int depth = 0;  // elements of k that the instruction takes: packed k is a whole number of these, zeros behind
  int multiply_adds = 0;      // of one step of multiply_add_chains
  // Around any number of tiles on one thread: sets the unit up, and gives it back. May be nullptr.
  void (*enter)() = nullptr;
  void (*leave)() = nullptr;
};

// Some columns of a product of few rows: C[m x n] = alpha * A[m x k] * B[k x n] + beta * C, with whole groups of k. A is packed by
// pack_a as one tile of m rows; B lies as it is and is a stream from memory.
template <typename T>
struct FewRows {
  std::size_t m, n, k;
  const OutputOf<T>* a;
  const WeightOf<T>* b;
  std::ptrdiff_t ldb;
  OutputOf<T>* c;
  std::ptrdiff_t ldc;
  OutputOf<T> alpha, beta;
  OutputOf<T>* sums;         // room for m times n, rounded up to lanes
  const WeightOf<T>* next;  // the columns that will be multiplied after these
};

// Weights that leave room for the sum of two products at 16 bits: as quantisers make them for CPUs without VNNI ("reduced range").
constexpr int kNarrowWeights[] = {-64, 63};

// Independent accumulators of the FMA ceiling: more than latency times rate of any core so far.
constexpr int kPeakChains = 12;

constexpr std::size_t kMostFewRows = 64;
constexpr int kMaxTileRows = 8;
constexpr int kMaxTileVectors = 4;
constexpr int kMaxLanes = 16;
constexpr int kMaxGroup = 4;

// One microkernel: the same tile for every height up to `rows` and every width up to `vectors`, so that a matrix can be
// cut into balanced panels instead of full ones and a slow remainder.
template <typename T>
struct Microkernel {
  const char* name;
  Isa isa;
  int rows;     // MR
  int vectors;  // NR = vectors * lanes
  int lanes;
  int group;        // elements of k in a word
  bool in_place_a;  // A can be read as it lies (whole groups of k)
  // Not 0 where the instruction wants one operand without a sign: the kernel multiplies B + b_offset, and adds -b_offset times the
  // sum of each row of A, one word a row: packed A ends in them, and with A in place they are Tile::offsets.
  int b_offset;
  // B is read whole; only the store of C knows the tail. kPacking and kInPlace want panels whose last vector and last group
  // are whole.
  TileVariants<TileFunction<T>> tiles[kMaxTileRows + 1][kMaxTileVectors + 1];
  // Packs k x columns of B into a panel `vectors` wide, zeros behind the tail. (k, b, ldb, vectors, tail, panel)
  void (*pack_b)(std::size_t, const WeightOf<T>*, std::ptrdiff_t, int, std::size_t, OutputOf<T>*);
  // Packs rows of A for FromA::kPacked: steps of `rows` words, and what b_offset asks for. (k, a, lda, rows, packed)
  void (*pack_a)(std::size_t, const T*, std::ptrdiff_t, int, OutputOf<T>*);

  // c[n] += a[k] * B for one row of A: B's rows are read from end to end, eight at a time, so that a product that is a stream
  // of weights runs at the speed of memory. k in whole groups. (k, n, a, b, ldb, c)
  void (*stream_row)(std::size_t, std::size_t, const T*, const WeightOf<T>*, std::ptrdiff_t, OutputOf<T>*);

  // `steps` multiply-adds sums += a * b on each of kPeakChains independent accumulators, starting from 0: the same
  // instructions as in the tiles and nothing else. `a` and `b` are `group` elements for each lane; `sums` receives all
  // accumulators. With b_offset it is b + b_offset that is multiplied. A matrix unit multiplies the first `depth` elements of a
  // and b in every lane.
  void (*multiply_add_chains)(std::size_t steps, const T* a, const WeightOf<T>* b, OutputOf<T>* sums);

  MatrixUnit matrix = {};
  // Rows of the highest tile of each width where A is read in place; `rows` where it is packed.
  int highest[kMaxTileVectors + 1] = {};
  // Where it is not nullptr: A and B packed, any height and width, instead of `tiles`.
  TileFunction<T> any_size = nullptr;
  // Those words of `rows` rows of A, lda apart. (k, a, lda, rows, words)
  void (*row_offsets)(std::size_t, const T*, std::ptrdiff_t, int, OutputOf<T>*) = nullptr;
  // nullptr: products of few rows go by tiles too.
  void (*few_rows)(const FewRows<T>&) = nullptr;
  // What few_rows() is for, up to kMostFewRows, and how many columns it wants at a time for `m` of them.
  std::size_t few_most = kMostFewRows;
  std::size_t (*few_columns)(std::size_t m) = nullptr;
  int few_unit = 1;  // columns of a strip: parts are whole ones
  // B's elements have to lie in kNarrowWeights: for int8 instructions that add products at 16 bits and saturate.
  bool narrow_weights = false;
  // Millikernels by height and width; nullptr: one tile at a time. milli_tails: their last vector may be partial.
  bool milli_tails = false;
  int milli_fetches = 2;  // lines that they prefetch per eight steps
  TileVariants<MilliFunction<T>> millikernels[kMaxTileRows + 1][kMaxTileVectors + 1] = {};

  int columns() const { return vectors * lanes; }
  // The tile of `height` rows and `width` vectors, nullptr for what the kernel has not.
  TileFunction<T> tile(std::size_t height, std::size_t width, FromA a, FromB b) const {
    if (any_size == nullptr) return tiles[height][width].choose(a, b);
    return a == FromA::kPacked && b == FromB::kPacked ? any_size : nullptr;
  }
  MilliFunction<T> millikernel(std::size_t height, std::size_t width, FromA a, FromB b) const {
    return any_size == nullptr ? millikernels[height][width].choose(a, b) : nullptr;
  }
  // k rounded up to what the kernel multiplies at once.
  std::size_t whole_depth(std::size_t k) const {
    const auto depth = static_cast<std::size_t>(matrix.depth > group ? matrix.depth : group);
    return (k + depth - 1) / depth * depth;
  }
  // Words of a row of packed k.
  std::size_t steps(std::size_t k) const { return whole_depth(k) / static_cast<std::size_t>(group); }
  // Of one step of multiply_add_chains, all chains and lanes.
  int chain_multiply_adds() const { return matrix.depth != 0 ? matrix.multiply_adds : kPeakChains * lanes * group; }
  // Words of one row of packed A.
  std::size_t packed_row(std::size_t k) const { return steps(k) + (b_offset != 0 ? 1 : 0); }
};

template <typename T>
constexpr Microkernel<T> of_narrow_weights(Microkernel<T> kernel) {
  kernel.narrow_weights = true;
  return kernel;
}

// Rows of kernels.inc.
#define AIBENCH_GEMM_KERNEL(dtype, type, shape, path) extern const Microkernel<type> gemm_##dtype##_##shape##_##path;
#include "gemm/kernels.inc"
#undef AIBENCH_GEMM_KERNEL

}  // namespace aibench
