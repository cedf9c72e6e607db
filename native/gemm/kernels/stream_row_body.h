// Products of one row for tile_body.h, which includes it: B is a stream, read where it lies.
#pragma once

namespace aibench {
namespace {

// kRows groups of B's rows onto c; `words` are A's. No prefetches: these are streams that the hardware sees (docs/kernels.md).
template <typename V, int kRows>
inline __attribute__((always_inline)) void stream_rows(std::size_t n, const typename V::Element* words,
                                                       const typename V::Weight* b, std::ptrdiff_t ldb,
                                                       typename V::Element* c) {
  const std::ptrdiff_t group = V::kGroup * ldb;  // bytes
  typename V::Register x[kRows];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) x[i] = V::broadcast(words + i);
  std::size_t j = 0;
  for (; j + V::kLanes <= n; j += V::kLanes) {
    typename V::Register sum = V::load(c + j);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      if constexpr (requires { V::accumulate_from(sum, x[i], b); }) V::accumulate_from(sum, x[i], at(b + j, i * group));
      else V::accumulate(sum, x[i], V::load_source(at(b + j, i * group), ldb));
    }
    V::store(c + j, sum);
  }
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
  constexpr int kRows = 8;
  constexpr std::size_t kColumns = 4096;  // c stays in L1
  const std::ptrdiff_t ldb_bytes = ldb * static_cast<std::ptrdiff_t>(sizeof(typename V::Weight));
  for (std::size_t from = 0; from < n; from += kColumns) {
    const std::size_t width = n - from < kColumns ? n - from : kColumns;
    std::size_t l = 0;
    typename V::Element words[kRows];
    for (; l + kRows * V::kGroup <= k; l += kRows * V::kGroup) {
      for (int i = 0; i < kRows; ++i) words[i] = V::a_word(a + l + static_cast<std::size_t>(i) * V::kGroup, V::kGroup);
      stream_rows<V, kRows>(width, words, b + static_cast<std::ptrdiff_t>(l) * ldb + from, ldb_bytes, c + from);
    }
    for (; l < k; l += V::kGroup) {
      words[0] = V::a_word(a + l, V::kGroup);
      stream_rows<V, 1>(width, words, b + static_cast<std::ptrdiff_t>(l) * ldb + from, ldb_bytes, c + from);
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
