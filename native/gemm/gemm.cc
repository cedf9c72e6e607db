#include "gemm/gemm.h"

#include <algorithm>

namespace aibench {
namespace {

constexpr std::size_t kCacheLine = 64;
// A tile prefetches k / 4 lines; this many tiles fetch k * NR elements where a step of the panel is up to 128 bytes wide.
constexpr std::size_t kPanelPrefetchTiles = 8;

// Part i of `count` things cut into `parts` nearly equal pieces starts here.
std::size_t cut(std::size_t count, std::size_t parts, std::size_t i) { return count * i / parts; }

std::size_t ceil_div(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

// What an element takes in a packed operand.
template <typename T>
std::size_t packed_element_bytes(const Microkernel<T>& kernel) {
  return sizeof(OutputOf<T>) / static_cast<std::size_t>(kernel.group);
}

// C = beta * C, without reading C when beta is 0.
template <typename T>
void scale(std::size_t m, std::size_t n, T beta, T* c, std::size_t ldc) {
  for (std::size_t i = 0; i < m; ++i, c += ldc) {
    for (std::size_t j = 0; j < n; ++j) c[j] = beta == T{0} ? T{0} : beta * c[j];
  }
}

// `count` things in `parts` nearly equal pieces, the larger ones first, without a division per piece.
struct Pieces {
  std::size_t parts, small, larger;
  Pieces(std::size_t count, std::size_t most) : parts(ceil_div(count, most)), small(count / parts), larger(count % parts) {}
  std::size_t begin(std::size_t i) const { return i * small + std::min(i, larger); }
  std::size_t size(std::size_t i) const { return small + (i < larger ? 1 : 0); }
};

}  // namespace

template <typename T>
Gemm<T>::Gemm(const Microkernel<T>& kernel, ThreadTeam& team, std::size_t max_m, std::size_t max_n, std::size_t max_k)
    : Gemm(kernel, team, max_m, max_n, max_k,
           blocking_limits(cache_budget(), packed_element_bytes(kernel), static_cast<std::size_t>(kernel.rows),
                           static_cast<std::size_t>(kernel.columns()))) {}

template <typename T>
Gemm<T>::Gemm(const Microkernel<T>& kernel, ThreadTeam& team, std::size_t max_m, std::size_t max_n, std::size_t max_k,
              const Blocking& limits)
    : kernel_(kernel), team_(team), limits_(limits) {
  const auto columns = static_cast<std::size_t>(kernel.columns());
  const auto rows = static_cast<std::size_t>(kernel.rows);
  const std::size_t kc = kernel.steps(std::min(limits_.kc, max_k)) + 16;
  const std::size_t line = kCacheLine / sizeof(C);
  packed_b_words_ = ceil_div(std::min(limits_.nc, max_n) + columns, columns) * columns * kc;
  packed_b_words_ = ceil_div(packed_b_words_, line) * line;
  packed_a_words_ = (std::min(limits_.mc, max_m) + rows) * kc;
}

template <typename T>
std::size_t Gemm<T>::workspace_bytes() const {
  return static_cast<std::size_t>(team_.size()) * (packed_b_words_ + packed_a_words_) * sizeof(C);
}

template <typename T>
Status Gemm<T>::allocate() {
  workspace_.clear();
  workspace_.resize(static_cast<std::size_t>(team_.size()));
  std::vector<Status> statuses(workspace_.size());
  team_.run([&](int member) {
    const auto i = static_cast<std::size_t>(member);
    statuses[i] = workspace_[i].allocate((packed_b_words_ + packed_a_words_) * sizeof(C));
  });
  for (Status& status : statuses) {
    if (!status.ok()) return status;
  }
  return Status::success();
}

template <typename T>
typename Gemm<T>::Part Gemm<T>::part_of(int member, std::size_t m, std::size_t n) const {
  const auto lanes = static_cast<std::size_t>(kernel_.lanes);
  const ThreadGrid grid = thread_grid(team_.size(), m, n, static_cast<std::size_t>(kernel_.rows), lanes);
  if (member >= grid.row_parts * grid.column_parts) return {m, 0, n, 0};
  const auto row_parts = static_cast<std::size_t>(grid.row_parts);
  const auto column_parts = static_cast<std::size_t>(grid.column_parts);
  const std::size_t i = static_cast<std::size_t>(member) / column_parts;
  const std::size_t j = static_cast<std::size_t>(member) % column_parts;
  const std::size_t vectors = ceil_div(n, lanes);
  Part part;
  part.row = cut(m, row_parts, i);
  part.rows = cut(m, row_parts, i + 1) - part.row;
  part.column = std::min(n, cut(vectors, column_parts, j) * lanes);
  part.columns = std::min(n, cut(vectors, column_parts, j + 1) * lanes) - part.column;
  return part;
}

template <typename T>
void Gemm<T>::run(const GemmArguments<T>& g) {
  if (g.m == 0 || g.n == 0) return;
  team_.run([&](int member) {
    const Part part = part_of(member, g.m, g.n);
    if (part.rows == 0 || part.columns == 0) return;
    GemmArguments<T> own = g;
    own.m = part.rows;
    own.n = part.columns;
    own.a = g.a + part.row * g.lda;
    own.b = g.b + part.column;
    own.c = g.c + part.row * g.ldc + part.column;
    if (kernel_.matrix.enter != nullptr) kernel_.matrix.enter();
    run_part(own, workspace_[static_cast<std::size_t>(member)].template as<C>());
    if (kernel_.matrix.leave != nullptr) kernel_.matrix.leave();
  });
}

template <typename T>
void Gemm<T>::run_part(const GemmArguments<T>& part, C* workspace) const {
  if (part.m == 0 || part.n == 0) return;
  if (part.k == 0 || part.alpha == C{0}) {
    scale(part.m, part.n, part.beta, part.c, part.ldc);
  } else {
    run_blocks(part, workspace, workspace + packed_b_words_);
  }
}

// One block of A (mc x kc) times one of B (kc x nc).
template <typename T>
struct Gemm<T>::Block {
  std::size_t m, n, k;
  const T* a;
  std::size_t lda;
  const WeightOf<T>* b;
  std::size_t ldb;
  C* c;
  std::size_t ldc;
  C alpha, beta;
  C* packed_a;  // nullptr: A is read in place
  C* packed_b;
  bool b_is_packed;   // by the block of rows before
  bool only_block;    // no other block of rows will read packed B: one panel's room serves all panels
  std::size_t ahead;  // columns by which B is prefetched where it is read in place
};

template <typename T>
void Gemm<T>::run_blocks(const GemmArguments<T>& g, C* packed_b, C* packed_a) const {
  const auto tile_rows = static_cast<std::size_t>(kernel_.rows);
  const auto tile_columns = static_cast<std::size_t>(kernel_.columns());
  Plan plan = plan_blocks(limits_, g.m, g.n, g.k, g.lda, packed_element_bytes(kernel_), tile_rows, tile_columns);
  plan.kc = kernel_.whole_depth(plan.kc);
  const bool pack_a = plan.pack_a || !kernel_.in_place_a;
  if (plan.stream && g.alpha == C{1} && g.k % static_cast<std::size_t>(kernel_.group) == 0) {
    scale(1, g.n, g.beta, g.c, g.ldc);
    kernel_.stream_row(g.k, g.n, g.a, g.b, static_cast<std::ptrdiff_t>(g.ldb), g.c);
    return;
  }
  for (std::size_t jc = 0; jc < g.n; jc += plan.nc) {
    for (std::size_t pc = 0; pc < g.k; pc += plan.kc) {
      for (std::size_t ic = 0; ic < g.m; ic += plan.mc) {
        Block block;
        block.m = std::min(plan.mc, g.m - ic);
        block.n = std::min(plan.nc, g.n - jc);
        block.k = std::min(plan.kc, g.k - pc);
        block.a = g.a + ic * g.lda + pc;
        block.lda = g.lda;
        block.b = g.b + pc * g.ldb + jc;
        block.ldb = g.ldb;
        block.c = g.c + ic * g.ldc + jc;
        block.ldc = g.ldc;
        block.alpha = g.alpha;
        block.beta = pc == 0 ? g.beta : C{1};
        block.packed_a = pack_a ? packed_a : nullptr;
        block.packed_b = packed_b;
        block.b_is_packed = ic != 0;
        block.only_block = plan.mc >= g.m;
        block.ahead = plan.ahead;
        run_block(block);
      }
    }
  }
}

template <typename T>
void Gemm<T>::run_block(const Block& g) const {
  const auto lanes = static_cast<std::size_t>(kernel_.lanes);
  const Pieces rows(g.m, static_cast<std::size_t>(kernel_.rows));
  const Pieces columns(ceil_div(g.n, lanes), static_cast<std::size_t>(kernel_.vectors));
  Tile<T> t;
  t.k = g.k;
  t.alpha = g.alpha;
  t.beta = g.beta;
  t.ldb = static_cast<std::ptrdiff_t>(g.ldb);
  t.ldc = static_cast<std::ptrdiff_t>(g.ldc);
  t.lda = static_cast<std::ptrdiff_t>(g.lda);
  const std::size_t steps = kernel_.steps(g.k), packed_row = kernel_.packed_row(g.k);
  const bool whole_groups = g.k % static_cast<std::size_t>(kernel_.group) == 0;
  const FromA from_a = g.packed_a == nullptr ? FromA::kInPlace : FromA::kPacked;
  for (std::size_t p = 0; from_a == FromA::kPacked && p < rows.parts; ++p) {
    const std::size_t row = rows.begin(p);
    kernel_.pack_a(g.k, g.a + row * g.lda, t.lda, static_cast<int>(rows.size(p)), g.packed_a + row * packed_row);
  }
  for (std::size_t j = 0; j < columns.parts; ++j) {
    const std::size_t width = columns.size(j), column = columns.begin(j) * lanes;
    const WeightOf<T>* source = g.b + column;
    C* panel = g.only_block ? g.packed_b : g.packed_b + column * steps;
    t.tail = std::min(g.n - column, width * lanes) - (width - 1) * lanes;
    t.pack_b = panel;
    // The first row of tiles packs the panel while it computes; nobody needs it packed if there is no second.
    FromB from_b = FromB::kPacked;
    if (!g.b_is_packed) {
      const bool whole = t.tail == lanes && whole_groups;
      const bool in_place = kernel_.tile(rows.size(0), width, from_a, FromB::kInPlace) != nullptr;
      if (whole && g.only_block && rows.parts == 1 && in_place) from_b = FromB::kInPlace;
      else if (whole && kernel_.in_place_a) from_b = FromB::kPacking;
      if (from_b == FromB::kPacked) kernel_.pack_b(g.k, source, t.ldb, static_cast<int>(width), t.tail, panel);
    }
    t.vectors = width;
    for (std::size_t p = 0; p < rows.parts; ++p) {
      const std::size_t row = rows.begin(p);
      const std::size_t height = rows.size(p);
      // This tile's part of A and, behind it, the next one's.
      const C* packed = g.packed_a + row * packed_row;
      const T* in_place = g.a + row * g.lda;
      t.a = from_a == FromA::kPacked ? static_cast<const void*>(packed) : in_place;
      t.c = g.c + row * g.ldc + column;
      t.b = from_b == FromB::kPacked ? static_cast<const void*>(panel) : source;
      if (from_b != FromB::kPacked) {  // B in place: a few columns on
        t.prefetch = reinterpret_cast<const char*>(source + g.ahead);
        t.prefetch_stride = static_cast<std::ptrdiff_t>(g.ldb * sizeof(WeightOf<T>)) * kernel_.group;
      } else if (g.b_is_packed && p < kPanelPrefetchTiles) {  // the next panel, which is packed too
        const std::size_t lines_per_tile = steps / 4;
        t.prefetch = reinterpret_cast<const char*>(panel + steps * width * lanes) + p * lines_per_tile * kCacheLine;
        t.prefetch_stride = kCacheLine;
      } else if (from_a == FromA::kPacked) {  // A's next tile: what four steps of it take
        t.prefetch = reinterpret_cast<const char*>(packed + height * packed_row);
        t.prefetch_stride = static_cast<std::ptrdiff_t>(4 * height * sizeof(C));
      } else {
        t.prefetch = reinterpret_cast<const char*>(in_place + height * g.lda);
        t.prefetch_stride = static_cast<std::ptrdiff_t>(4 * sizeof(T));
      }
      t.rows = height;
      kernel_.tile(height, width, from_a, from_b)(t);
      from_b = FromB::kPacked;
    }
  }
}

template class Gemm<float>;
template class Gemm<double>;
template class Gemm<Bf16>;
template class Gemm<F16>;
template class Gemm<std::int8_t>;
template class Gemm<std::uint8_t>;

}  // namespace aibench
