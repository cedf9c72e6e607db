// What the compressed products have in common: blocks of A packed by each thread, panels of columns dealt out to the threads.
#pragma once
#include <algorithm>
#include <cstddef>
#include <vector>

#include "gemm/compressed/compressed_weights.h"

namespace aibench {

inline std::size_t panels_of(std::size_t n, std::size_t columns) { return (n + columns - 1) / columns; }

// Panels [first, last) of member i of `members`.
struct PanelShare {
  std::size_t first, last;
  PanelShare(std::size_t panels, int member, int members)
      : first(panels * static_cast<std::size_t>(member) / static_cast<std::size_t>(members)),
        last(panels * static_cast<std::size_t>(member + 1) / static_cast<std::size_t>(members)) {}
};

// The kernel's matrix unit, where it has one, for as long as this object lives.
template <typename T>
class UnitInUse {
 public:
  explicit UnitInUse(const Microkernel<T>& kernel) : kernel_(kernel) {
    if (kernel_.matrix.enter != nullptr) kernel_.matrix.enter();
  }
  ~UnitInUse() {
    if (kernel_.matrix.leave != nullptr) kernel_.matrix.leave();
  }
  UnitInUse(const UnitInUse&) = delete;
  UnitInUse& operator=(const UnitInUse&) = delete;

 private:
  const Microkernel<T>& kernel_;
};

// Rows [begin, begin + m) of A by `depth` columns from `from`, packed tile by tile for `kernel`, kernel.packed_row(depth) words a row.
template <typename T>
void pack_block(const Microkernel<T>& kernel, const GemmArguments<T>& g, std::size_t begin, std::size_t m, std::size_t from,
                std::size_t depth, OutputOf<T>* packed) {
  const auto rows = static_cast<std::size_t>(kernel.rows);
  for (std::size_t r = 0; r < m; r += rows) {
    kernel.pack_a(depth, g.a + (begin + r) * g.lda + from, static_cast<std::ptrdiff_t>(g.lda),
                  static_cast<int>(std::min(rows, m - r)), packed + r * kernel.packed_row(depth));
  }
}

// C[m x width] (+)= packed A times a panel of `vectors` vectors, the last with `tail` columns.
template <typename T>
void multiply_panel(const Microkernel<T>& kernel, std::size_t m, std::size_t depth, const OutputOf<T>* packed_a,
                    const OutputOf<T>* panel, std::size_t vectors, std::size_t tail, OutputOf<T>* c, std::size_t ldc, bool add) {
  Tile<T> t{};
  t.k = depth;
  t.b = panel;
  t.ldc = static_cast<std::ptrdiff_t>(ldc);
  t.alpha = 1;
  t.beta = add ? 1 : 0;
  t.tail = tail;
  const auto rows = static_cast<std::size_t>(kernel.rows);
  for (std::size_t r = 0; r < m; r += rows) {
    const std::size_t height = std::min(rows, m - r);
    t.a = packed_a + r * kernel.packed_row(depth);
    t.c = c + r * ldc;
    t.prefetch = reinterpret_cast<const char*>(packed_a + (r + height) * kernel.packed_row(depth));
    t.prefetch_stride = static_cast<std::ptrdiff_t>(4 * height * sizeof(OutputOf<T>));
    t.rows = height;
    t.vectors = vectors;
    kernel.tile(height, vectors, FromA::kPacked, FromB::kPacked)(t);
  }
}

}  // namespace aibench
