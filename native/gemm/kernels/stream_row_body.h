// Products of one row for tile_body.h, which includes it: B is a stream, read where it lies.
#pragma once

namespace aibench {
namespace {

// kRows groups of B's rows onto c; `words` are A's. Each line of B is prefetched kStreamAhead bytes before its turn, those that the beginnings
// of the next rows lie on too (`next`): memory answers fastest when it is asked for all rows without a break (docs/kernels.md).
constexpr std::size_t kStreamAhead = 1024;

template <typename V, int kRows>
inline __attribute__((always_inline)) void stream_rows(std::size_t n, const typename V::Element* words,
                                                       const typename V::Weight* b, std::ptrdiff_t ldb,
                                                       typename V::Element* c, const typename V::Weight* next) {
  constexpr std::size_t kLine = 64 / sizeof(typename V::Weight), kAhead = kStreamAhead / sizeof(typename V::Weight);
  constexpr std::size_t kStep = V::kLanes > kLine ? V::kLanes : kLine;
  const std::ptrdiff_t group = V::kGroup * ldb;  // bytes
  typename V::Register x[kRows];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) x[i] = V::broadcast(words + i);
  const auto add_vector = [&](std::size_t j) __attribute__((always_inline)) {
    typename V::Register sum = V::load(c + j);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      if constexpr (requires { V::accumulate_from(sum, x[i], b); }) V::accumulate_from(sum, x[i], at(b + j, i * group));
      else V::accumulate(sum, x[i], V::load_source(at(b + j, i * group), ldb));
    }
    V::store(c + j, sum);
  };
  std::size_t j = 0;
  const auto add_steps = [&](std::size_t end, const typename V::Weight* ahead) __attribute__((always_inline)) {
    for (; j + kStep <= end; j += kStep) {
#pragma GCC unroll 8
      for (int i = 0; i < kRows * V::kGroup; ++i) __builtin_prefetch(at(ahead + j, i * ldb), 0, 2);
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kStep; v += V::kLanes) add_vector(j + v);
    }
  };
  if (n > kAhead) add_steps(n - kAhead, b + kAhead);
  add_steps(n, next - (n > kAhead ? n - kAhead : 0));
  for (; j + V::kLanes <= n; j += V::kLanes) add_vector(j);
  if (j == n) return;
  typename V::Register sum = V::load_partial(c + j, n - j);
  for (int i = 0; i < kRows; ++i) {
    typename V::Element lanes[V::kLanes] = {};
    for (std::size_t l = j; l < n; ++l) lanes[l - j] = V::b_word(at(b + l, i * group), ldb, V::kGroup);
    V::accumulate(sum, x[i], V::load(lanes));
  }
  V::store_partial(c + j, sum, n - j);
}

template <typename V>
void stream_row(std::size_t k, std::size_t n, const typename V::Source* a, const typename V::Weight* b, std::ptrdiff_t ldb,
                typename V::Element* c) {
  constexpr int kRows = 8 / V::kGroup;  // eight rows of B, or those of SVE and AdvSIMD
  constexpr std::size_t kColumns = 16384 / sizeof(typename V::Element);  // c stays in L1
  const std::ptrdiff_t ldb_bytes = ldb * static_cast<std::ptrdiff_t>(sizeof(typename V::Weight));
  for (std::size_t from = 0; from < n; from += kColumns) {
    const std::size_t width = n - from < kColumns ? n - from : kColumns;
    std::size_t l = 0;
    typename V::Element words[kRows];
    for (; l + kRows * V::kGroup <= k; l += kRows * V::kGroup) {
      for (int i = 0; i < kRows; ++i) words[i] = V::a_word(a + l + static_cast<std::size_t>(i) * V::kGroup, V::kGroup);
      const typename V::Weight* rows = b + static_cast<std::ptrdiff_t>(l) * ldb + from;
      const typename V::Weight* next = l + 2 * kRows * V::kGroup <= k ? rows + kRows * V::kGroup * ldb : b + from + width;
      stream_rows<V, kRows>(width, words, rows, ldb_bytes, c + from, next);
    }
    for (; l < k; l += V::kGroup) {
      words[0] = V::a_word(a + l, V::kGroup);
      const typename V::Weight* rows = b + static_cast<std::ptrdiff_t>(l) * ldb + from;
      stream_rows<V, 1>(width, words, rows, ldb_bytes, c + from, rows + V::kGroup * ldb);
    }
  }
  if constexpr (V::kOffset != 0) {
    typename V::Element offset;
    row_offsets<V>(k, a, 0, 1, &offset);
    for (std::size_t j = 0; j < n; ++j) c[j] += offset;
  }
}

}  // namespace
}  // namespace aibench
