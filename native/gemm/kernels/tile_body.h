// The body of every microkernel, written once. A kernel file defines a struct `Vector` with the operations of one ISA and
// one dtype, includes this file and instantiates AIBENCH_GEMM_MICROKERNEL.
//
// Accumulators are named variables, not an array: GCC 12 keeps arrays of vectors on the stack, which costs half of the
// speed (docs/kernels.md). Everything is in an unnamed namespace and free of library templates, so that no code with
// these ISA flags can be picked by the linker for the base build.
#pragma once
#include <cstddef>

#include "gemm/microkernel.h"

namespace aibench {
namespace {

// X(row, vector) for the whole grid; constexpr conditions drop what a smaller tile has not.
#define AIBENCH_ROW(X, r) X(r, 0) X(r, 1) X(r, 2) X(r, 3)
#define AIBENCH_GRID(X) \
  AIBENCH_ROW(X, 0) AIBENCH_ROW(X, 1) AIBENCH_ROW(X, 2) AIBENCH_ROW(X, 3) \
  AIBENCH_ROW(X, 4) AIBENCH_ROW(X, 5) AIBENCH_ROW(X, 6) AIBENCH_ROW(X, 7)

#define AIBENCH_DECLARE(r, v) typename V::Register c##r##v = V::zero();
#define AIBENCH_FMA(r, v) \
  if constexpr (R > r && N > v) V::accumulate(c##r##v, a##r, b##v);
// A step with B in place prefetches each of its rows.
#define AIBENCH_PREFETCH_ROW(g)                                                              \
  if constexpr (V::kGroup > g) {                                                             \
    __builtin_prefetch(prefetch + g * ldb, 0, 2);                                            \
    if constexpr (N * V::kLanes * sizeof(typename V::Weight) > 64) __builtin_prefetch(prefetch + g * ldb + 64, 0, 2); \
  }
// V::pin keeps the vector in its register: GCC would rather load it again as the memory operand of each FMA.
#define AIBENCH_LOAD_B(v)                                                  \
  typename V::Register b##v = V::zero();                                   \
  if constexpr (N > v) {                                                   \
    if constexpr (kPackedB) b##v = V::load(b + (u * N + v) * V::kLanes);   \
    else b##v = V::load_source(b + v * V::kLanes, ldb);                    \
    V::pin(b##v);                                                          \
    if constexpr (kB == FromB::kPacking) V::store(pack + (u * N + v) * V::kLanes, b##v); \
  }
// In packed A the R elements of a step lie side by side; in place they are lda apart.
#define AIBENCH_STEP_ROW(r, base, offset)                                  \
  if constexpr (R > r) {                                                   \
    const typename V::Register a##r =                                      \
        V::broadcast_in_order(kPackedA ? a_low + u * R + r : at(base, offset) + u); \
    AIBENCH_ROW(AIBENCH_FMA, r)                                            \
  }

// As if the strides of A changed with every step: GCC would otherwise keep lda + 4, 2 * lda + 8, ... in registers that it has not,
// and load them from the stack, in place of an address with a constant in it (which AdvSIMD and SVE do not have).
#if defined(__x86_64__)
#define AIBENCH_STRIDES_CHANGE if constexpr (!kPackedA) asm("" : "+r"(lda), "+r"(lda3));
#else
#define AIBENCH_STRIDES_CHANGE
#endif

// Step u of a group of k: a row of B times a column of A. Where an operand is packed, u is a constant in the address, and
// one line is prefetched per group; where B is in place, its rows are far apart and each step prefetches.
#define AIBENCH_STEP(step)                                                 \
  {                                                                        \
    constexpr int u = step;                                                \
    AIBENCH_STRIDES_CHANGE                                                 \
    if constexpr (!kPackedB) {                                             \
      AIBENCH_PREFETCH_ROW(0) AIBENCH_PREFETCH_ROW(1) AIBENCH_PREFETCH_ROW(2) AIBENCH_PREFETCH_ROW(3) \
      prefetch += prefetch_stride;                                         \
    } else if constexpr (u == 0) {                                         \
      __builtin_prefetch(prefetch, 0, 2);                                  \
      prefetch += prefetch_stride;                                         \
    }                                                                      \
    AIBENCH_LOAD_B(0) AIBENCH_LOAD_B(1) AIBENCH_LOAD_B(2) AIBENCH_LOAD_B(3) \
    AIBENCH_STEP_ROW(0, a_low, 0)                                          \
    AIBENCH_STEP_ROW(1, a_low, lda)                                        \
    AIBENCH_STEP_ROW(2, a_low, 2 * lda)                                    \
    AIBENCH_STEP_ROW(3, a_low, lda3)                                       \
    AIBENCH_STEP_ROW(4, a_high, 0)                                         \
    AIBENCH_STEP_ROW(5, a_high, lda)                                       \
    AIBENCH_STEP_ROW(6, a_high, 2 * lda)                                   \
    AIBENCH_STEP_ROW(7, a_high, lda3)                                      \
    if constexpr (!kPackedB) {                                             \
      b = at(b, V::kGroup * ldb);                                          \
      asm("" : "+r"(b), "+r"(prefetch));                                   \
    }                                                                      \
  }

// Moves the pointers past a group. The empty asm statements keep GCC from turning the few strides into dozens of
// precomputed offsets, which it would then reload from the stack in every step.
#define AIBENCH_ADVANCE(steps)                                             \
  {                                                                        \
    a_low += (kPackedA ? R : 1) * (steps);                                 \
    asm("" : "+r"(a_low));                                                 \
    if constexpr (R > 4 && !kPackedA) {                                    \
      a_high += (steps);                                                   \
      asm("" : "+r"(a_high));                                              \
    }                                                                      \
    if constexpr (kPackedB) {                                              \
      b += (steps) * N * V::kLanes;                                        \
      asm("" : "+r"(b));                                                   \
    }                                                                      \
    if constexpr (kB == FromB::kPacking) {                                 \
      pack += (steps) * N * V::kLanes;                                     \
      asm("" : "+r"(pack));                                                \
    }                                                                      \
  }

template <bool kFirst, typename First, typename Second>
struct Choose {
  using Type = First;
};
template <typename First, typename Second>
struct Choose<false, First, Second> {
  using Type = Second;
};

// p moved by a number of bytes.
template <typename T>
inline __attribute__((always_inline)) const T* at(const T* p, std::ptrdiff_t bytes) {
  return reinterpret_cast<const T*>(reinterpret_cast<const char*>(p) + bytes);
}

// Stores c = alpha * acc [+ beta * c]. Only the last vector of a tile may be partial.
template <typename V, bool kLast>
inline __attribute__((always_inline)) void store_c(typename V::Element* c, typename V::Register acc,
                                                   typename V::Register alpha, typename V::Register beta,
                                                   bool read_c, std::size_t tail) {
  acc = V::mul(alpha, acc);
  if (kLast && tail != V::kLanes) {
    if (read_c) acc = V::fma(beta, V::load_partial(c, tail), acc);
    V::store_partial(c, acc, tail);
  } else {
    if (read_c) acc = V::fma(beta, V::load(c), acc);
    V::store(c, acc);
  }
}

template <typename V, int R, int N, FromA kA, FromB kB>
void tile(const Tile<typename V::Source>& t) {
  using T = typename V::Element;
  using B = typename Choose<kB == FromB::kPacked, T, typename V::Weight>::Type;
  constexpr bool kPackedA = kA == FromA::kPacked, kPackedB = kB == FromB::kPacked;
  AIBENCH_GRID(AIBENCH_DECLARE)
  const T* a_low = static_cast<const T*>(t.a);  // words, wherever they lie
  [[maybe_unused]] std::ptrdiff_t lda = t.lda * static_cast<std::ptrdiff_t>(sizeof(typename V::Source));  // strides in bytes from here on
  [[maybe_unused]] std::ptrdiff_t lda3 = 3 * lda;
  asm("" : "+r"(lda3));
  [[maybe_unused]] const T* a_high = at(a_low, R > 4 ? 4 * lda : 0);
  const B* b = static_cast<const B*>(t.b);
  [[maybe_unused]] const std::ptrdiff_t ldb = t.ldb * static_cast<std::ptrdiff_t>(sizeof(B));
  [[maybe_unused]] T* pack = static_cast<T*>(t.pack_b);
  const char* prefetch = t.prefetch;
  const std::ptrdiff_t prefetch_stride = t.prefetch_stride;

  // C is fetched while the product is computed, one row every so many groups of four steps: a burst of prefetches at
  // the start fills the miss buffers and stalls the streams of A and B.
  const std::size_t steps = (t.k + V::kGroup - 1) / V::kGroup;
  std::size_t groups = steps / 4;
  const std::size_t spacing = groups / R + 1;
  std::size_t until_next = 1;
  const T* c_ahead = t.c;
  for (; groups != 0; --groups) {
    if (--until_next == 0) {
      __builtin_prefetch(c_ahead, 1, 3);
      if constexpr (N * V::kLanes * sizeof(T) > 64) __builtin_prefetch(c_ahead + 64 / sizeof(T), 1, 3);
      if constexpr (N * V::kLanes * sizeof(T) > 128) __builtin_prefetch(c_ahead + 128 / sizeof(T), 1, 3);
      __builtin_prefetch(c_ahead + N * V::kLanes - 1, 1, 3);
      c_ahead += t.ldc;
      until_next = spacing;
    }
    AIBENCH_STEP(0)
    AIBENCH_STEP(1)
    AIBENCH_STEP(2)
    AIBENCH_STEP(3)
    AIBENCH_ADVANCE(4)
  }
  for (std::size_t rest = steps % 4; rest != 0; --rest) {
    AIBENCH_STEP(0)
    AIBENCH_ADVANCE(1)
  }

  // One branch for all vectors instead of one each. Only the last vector of a row may be partial.
#define AIBENCH_OFFSET(r, v) \
  if constexpr (V::kOffset != 0 && R > r && N > v) c##r##v = V::add(c##r##v, V::broadcast(offsets + r));
#define AIBENCH_SCALE(r, v) if constexpr (R > r && N > v) c##r##v = V::mul(alpha, c##r##v);
#define AIBENCH_ADD_C(r, v) \
  if constexpr (R > r && N > v) c##r##v = V::fma(beta, V::load(c + r * ldc + v * V::kLanes), c##r##v);
#define AIBENCH_STORE(r, v) if constexpr (R > r && N > v) V::store(c + r * ldc + v * V::kLanes, c##r##v);
#define AIBENCH_STORE_PARTIAL(r, v) \
  if constexpr (R > r && N > v) store_c<V, v == N - 1>(c + r * ldc + v * V::kLanes, c##r##v, alpha, beta, read_c, tail);
  const bool read_c = t.beta != T{0};
  const std::size_t tail = t.tail;
  const std::ptrdiff_t ldc = t.ldc;
  T* c = t.c;
  [[maybe_unused]] const T* offsets = kPackedA ? a_low : t.offsets;
  AIBENCH_GRID(AIBENCH_OFFSET)
  if (tail != V::kLanes) {
    const typename V::Register alpha = V::broadcast(&t.alpha), beta = V::broadcast(&t.beta);
    AIBENCH_GRID(AIBENCH_STORE_PARTIAL)
    return;
  }
  if (t.alpha != T{1}) {
    const typename V::Register alpha = V::broadcast(&t.alpha);
    AIBENCH_GRID(AIBENCH_SCALE)
  }
  if (read_c) {
    const typename V::Register beta = V::broadcast(&t.beta);
    AIBENCH_GRID(AIBENCH_ADD_C)
  }
  AIBENCH_GRID(AIBENCH_STORE)
#undef AIBENCH_STORE_PARTIAL
#undef AIBENCH_STORE
#undef AIBENCH_ADD_C
#undef AIBENCH_SCALE
#undef AIBENCH_OFFSET
}

// One asm statement for all chains: with one statement each GCC puts two register moves beside every FMA, and the ceiling
// comes out below the kernels (docs/kernels.md).
template <typename V>
void multiply_add_chains(std::size_t steps, const typename V::Source* a_values, const typename V::Weight* b_values,
                         typename V::Element* sums) {
  typename V::Element a_words[V::kLanes], b_words[V::kLanes];
  for (int i = 0; i < V::kLanes; ++i) {
    a_words[i] = V::a_word(a_values + i * V::kGroup, V::kGroup);
    b_words[i] = V::b_word(b_values + i * V::kGroup, sizeof(typename V::Weight), V::kGroup);
  }
  typename V::Register c0 = V::zero(), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0;
  typename V::Register c6 = c0, c7 = c0, c8 = c0, c9 = c0, c10 = c0, c11 = c0;
  const typename V::Register a = V::load(a_words), b = V::load(b_words);
  for (std::size_t i = steps; i != 0; --i) V::accumulate_twelve(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, a, b);
  const typename V::Register all[kPeakChains] = {c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11};
  for (int i = 0; i < kPeakChains; ++i) V::store(sums + i * V::kLanes, all[i]);
}

#undef AIBENCH_ADVANCE
#undef AIBENCH_STEP
#undef AIBENCH_STRIDES_CHANGE
#undef AIBENCH_STEP_ROW
#undef AIBENCH_LOAD_B
#undef AIBENCH_PREFETCH_ROW
#undef AIBENCH_FMA
#undef AIBENCH_DECLARE
#undef AIBENCH_GRID
#undef AIBENCH_ROW

}  // namespace
}  // namespace aibench

#include "gemm/kernels/few_rows_body.h"
#include "gemm/kernels/pack_body.h"
#include "gemm/kernels/stream_row_body.h"

namespace aibench {
namespace {

template <typename V, int R, int N>
constexpr void fill_in_place(Microkernel<typename V::Source>& kernel) {
  auto& row = kernel.tiles[R][N];
  row.in_place[0] = tile<V, R, N, FromA::kInPlace, FromB::kInPlace>;
  row.in_place[1] = tile<V, R, N, FromA::kInPlace, FromB::kPacking>;
  row.in_place[2] = tile<V, R, N, FromA::kInPlace, FromB::kPacked>;
}

// Narrow tiles that are higher than the kernel's, so that they have as many accumulators: with fewer than latency times rate the
// multiply-adds wait for each other.
template <typename V, int R, int N, int kLowest>
constexpr void fill_high(Microkernel<typename V::Source>& kernel) {
  fill_in_place<V, R, N>(kernel);
  if constexpr (R > kLowest) fill_high<V, R - 1, N, kLowest>(kernel);
}

template <typename V, int R, int N>
constexpr void fill_row(Microkernel<typename V::Source>& kernel) {
  auto& row = kernel.tiles[R][N];
  if constexpr (V::kInPlaceA) {
    fill_in_place<V, R, N>(kernel);
    row.packed[1] = tile<V, R, N, FromA::kPacked, FromB::kPacking>;
  } else {  // no packing tiles: they would save 1 % and cost a third of the code
    row.packed[0] = tile<V, R, N, FromA::kPacked, FromB::kInPlace>;
  }
  row.packed[2] = tile<V, R, N, FromA::kPacked, FromB::kPacked>;
  if constexpr (N > 1) fill_row<V, R, N - 1>(kernel);
}

template <typename V, int R, int N>
constexpr void fill_grid(Microkernel<typename V::Source>& kernel) {
  fill_row<V, R, N>(kernel);
  if constexpr (R > 1) fill_grid<V, R - 1, N>(kernel);
}

// The microkernel of MR = kRows rows and NR = N vectors.
template <typename V, int kRows, int N>
constexpr Microkernel<typename V::Source> make_microkernel(const char* name, Isa isa) {
#if defined(AIBENCH_SIMDE) || defined(AIBENCH_LOW_TILES)  // emulated: lower tiles have to do; five rows are the first to use a_high
#ifndef AIBENCH_LOW_ROWS
#define AIBENCH_LOW_ROWS 5
#endif
  constexpr int kMost = V::kInPlaceA ? AIBENCH_LOW_ROWS : 2;
  constexpr int R = kRows < kMost ? kRows : kMost;
#else
  constexpr int R = kRows;
#endif
  static_assert(R <= kMaxTileRows && N <= kMaxTileVectors);
  static_assert(V::kLanes <= kMaxLanes && V::kGroup <= kMaxGroup);
  Microkernel<typename V::Source> kernel{name, isa, R, N, V::kLanes, V::kGroup, V::kInPlaceA, V::kOffset, {},
                                         pack_panel<V>, pack_rows<V>, stream_row<V>, multiply_add_chains<V>};
  if constexpr (V::kOffset != 0) kernel.row_offsets = row_offsets<V>;
  kernel.few_rows = few_rows<V, few_vectors<V, N>()>;
  kernel.few_columns = few_columns<V>;
  kernel.few_unit = few_vectors<V, N>() * V::kLanes;
  fill_grid<V, R, N>(kernel);
  for (int width = 1; width <= N; ++width) kernel.highest[width] = R;
  if constexpr (V::kInPlaceA && V::kLanes > 1 && R == 4 && N == 3) {  // 12 accumulators; where there are 24, the narrow ones have enough
    fill_high<V, 6, 2, R + 1>(kernel);
    fill_high<V, 8, 1, R + 1>(kernel);
    kernel.highest[2] = 6;
    kernel.highest[1] = 8;
  }
  return kernel;
}

}  // namespace
}  // namespace aibench
