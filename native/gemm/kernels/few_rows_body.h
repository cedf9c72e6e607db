// Products of few rows for tile_body.h, which includes it: B is read once, row by row as it lies, kFewSteps rows side by side. What a
// strip of those rows holds stays in registers while all rows of A pass over it, and their sums are in L1: `sums` is
// [strip][row of A][columns of the strip]. Nothing is packed. docs/kernels.md counts what this costs.
#pragma once

namespace aibench {
namespace {

constexpr int kFewSteps = 4;

#define AIBENCH_FEW_GRID(X) \
  X(0, 0) X(0, 1) X(0, 2) X(0, 3) X(1, 0) X(1, 1) X(1, 2) X(1, 3) X(2, 0) X(2, 1) X(2, 2) X(2, 3) X(3, 0) X(3, 1) X(3, 2) X(3, 3)
#define AIBENCH_FEW_LOAD(u, v)                                                                \
  [[maybe_unused]] typename V::Register b##u##v = V::zero();                                  \
  if constexpr (K > u && N > v) {                                                             \
    b##u##v = V::load_source(at(b, u * group) + v * V::kLanes, ldb);                          \
    V::pin(b##u##v);                                                                          \
  }
#define AIBENCH_FEW_STRIDE_0 0
#define AIBENCH_FEW_STRIDE_1 stride
#define AIBENCH_FEW_STRIDE_2 2 * stride
#define AIBENCH_FEW_STRIDE_3 stride3
#define AIBENCH_FEW_STEP(u)                                                                   \
  if constexpr (K > u) {                                                                      \
    x = V::broadcast_in_order(at(a, AIBENCH_FEW_STRIDE_##u) + r);                             \
    V::accumulate(c0, x, b##u##0);                                                            \
    if constexpr (N > 1) V::accumulate(c1, x, b##u##1);                                       \
    if constexpr (N > 2) V::accumulate(c2, x, b##u##2);                                       \
    if constexpr (N > 3) V::accumulate(c3, x, b##u##3);                                       \
  }

// The r-th row of A from `a` on.
#define AIBENCH_FEW_ROW(r_)                                                                   \
  {                                                                                           \
    constexpr int r = r_;                                                                     \
    asm("" : "+r"(a), "+r"(stride), "+r"(stride3)); /* as AIBENCH_STRIDES_CHANGE */           \
    typename V::Element* const c = sums + r * N * V::kLanes;                                  \
    typename V::Register x, c0 = V::load(c), c1 = c0, c2 = c0, c3 = c0;                       \
    if constexpr (N > 1) c1 = V::load(c + V::kLanes);                                         \
    if constexpr (N > 2) c2 = V::load(c + 2 * V::kLanes);                                     \
    if constexpr (N > 3) c3 = V::load(c + 3 * V::kLanes);                                     \
    AIBENCH_FEW_STEP(0)                                                                       \
    AIBENCH_FEW_STEP(1)                                                                       \
    AIBENCH_FEW_STEP(2)                                                                       \
    AIBENCH_FEW_STEP(3)                                                                       \
    V::store(c, c0);                                                                          \
    if constexpr (N > 1) V::store(c + V::kLanes, c1);                                         \
    if constexpr (N > 2) V::store(c + 2 * V::kLanes, c2);                                     \
    if constexpr (N > 3) V::store(c + 3 * V::kLanes, c3);                                     \
  }

// K steps of k times N vectors of columns: sums[m][N vectors] += A's words[K][m] * B.
template <typename V, int K, int N>
inline __attribute__((always_inline)) void few_strip(std::size_t m, const typename V::Element* words, const typename V::Weight* b,
                                                     std::ptrdiff_t ldb, typename V::Element* sums, const char* ahead) {
  using E = typename V::Element;
  const std::ptrdiff_t group = V::kGroup * ldb;  // bytes, as ldb
  // The same columns of the next rows: a strip is up to two lines wide, which lie anyhow.
  for (int u = 0; u < K * V::kGroup; ++u) {
    __builtin_prefetch(ahead + u * ldb, 0, 2);
    if constexpr (N * V::kLanes * sizeof(typename V::Weight) > 64) __builtin_prefetch(ahead + u * ldb + 64, 0, 2);
  }
  AIBENCH_FEW_GRID(AIBENCH_FEW_LOAD)
  const E* a = words;
  std::ptrdiff_t stride = static_cast<std::ptrdiff_t>(m * sizeof(E)), stride3 = 3 * stride;
  // Two rows of A at a time: the loop's own instructions are an eighth of what one row takes.
  for (std::size_t pairs = m / 2; pairs != 0; --pairs) {
    AIBENCH_FEW_ROW(0)
    AIBENCH_FEW_ROW(1)
    a += 2;
    sums += 2 * N * V::kLanes;
    asm("" : "+r"(sums));
  }
  if (m % 2 != 0) {
    AIBENCH_FEW_ROW(0)
  }
}
#undef AIBENCH_FEW_ROW
#undef AIBENCH_FEW_STRIDE_0
#undef AIBENCH_FEW_STRIDE_1
#undef AIBENCH_FEW_STRIDE_2
#undef AIBENCH_FEW_STRIDE_3
#undef AIBENCH_FEW_STEP
#undef AIBENCH_FEW_LOAD
#undef AIBENCH_FEW_GRID

// Of GCC's two register allocators it is the default one that keeps this loop free of spills; the tiles want the other.
#if defined(__GNUC__) && !defined(__clang__)
#define AIBENCH_FEW_ALLOCATOR __attribute__((optimize("ira-algorithm=CB")))
#else
#define AIBENCH_FEW_ALLOCATOR
#endif

// Steps [first, last) of k, K at a time, over all strips. Returns how far it came.
template <typename V, int K, int N>
AIBENCH_FEW_ALLOCATOR std::size_t few_steps(const FewRows<typename V::Source>& f, std::size_t first, std::size_t last, typename V::Element* end_of_columns) {
  using E = typename V::Element;
  using W = typename V::Weight;
  const std::ptrdiff_t ldb = f.ldb * static_cast<std::ptrdiff_t>(sizeof(W));
  const std::size_t m = f.m, n = f.n;  // the compiler does not know that what is stored is not these
  std::size_t l = first;
  for (; l + K <= last; l += K) {
    const E* words = f.a + l * m;
    const W* b = at(f.b, static_cast<std::ptrdiff_t>(l) * V::kGroup * ldb);
    const char* ahead = reinterpret_cast<const char*>(l + 2 * K <= last ? at(b, K * V::kGroup * ldb) : f.next);
    E* sums = f.sums;
    std::size_t j = 0;
    for (; j + N * V::kLanes <= n; j += N * V::kLanes, sums += m * N * V::kLanes) {
      few_strip<V, K, N>(m, words, b + j, ldb, sums, ahead + j * sizeof(W));
    }
    for (; j + V::kLanes <= n; j += V::kLanes, sums += m * V::kLanes) {
      few_strip<V, K, 1>(m, words, b + j, ldb, sums, ahead + j * sizeof(W));
    }
    if (j == f.n) continue;
    // What does not fill a vector: words made of single elements, zeros behind.
    for (int u = 0; u < K; ++u) {
      for (std::size_t i = 0; j + i < f.n; ++i) end_of_columns[u * V::kLanes + static_cast<int>(i)] = V::b_word(at(b + j + i, u * V::kGroup * ldb), ldb, V::kGroup);
    }
    for (std::size_t r = 0; r < f.m; ++r) {
      typename V::Register c = V::load(sums + r * V::kLanes);
      for (int u = 0; u < K; ++u) V::accumulate(c, V::broadcast(words + static_cast<std::size_t>(u) * f.m + r), V::load(end_of_columns + u * V::kLanes));
      V::store(sums + r * V::kLanes, c);
    }
  }
  return l;
}

// Sums of a strip to C.
template <typename V>
void few_store(const FewRows<typename V::Source>& f, std::size_t from, int vectors, std::size_t tail, const typename V::Element* sums) {
  const typename V::Register alpha = V::broadcast(&f.alpha), beta = V::broadcast(&f.beta);
  const bool read_c = f.beta != typename V::Element{0};
  const typename V::Element* offsets = f.a + f.k / V::kGroup * f.m;  // V::kOffset
  for (std::size_t r = 0; r < f.m; ++r) {
    typename V::Element* c = f.c + static_cast<std::ptrdiff_t>(r) * f.ldc + from;
    for (int v = 0; v < vectors; ++v, sums += V::kLanes, c += V::kLanes) {
      typename V::Register sum = V::load(sums);
      if constexpr (V::kOffset != 0) sum = V::add(sum, V::broadcast(offsets + r));
      store_c<V, true>(c, sum, alpha, beta, read_c, v + 1 == vectors ? tail : V::kLanes);
    }
  }
}

// Vectors of a strip: of bytes, where there are 32 registers, so many that its rows are whole lines. Nothing then puts these out of L1
// before they are used up: a strip has sixteen rows, which may lie on the same eight ways.
template <typename V, int N>
constexpr int few_vectors() {
  if (sizeof(typename V::Register) == 64 && sizeof(typename V::Weight) == 1) return 4;
  return N < 3 ? N : 3;
}

// Where the stream of B is what binds, long stretches of its rows count more than sums in L1; from 9 rows on the sums have to stay there.
template <typename V>
std::size_t few_columns(std::size_t m) {
  return (m <= 8 ? 65536 : 24576) / sizeof(typename V::Element) / m;
}

template <typename V, int N>
void few_rows(const FewRows<typename V::Source>& f) {
  using E = typename V::Element;
  const std::size_t steps = f.k / V::kGroup, strip = N * V::kLanes;
  const std::size_t columns = (f.n + V::kLanes - 1) / V::kLanes * V::kLanes;
  for (std::size_t i = 0; i < columns * f.m; i += V::kLanes) V::store(f.sums + i, V::zero());
  E words[kFewSteps * V::kLanes] = {};
  const std::size_t done = few_steps<V, kFewSteps, N>(f, 0, steps, words);
  few_steps<V, 1, N>(f, done, steps, words);
  const E* sums = f.sums;
  std::size_t j = 0;
  for (; j + strip <= f.n; j += strip, sums += f.m * strip) few_store<V>(f, j, N, V::kLanes, sums);
  for (; j < f.n; j += V::kLanes, sums += f.m * V::kLanes) few_store<V>(f, j, 1, f.n - j < V::kLanes ? f.n - j : V::kLanes, sums);
}

}  // namespace
}  // namespace aibench
