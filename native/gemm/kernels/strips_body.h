// The loops over rows and columns of kernels that go by strips (gemm/compressed/strips.h), written once. A form F of weights defines
//   Rows, Element, Register, kLanes   what it is given; C's elements; a register of them
//   kMostRows, vectors(rows)          how many rows of A are multiplied at a time, and how many vectors of columns with so many rows
//   tile<R, N>(t, first, last, a, totals)  R rows of A from `a` on times vectors [first, last) of columns, up to N, for all k
//   finished(t, row, column, v)       what C gets of a total, from that element on
//   store(p, v)
#pragma once
#include "gemm/compressed/strips.h"

namespace aibench {
namespace {

template <typename F, int R, int N>
void strip_tile(const typename F::Rows& t, std::size_t row, std::size_t first, std::size_t last) {
  constexpr std::size_t kLanes = F::kLanes;
  typename F::Register totals[R * N];
  F::template tile<R, N>(t, first, last, t.a + static_cast<std::ptrdiff_t>(row) * t.pitch, totals);
  for (std::size_t r = 0; r < R; ++r) {
    for (std::size_t v = 0; v < N && first + v < last; ++v) {
      const std::size_t column = (first + v) * kLanes, count = t.n - column < kLanes ? t.n - column : kLanes;
      const typename F::Register value = F::finished(t, row + r, column, totals[r * N + v]);
      auto* c = t.c + static_cast<std::ptrdiff_t>(row + r) * t.ldc + column;
      if (count == kLanes) {
        F::store(c, value);
        continue;
      }
      alignas(64) typename F::Element lanes[kLanes];
      F::store(lanes, value);
      for (std::size_t j = 0; j < count; ++j) c[j] = lanes[j];
    }
  }
}

template <typename F>
void strip_rows(const typename F::Rows& t) {
  constexpr std::size_t kLanes = F::kLanes, kAtOnce = 4;
  const std::size_t vectors = (t.n + kLanes - 1) / kLanes;
  for (std::size_t first = 0; first < vectors; first += kAtOnce) {
    const std::size_t last = first + kAtOnce < vectors ? first + kAtOnce : vectors;
    // As many rows as there are registers for; these strips stay near for the next ones.
    for (std::size_t row = 0; row < t.m;) {
      const std::size_t left = t.m - row, height = left < F::kMostRows ? left : F::kMostRows;
#define AIBENCH_STRIP_HEIGHT(R, N)                                                                            \
  case R:                                                                                                     \
    if constexpr (R <= F::kMostRows) {                                                                        \
      for (std::size_t v = first; v < last; v += N) strip_tile<F, R, N>(t, row, v, v + N < last ? v + N : last); \
    }                                                                                                         \
    break;
      switch (height) {
        AIBENCH_STRIP_HEIGHT(1, F::vectors(1))
        AIBENCH_STRIP_HEIGHT(2, F::vectors(2))
        AIBENCH_STRIP_HEIGHT(3, F::vectors(3))
        AIBENCH_STRIP_HEIGHT(4, F::vectors(4))
        AIBENCH_STRIP_HEIGHT(5, F::vectors(5))
        AIBENCH_STRIP_HEIGHT(6, F::vectors(6))
        AIBENCH_STRIP_HEIGHT(7, F::vectors(7))
        AIBENCH_STRIP_HEIGHT(8, F::vectors(8))
      }
#undef AIBENCH_STRIP_HEIGHT
      row += height;
    }
  }
}

}  // namespace
}  // namespace aibench
