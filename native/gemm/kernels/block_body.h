// The body of the AdvSIMD kernels whose instruction multiplies 2 x 8 bytes by 8 x 2 (smmla, usmmla, bfmmla): an accumulator is a
// 2 x 2 block of C. Packed operands consist of eight bytes of k at a time: all rows of a tile side by side, all columns of a
// panel side by side, zeros behind k. Named variables and an unnamed namespace for the reasons of tile_body.h.
//
// The file that includes this one defines a `Vector` for tile_body.h (stores, streaming of single rows, C's arithmetic) with
//   kDepth              elements of k in eight bytes
//   eight_bytes         `count` elements of a row of A, zeros for the rest
//   eight_bytes_of_b    the same of a column of B
//   columns_of_eight    kDepth rows of four columns of B in place, as eight bytes per column
//   multiply_blocks     the instruction
//   multiply_blocks_twelve   twelve of them
#pragma once
#include <cstring>

#include "gemm/kernels/tile_body.h"

namespace aibench {
namespace {

#define AIBENCH_PAIR_OF_ROWS(X, p) X(p, 0) X(p, 1) X(p, 2) X(p, 3) X(p, 4) X(p, 5)
#define AIBENCH_BLOCKS(X) \
  AIBENCH_PAIR_OF_ROWS(X, 0) AIBENCH_PAIR_OF_ROWS(X, 1) AIBENCH_PAIR_OF_ROWS(X, 2) AIBENCH_PAIR_OF_ROWS(X, 3)
#define AIBENCH_DECLARE(p, q) typename V::Register c##p##q = V::zero();
#define AIBENCH_MULTIPLY(p, q) \
  if constexpr (2 * N > q) V::multiply_blocks(c##p##q, a##p, b##q);
#define AIBENCH_LOAD_B(q)                \
  typename V::Register b##q = V::zero(); \
  if constexpr (2 * N > q) {             \
    b##q = V::load(b + 4 * q);           \
    V::pin(b##q);                        \
  }
// The last row of an odd number has eight bytes of its own; what lies behind them is the next step.
#define AIBENCH_PAIR(p)                                                                               \
  if constexpr (R > 2 * p) {                                                                          \
    const typename V::Register a##p = R > 2 * p + 1 ? V::load_in_order(a + 4 * p) : V::load_half(a + 4 * p); \
    AIBENCH_PAIR_OF_ROWS(AIBENCH_MULTIPLY, p)                                                         \
  }

template <typename V, int R, int N>
void block_tile(const Tile<typename V::Source>& t) {
  using T = typename V::Element;
  static_assert(R <= 8 && N <= 3);
  AIBENCH_BLOCKS(AIBENCH_DECLARE)
  const T* a = static_cast<const T*>(t.a);
  const T* b = static_cast<const T*>(t.b);
  const char* prefetch = t.prefetch;
  for (std::size_t steps = (t.k + V::kDepth - 1) / V::kDepth; steps != 0; --steps) {
    __builtin_prefetch(prefetch, 0, 2);
    AIBENCH_LOAD_B(0) AIBENCH_LOAD_B(1) AIBENCH_LOAD_B(2) AIBENCH_LOAD_B(3) AIBENCH_LOAD_B(4) AIBENCH_LOAD_B(5)
    AIBENCH_PAIR(0) AIBENCH_PAIR(1) AIBENCH_PAIR(2) AIBENCH_PAIR(3)
    a += 2 * R;
    b += 2 * N * V::kLanes;
    prefetch += t.prefetch_stride / 2;
    asm("" : "+r"(a), "+r"(b), "+r"(prefetch));
  }
  const typename V::Register alpha = V::broadcast(&t.alpha), beta = V::broadcast(&t.beta);
  const bool read_c = t.beta != T{0};
  const std::size_t tail = t.tail;
#define AIBENCH_STORE(p, v, left, right)                                                                                 \
  if constexpr (R > 2 * p && N > v) {                                                                                    \
    T* c = t.c + 2 * p * t.ldc + v * V::kLanes;                                                                          \
    store_c<V, v == N - 1>(c, V::upper_row(c##p##left, c##p##right), alpha, beta, read_c, tail);                         \
    if constexpr (R > 2 * p + 1) store_c<V, v == N - 1>(c + t.ldc, V::lower_row(c##p##left, c##p##right), alpha, beta, read_c, tail); \
  }
#define AIBENCH_STORE_PAIR(p) AIBENCH_STORE(p, 0, 0, 1) AIBENCH_STORE(p, 1, 2, 3) AIBENCH_STORE(p, 2, 4, 5)
  AIBENCH_STORE_PAIR(0) AIBENCH_STORE_PAIR(1) AIBENCH_STORE_PAIR(2) AIBENCH_STORE_PAIR(3)
#undef AIBENCH_STORE_PAIR
#undef AIBENCH_STORE
}

#undef AIBENCH_PAIR
#undef AIBENCH_LOAD_B
#undef AIBENCH_MULTIPLY
#undef AIBENCH_DECLARE
#undef AIBENCH_BLOCKS
#undef AIBENCH_PAIR_OF_ROWS

// Eight bytes as the word of tile_body.h's packing.
template <typename V>
struct EightBytes {
  using Element = std::uint64_t;
  using Source = typename V::Source;
  using Weight = typename V::Weight;
  static constexpr int kGroup = V::kDepth, kOffset = 0, kLanes = V::kLanes;
  static constexpr int kTransposedRows = 1, kTransposedSteps = 1;
  static Element a_word(const Source* p, std::size_t count) { return V::eight_bytes(p, count); }
  static Element b_word(const Weight* p, std::ptrdiff_t ldb, std::size_t count) { return V::eight_bytes_of_b(p, ldb, count); }
  static void transpose(const Source* a, std::ptrdiff_t, Element* packed, std::ptrdiff_t) { *packed = a_word(a, kGroup); }
  struct Columns {
    typename V::Register low, high;  // two columns each
  };
  static Columns load_source(const Weight* p, std::ptrdiff_t ldb) {
    Columns columns;
    V::columns_of_eight(p, ldb, &columns.low, &columns.high);
    return columns;
  }
  static void store(Element* to, const Columns& columns) {
    V::store(reinterpret_cast<typename V::Element*>(to), columns.low);
    V::store(reinterpret_cast<typename V::Element*>(to) + 4, columns.high);
  }
};

template <typename V>
void pack_block_panel(std::size_t k, const typename V::Weight* b, std::ptrdiff_t ldb, int vectors, std::size_t tail,
                      typename V::Element* panel) {
  pack_panel<EightBytes<V>>(k, b, ldb, vectors, tail, reinterpret_cast<std::uint64_t*>(panel));
}

template <typename V>
void pack_block_rows(std::size_t k, const typename V::Source* a, std::ptrdiff_t lda, int rows, typename V::Element* packed) {
  pack_rows<EightBytes<V>>(k, a, lda, rows, reinterpret_cast<std::uint64_t*>(packed));
}

// Every row of A is the first kDepth elements of a_values, every column of B those of b_values.
template <typename V>
void multiply_block_chains(std::size_t steps, const typename V::Source* a_values, const typename V::Weight* b_values,
                           typename V::Element* sums) {
  const std::uint64_t a_word = V::eight_bytes(a_values, V::kDepth);
  const std::uint64_t b_word = V::eight_bytes_of_b(b_values, sizeof(typename V::Weight), V::kDepth);
  const std::uint64_t a_words[2] = {a_word, a_word}, b_words[2] = {b_word, b_word};
  typename V::Register a, b;
  std::memcpy(&a, a_words, sizeof a);
  std::memcpy(&b, b_words, sizeof b);
  typename V::Register c0 = V::zero(), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0;
  typename V::Register c6 = c0, c7 = c0, c8 = c0, c9 = c0, c10 = c0, c11 = c0;
  for (std::size_t i = steps; i != 0; --i) V::multiply_blocks_twelve(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, a, b);
  const typename V::Register all[kPeakChains] = {c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11};
  for (int i = 0; i < kPeakChains; ++i) V::store(sums + i * V::kLanes, all[i]);
}

template <typename V, int R, int N>
constexpr void fill_block_row(Microkernel<typename V::Source>& kernel) {
  kernel.tiles[R][N].packed[2] = block_tile<V, R, N>;
  if constexpr (N > 1) fill_block_row<V, R, N - 1>(kernel);
}

template <typename V, int R, int N>
constexpr void fill_block_grid(Microkernel<typename V::Source>& kernel) {
  fill_block_row<V, R, N>(kernel);
  if constexpr (R > 1) fill_block_grid<V, R - 1, N>(kernel);
}

// The microkernel of MR = kRows rows and NR = N vectors of 2 x 2 blocks.
template <typename V, int kRows, int N>
constexpr Microkernel<typename V::Source> make_block_microkernel(const char* name, Isa isa) {
#if defined(AIBENCH_LOW_TILES)
  constexpr int R = kRows < 5 ? kRows : 5;  // two pairs and a row without a partner
#else
  constexpr int R = kRows;
#endif
  Microkernel<typename V::Source> kernel{name, isa, R, N, V::kLanes, V::kGroup, false, 0, {},
                                         pack_block_panel<V>, pack_block_rows<V>, stream_row<V>, multiply_block_chains<V>};
  kernel.matrix.depth = V::kDepth;
  kernel.matrix.multiply_adds = kPeakChains * V::kLanes * V::kDepth;
  fill_block_grid<V, R, N>(kernel);
  return kernel;
}

}  // namespace
}  // namespace aibench
