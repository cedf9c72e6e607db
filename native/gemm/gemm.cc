#include "gemm/gemm.h"

#include <algorithm>
#include <cstring>

namespace aibench {
namespace {

constexpr std::size_t kCacheLine = 64;

// Part i of `count` things cut into `parts` nearly equal pieces starts here.
std::size_t cut(std::size_t count, std::size_t parts, std::size_t i) { return count * i / parts; }

std::size_t ceil_div(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

// C = beta * C, without reading C when beta is 0.
template <typename T>
void scale(std::size_t m, std::size_t n, T beta, T* c, std::size_t ldc) {
  for (std::size_t i = 0; i < m; ++i, c += ldc) {
    for (std::size_t j = 0; j < n; ++j) c[j] = beta == T{0} ? T{0} : beta * c[j];
  }
}

// Rows that are this many bytes apart fall on a few sets of a cache only: copying the block costs less than losing it.
bool rows_collide(std::size_t stride_bytes) { return stride_bytes % 1024 == 0; }

}  // namespace

template <typename T>
Gemm<T>::Gemm(const Microkernel<T>& kernel, ThreadTeam& team, std::size_t max_m, std::size_t max_n, std::size_t max_k)
    : Gemm(kernel, team, max_m, max_n, max_k,
           blocking_limits(cache_budget(), sizeof(T), static_cast<std::size_t>(kernel.rows),
                           static_cast<std::size_t>(kernel.columns()))) {}

template <typename T>
Gemm<T>::Gemm(const Microkernel<T>& kernel, ThreadTeam& team, std::size_t max_m, std::size_t max_n, std::size_t max_k,
              const Blocking& limits)
    : kernel_(kernel), team_(team), limits_(limits) {
  const auto columns = static_cast<std::size_t>(kernel.columns());
  const auto rows = static_cast<std::size_t>(kernel.rows);
  const std::size_t kc = std::min(limits_.kc, max_k) + 4;
  const std::size_t line = kCacheLine / sizeof(T);
  packed_b_elements_ = ceil_div(std::min(limits_.nc, max_n) + columns, columns) * columns * kc;
  packed_b_elements_ = ceil_div(packed_b_elements_, line) * line;
  packed_a_elements_ = (std::min(limits_.mc, max_m) + rows) * (kc + 2 * line);
}

template <typename T>
std::size_t Gemm<T>::workspace_bytes() const {
  return static_cast<std::size_t>(team_.size()) * (packed_b_elements_ + packed_a_elements_) * sizeof(T);
}

template <typename T>
Status Gemm<T>::allocate() {
  workspace_.clear();
  workspace_.resize(static_cast<std::size_t>(team_.size()));
  std::vector<Status> statuses(workspace_.size());
  team_.run([&](int member) {
    const auto i = static_cast<std::size_t>(member);
    statuses[i] = workspace_[i].allocate((packed_b_elements_ + packed_a_elements_) * sizeof(T));
  });
  for (Status& status : statuses) {
    if (!status.ok()) return status;
  }
  return Status::success();
}

template <typename T>
void Gemm<T>::run(const GemmArguments<T>& g) {
  if (g.m == 0 || g.n == 0) return;
  const auto lanes = static_cast<std::size_t>(kernel_.lanes);
  const ThreadGrid grid = thread_grid(team_.size(), g.m, g.n, static_cast<std::size_t>(kernel_.rows), lanes);
  team_.run([&](int member) {
    if (member >= grid.row_parts * grid.column_parts) return;
    const auto row_parts = static_cast<std::size_t>(grid.row_parts);
    const auto column_parts = static_cast<std::size_t>(grid.column_parts);
    const std::size_t i = static_cast<std::size_t>(member) / column_parts;
    const std::size_t j = static_cast<std::size_t>(member) % column_parts;
    const std::size_t vectors = ceil_div(g.n, lanes);
    const std::size_t first_row = cut(g.m, row_parts, i);
    const std::size_t first_column = std::min(g.n, cut(vectors, column_parts, j) * lanes);
    GemmArguments<T> part = g;
    part.m = cut(g.m, row_parts, i + 1) - first_row;
    part.n = std::min(g.n, cut(vectors, column_parts, j + 1) * lanes) - first_column;
    part.a = g.a + first_row * g.lda;
    part.b = g.b + first_column;
    part.c = g.c + first_row * g.ldc + first_column;
    run_part(part, workspace_[static_cast<std::size_t>(member)].template as<T>());
  });
}

template <typename T>
void Gemm<T>::run_part(const GemmArguments<T>& part, T* workspace) const {
  if (part.m == 0 || part.n == 0) return;
  if (part.k == 0 || part.alpha == T{0}) {
    scale(part.m, part.n, part.beta, part.c, part.ldc);
  } else {
    run_blocks(part, workspace, workspace + packed_b_elements_);
  }
}

template <typename T>
void Gemm<T>::run_blocks(const GemmArguments<T>& g, T* packed_b, T* packed_a) const {
  const auto lanes = static_cast<std::size_t>(kernel_.lanes);
  const auto panel_vectors = static_cast<std::size_t>(kernel_.vectors);
  const auto tile_rows = static_cast<std::size_t>(kernel_.rows);
  const std::size_t kc_part = balanced_part(g.k, limits_.kc, 4);
  const std::size_t mc_part = balanced_part(g.m, limits_.mc, tile_rows);
  const std::size_t nc_part = balanced_part(g.n, limits_.nc, lanes * panel_vectors);
  const std::size_t line = kCacheLine / sizeof(T);
  const std::size_t copied_lda = ceil_div(kc_part, line) * line + line;
  const bool copy_a = rows_collide(g.lda * sizeof(T)) && g.m > tile_rows && g.n > 4 * lanes * panel_vectors;

  Tile<T> t;
  t.alpha = g.alpha;
  t.ldc = static_cast<std::ptrdiff_t>(g.ldc);
  for (std::size_t jc = 0; jc < g.n; jc += nc_part) {
    const std::size_t nc = std::min(nc_part, g.n - jc);
    const std::size_t vectors = ceil_div(nc, lanes);
    const std::size_t panels = ceil_div(vectors, panel_vectors);
    for (std::size_t pc = 0; pc < g.k; pc += kc_part) {
      const std::size_t kc = std::min(kc_part, g.k - pc);
      t.k = kc;
      t.beta = pc == 0 ? g.beta : T{1};
      for (std::size_t ic = 0; ic < g.m; ic += mc_part) {
        const std::size_t mc = std::min(mc_part, g.m - ic);
        const std::size_t row_panels = ceil_div(mc, tile_rows);
        const T* a = g.a + ic * g.lda + pc;
        t.lda = static_cast<std::ptrdiff_t>(g.lda);
        if (copy_a) {
          for (std::size_t i = 0; i < mc; ++i) std::memcpy(packed_a + i * copied_lda, a + i * g.lda, kc * sizeof(T));
          a = packed_a;
          t.lda = static_cast<std::ptrdiff_t>(copied_lda);
        }
        for (std::size_t j = 0; j < panels; ++j) {
          const std::size_t first_vector = cut(vectors, panels, j);
          const std::size_t width = cut(vectors, panels, j + 1) - first_vector;
          const std::size_t column = first_vector * lanes;
          const T* source = g.b + pc * g.ldb + jc + column;
          T* panel = packed_b + column * kc;
          t.tail = std::min(nc - column, width * lanes) - (width - 1) * lanes;
          // The first row of tiles packs the panel while it computes; nobody needs it packed if there is no second.
          const bool whole = t.tail == lanes;
          const bool in_place = whole && ic == 0 && (row_panels == 1 && mc_part >= g.m);
          const bool packing = whole && ic == 0 && !in_place;
          if (ic == 0 && !whole) {
            kernel_.pack_b(kc, source, static_cast<std::ptrdiff_t>(g.ldb), static_cast<int>(width), t.tail, panel);
          }
          for (std::size_t p = 0; p < row_panels; ++p) {
            const std::size_t row = cut(mc, row_panels, p);
            const std::size_t height = cut(mc, row_panels, p + 1) - row;
            t.a = a + row * static_cast<std::size_t>(t.lda);
            t.c = g.c + (ic + row) * g.ldc + jc + column;
            const bool pack_now = packing && p == 0;
            t.b = pack_now || in_place ? source : panel;
            t.ldb = static_cast<std::ptrdiff_t>(pack_now || in_place ? g.ldb : width * lanes);
            t.pack = panel;
            t.prefetch = reinterpret_cast<const char*>(t.b);
            t.prefetch_stride = 0;
            (pack_now ? kernel_.packing : kernel_.plain)[height][width](t);
          }
        }
      }
    }
  }
}

template class Gemm<float>;
template class Gemm<double>;

}  // namespace aibench
