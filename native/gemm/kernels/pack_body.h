// Packing of A and B for tile_body.h, which includes it.
#pragma once

namespace aibench {
namespace {

// `groups` whole groups of rows of N whole vectors. Returns the end of what it wrote.
template <typename V, int N>
typename V::Element* pack_whole(std::size_t groups, const typename V::Weight* b, std::ptrdiff_t ldb, typename V::Element* panel) {
  const std::ptrdiff_t ldb_bytes = ldb * static_cast<std::ptrdiff_t>(sizeof(typename V::Weight));
  for (; groups != 0; --groups, b += V::kGroup * ldb, panel += N * V::kLanes) {
    V::store(panel, V::load_source(b, ldb_bytes));
    if constexpr (N > 1) V::store(panel + V::kLanes, V::load_source(b + V::kLanes, ldb_bytes));
    if constexpr (N > 2) V::store(panel + 2 * V::kLanes, V::load_source(b + 2 * V::kLanes, ldb_bytes));
  }
  return panel;
}

// V::b_word makes one word of the `rows` rows of a group that are there.
template <typename V>
void pack_panel(std::size_t k, const typename V::Weight* b, std::ptrdiff_t ldb, int vectors, std::size_t tail,
                typename V::Element* panel) {
  const std::ptrdiff_t ldb_bytes = ldb * static_cast<std::ptrdiff_t>(sizeof(typename V::Weight));
  if (const std::size_t groups = k / V::kGroup; tail == V::kLanes && vectors < 4) {
    panel = vectors == 3   ? pack_whole<V, 3>(groups, b, ldb, panel)
            : vectors == 2 ? pack_whole<V, 2>(groups, b, ldb, panel)
                           : pack_whole<V, 1>(groups, b, ldb, panel);
    b += static_cast<std::ptrdiff_t>(groups) * V::kGroup * ldb;
    k -= groups * V::kGroup;
  }
  for (; k != 0; b += V::kGroup * ldb) {
    const std::size_t rows = k < V::kGroup ? k : V::kGroup;
    k -= rows;
    for (int v = 0; v < vectors; ++v, panel += V::kLanes) {
      const typename V::Weight* from = b + v * V::kLanes;
      const std::size_t columns = v + 1 < vectors ? V::kLanes : tail;
      if (columns == V::kLanes && rows == V::kGroup) {
        V::store(panel, V::load_source(from, ldb_bytes));
        continue;
      }
      for (std::size_t j = 0; j < V::kLanes; ++j) {
        panel[j] = j < columns ? V::b_word(from + j, ldb_bytes, rows) : typename V::Element{};
      }
    }
  }
}

// Words [from, steps) of one row of A, `apart` words from each other.
template <typename V>
void pack_row(std::size_t k, std::size_t from, const typename V::Source* row, int apart, typename V::Element* packed) {
  for (std::size_t l = from * V::kGroup; l < k; l += V::kGroup, packed += apart) {
    *packed = V::a_word(row + l, k - l < V::kGroup ? k - l : V::kGroup);
  }
}

// What V::kOffset asks to add to the products of each of `rows` rows of A: -kOffset times the sum of its elements, by the kernel's own
// multiply-adds with ones.
template <typename V>
void row_offsets(std::size_t k, const typename V::Source* a, std::ptrdiff_t lda, int rows, typename V::Element* offsets) {
  constexpr std::size_t kElements = static_cast<std::size_t>(V::kLanes) * V::kGroup;
  typename V::Element ones, sums[V::kLanes];
  __builtin_memset(&ones, 1, sizeof ones);
  for (int r = 0; r < rows; ++r, a += lda) {
    typename V::Register total = V::zero();
    std::size_t l = 0;
    for (; l + kElements <= k; l += kElements) {
      V::accumulate(total, V::load(reinterpret_cast<const typename V::Element*>(a + l)), V::broadcast(&ones));
    }
    V::store(sums, total);
    typename V::Element sum = 0;
    for (int i = 0; i < V::kLanes; ++i) sum += sums[i];
    for (; l < k; ++l) sum += a[l];
    offsets[r] = -V::kOffset * sum;
  }
}

// `rows` rows of A, lda apart, to steps of `rows` words side by side. V::transpose does small rectangles in registers.
template <typename V>
void pack_rows(std::size_t k, const typename V::Source* a, std::ptrdiff_t lda, int rows, typename V::Element* packed) {
  const std::size_t whole = k / V::kGroup, steps = (k + V::kGroup - 1) / V::kGroup;
  const auto height = static_cast<std::size_t>(rows);
  int r = 0;
  for (; r + V::kTransposedRows <= rows; r += V::kTransposedRows) {
    const typename V::Source* row = a + r * lda;
    std::size_t l = 0;
    for (; l + V::kTransposedSteps <= whole; l += V::kTransposedSteps) {
      V::transpose(row + l * V::kGroup, lda, packed + l * height + r, rows);
    }
    for (int i = 0; i < V::kTransposedRows; ++i) pack_row<V>(k, l, row + i * lda, rows, packed + l * height + r + i);
  }
  for (; r < rows; ++r) pack_row<V>(k, 0, a + r * lda, rows, packed + r);
  if constexpr (V::kOffset != 0) row_offsets<V>(k, a, lda, rows, packed + steps * height);
}

}  // namespace
}  // namespace aibench
