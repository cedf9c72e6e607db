#include "gemm/gemm_frame.h"

#include <algorithm>

#include "gemm/pieces.h"
#include "gemm/transpose.h"

namespace aibench {
namespace {

constexpr std::size_t kCacheLine = 64;

std::size_t ceil_div(std::size_t a, std::size_t b) { return (a + b - 1) / b; }
std::size_t round_up(std::size_t a, std::size_t multiple) { return ceil_div(a, multiple) * multiple; }

// Elements of k for which few rows of A are packed at a time.
constexpr std::size_t kFewRowsDepth = 4096;

// What an element takes in a packed operand.
template <typename T>
std::size_t packed_element_bytes(const Microkernel<T>& kernel) {
  return sizeof(OutputOf<T>) / static_cast<std::size_t>(kernel.group);
}

// C = beta * C, without reading C when beta is 0.
template <typename C>
void scale(std::size_t m, std::size_t n, C beta, C* c, std::size_t ldc) {
  for (std::size_t i = 0; i < m; ++i, c += ldc) {
    for (std::size_t j = 0; j < n; ++j) c[j] = beta == C{0} ? C{0} : beta * c[j];
  }
}

template <typename T>
Plan plan_for(const GemmArguments<T>& g, Weights weights, const Blocking& limits, const Microkernel<T>& kernel) {
  return plan_blocks(limits, {g.m, g.n, g.k, g.lda, g.ldb, weights, kernel.few_most}, packed_element_bytes(kernel), static_cast<std::size_t>(kernel.rows),
                     static_cast<std::size_t>(kernel.columns()));
}

// For as long as tiles run.
class InMatrixUnit {
 public:
  explicit InMatrixUnit(const MatrixUnit& unit) : unit_(unit) {
    if (unit_.enter != nullptr) unit_.enter();
  }
  ~InMatrixUnit() {
    if (unit_.leave != nullptr) unit_.leave();
  }
  InMatrixUnit(const InMatrixUnit&) = delete;
  InMatrixUnit& operator=(const InMatrixUnit&) = delete;

 private:
  const MatrixUnit& unit_;
};

// Distance of the rows of a block that was turned round: not one that puts them on the same cache sets.
template <typename T>
std::size_t turned_row(std::size_t k) {
  constexpr std::size_t kLine = kCacheLine / sizeof(T);
  return round_up(k, kLine) + (k * sizeof(T) % 1024 == 0 ? kLine : 0);
}

}  // namespace

// Where panels of B come from: a matrix (transposed or not), turned round in `turned`, or packed weights.
template <typename T>
struct GemmFrame<T>::Source {
  const WeightOf<T>* b;
  std::size_t ldb;
  bool transposed;
  WeightOf<T>* turned;
  const C* weights;      // packed ones, or nullptr
  std::size_t column, n; // this part's first column in them, and their width

  Source at(std::size_t row, std::size_t to_column) const {
    Source own = *this;
    if (b != nullptr) own.b = b + (transposed ? to_column * ldb + row : row * ldb + to_column);
    return own;
  }
};

// One block of A (mc x kc) times one of B (kc x nc).
template <typename T>
struct GemmFrame<T>::Block {
  std::size_t m, n, k;
  const T* a;
  std::size_t lda;
  Source source;
  C* c;
  std::size_t ldc;
  C alpha, beta;
  C* packed_a;        // nullptr: A is read in place
  const C* offsets;   // of its rows, then, where the kernel wants them
  C* packed_b;
  bool b_is_packed;   // by the block of rows before, or long ago
  bool only_block;    // no other block of rows will read packed B: one panel's room serves all panels
  bool millikernels;  // alpha and beta are such that they can be used
  bool b_in_place;    // by them, and B is not packed
  std::size_t ahead;  // columns by which B is prefetched where it is read in place
};

template <typename T>
GemmFrame<T>::GemmFrame(const Microkernel<T>& kernel, const Blocking& limits, std::size_t max_m, std::size_t max_n, std::size_t max_k)
    : kernel_(kernel), limits_(limits) {
  const auto columns = static_cast<std::size_t>(kernel.columns());
  const auto rows = static_cast<std::size_t>(kernel.rows), group = static_cast<std::size_t>(kernel.group);
  const std::size_t kc = kernel.steps(std::min(limits_.kc, max_k)) + 16;
  const std::size_t line = kCacheLine / sizeof(C);
  packed_b_words_ = round_up(ceil_div(std::min(limits_.nc, max_n) + columns, columns) * columns * kc, line);
  for (std::size_t m = 1; kernel.few_rows != nullptr && m <= std::min(max_m, kernel.few_most); ++m) {
    packed_b_words_ = std::max(packed_b_words_, m * (std::min(round_up(max_n, line), kernel.few_columns(m)) + static_cast<std::size_t>(kernel.few_unit)));
  }
  packed_b_words_ = round_up(packed_b_words_, line);
  // A block of few steps has more rows (block_rows): as many words, up to what rounding adds to each.
  const std::size_t most_rows = std::min(4 * limits_.mc, max_m) + rows;
  packed_a_words_ = std::min(most_rows * kc, limits_.mc * kernel.steps(limits_.kc) + rows * kc + 64 * limits_.mc);
  if (max_m <= kMostFewRows) packed_a_words_ = std::max(packed_a_words_, max_m * (kernel.steps(std::min(kFewRowsDepth, max_k)) + 16));
  packed_a_words_ = round_up(packed_a_words_, line);
  // Rows of a block of A and a line or two for each.
  turned_a_elements_ = round_up(packed_a_words_ * group + 2 * most_rows * kCacheLine, kCacheLine);
  turned_b_elements_ = columns * kc * group;
}

template <typename T>
std::size_t GemmFrame<T>::room_bytes() const {
  return (packed_b_words_ + packed_a_words_) * sizeof(C) + turned_a_elements_ * sizeof(T) + turned_b_elements_ * sizeof(WeightOf<T>);
}

template <typename T>
typename GemmFrame<T>::Room GemmFrame<T>::room_in(C* begin) const {
  C* packed_a = begin + packed_b_words_;
  T* turned_a = reinterpret_cast<T*>(packed_a + packed_a_words_);
  return {begin, packed_a, turned_a, reinterpret_cast<WeightOf<T>*>(turned_a + turned_a_elements_)};
}

template <typename T>
bool GemmFrame<T>::nothing_to_multiply(const GemmArguments<T>& g) const {
  if (g.m == 0 || g.n == 0) return true;
  if (g.k != 0 && g.alpha != C{0}) return false;
  scale(g.m, g.n, g.beta, g.c, g.ldc);
  return true;
}

template <typename T>
void GemmFrame<T>::run(const GemmArguments<T>& g, const Room& room) const {
  if (nothing_to_multiply(g)) return;
  const InMatrixUnit unit(kernel_.matrix);
  Plan plan = plan_for(g, g.transpose_b ? Weights::kTransposed : Weights::kRows, limits_, kernel_);
  const bool whole_groups = g.k % static_cast<std::size_t>(kernel_.group) == 0;
  if (plan.few && whole_groups && g.m == 1 && g.alpha == C{1} && !g.transpose_a) {
    scale(1, g.n, g.beta, g.c, g.ldc);
    kernel_.stream_row(g.k, g.n, g.a, g.b, static_cast<std::ptrdiff_t>(g.ldb), g.c);
    return;
  }
  if (plan.few && whole_groups && run_few_rows(g, room)) return;
  plan.kc = kernel_.whole_depth(plan.kc);
  run_blocks(g, plan, {g.b, g.ldb, g.transpose_b, room.turned_b, nullptr, 0, 0}, room);
}

template <typename T>
void GemmFrame<T>::run_packed(const GemmArguments<T>& g, const C* weights, std::size_t column, std::size_t n, const Room& room) const {
  if (nothing_to_multiply(g)) return;
  const InMatrixUnit unit(kernel_.matrix);
  Plan plan = plan_for(g, Weights::kPacked, limits_, kernel_);
  plan.kc = weights_kc(g.k);
  run_blocks(g, plan, {nullptr, 0, false, nullptr, weights, column, n}, room);
}

template <typename T>
std::size_t GemmFrame<T>::padded(std::size_t n) const {
  return round_up(n, static_cast<std::size_t>(kernel_.lanes));
}

template <typename T>
std::size_t GemmFrame<T>::weights_kc(std::size_t k) const {
  return kernel_.whole_depth(balanced_part(k, limits_.kc, 4));
}

template <typename T>
std::size_t GemmFrame<T>::weight_words(std::size_t k, std::size_t n) const {
  return kernel_.steps(k) * padded(n);
}

template <typename T>
void GemmFrame<T>::pack_weights(std::size_t k, std::size_t n, const WeightOf<T>* b, std::size_t ldb, bool transposed, std::size_t first,
                                std::size_t last, C* weights, const Room& room) const {
  const auto unit = static_cast<std::size_t>(kernel_.columns()), lanes = static_cast<std::size_t>(kernel_.lanes);
  const Source source{b, ldb, transposed, room.turned_b, nullptr, 0, 0};
  const std::size_t kc = weights_kc(k);
  for (std::size_t pc = 0; pc < k; pc += kc) {
    const std::size_t depth = std::min(kc, k - pc);
    C* block = weights + kernel_.steps(pc) * padded(n);
    for (std::size_t p = first; p < last; ++p) {
      const std::size_t column = p * unit, columns = std::min(unit, n - column), vectors = ceil_div(columns, lanes);
      pack_panel(source.at(pc, column), depth, vectors, columns - (vectors - 1) * lanes, block + column * kernel_.steps(depth));
    }
  }
}

template <typename T>
void GemmFrame<T>::pack_panel(const Source& source, std::size_t k, std::size_t vectors, std::size_t tail, C* panel) const {
  const auto width = vectors * static_cast<std::size_t>(kernel_.lanes);
  if (!source.transposed) {
    kernel_.pack_b(k, source.b, static_cast<std::ptrdiff_t>(source.ldb), static_cast<int>(vectors), tail, panel);
    return;
  }
  transpose(width - static_cast<std::size_t>(kernel_.lanes) + tail, k, source.b, source.ldb, source.turned, width);
  kernel_.pack_b(k, source.turned, static_cast<std::ptrdiff_t>(width), static_cast<int>(vectors), tail, panel);
}

template <typename T>
std::size_t GemmFrame<T>::few_columns(std::size_t m, std::size_t n) const {
  const auto unit = static_cast<std::size_t>(kernel_.few_unit);
  return balanced_part(n, std::max(kernel_.few_columns(m) / unit * unit, unit), unit);
}

// The kernel goes over B as it lies, row after row, with the sums of some columns in L1. False where that is not possible.
template <typename T>
bool GemmFrame<T>::run_few_rows(const GemmArguments<T>& g, const Room& room) const {
  if (kernel_.few_rows == nullptr) return false;
  const std::size_t most_steps = packed_a_words_ / g.m;
  if (most_steps < 16) return false;
  const std::size_t most = std::min(kFewRowsDepth, (most_steps - 8) / 8 * 8);
  const std::size_t kc = balanced_part(g.k, most, 8);
  if (g.transpose_a && g.m * turned_row<T>(kc) > turned_a_elements_) return false;
  const std::size_t columns = few_columns(g.m, g.n);
  FewRows<T> few{};
  few.m = g.m;
  few.a = room.packed_a;
  few.ldb = static_cast<std::ptrdiff_t>(g.ldb);
  few.ldc = static_cast<std::ptrdiff_t>(g.ldc);
  few.alpha = g.alpha;
  few.sums = room.packed_b;
  for (std::size_t pc = 0; pc < g.k; pc += kc) {
    few.k = std::min(kc, g.k - pc);
    few.beta = pc == 0 ? g.beta : C{1};
    const T* a = g.a + (g.transpose_a ? pc * g.lda : pc);
    std::size_t lda = g.lda;
    if (g.transpose_a) {
      lda = turned_row<T>(few.k);
      transpose(few.k, g.m, a, g.lda, room.turned_a, lda);
      a = room.turned_a;
    }
    kernel_.pack_a(few.k, a, static_cast<std::ptrdiff_t>(lda), static_cast<int>(g.m), room.packed_a);
    for (std::size_t jc = 0; jc < g.n; jc += columns) {
      few.n = std::min(columns, g.n - jc);
      few.b = g.b + pc * g.ldb + jc;
      few.c = g.c + jc;
      const bool last_columns = jc + columns >= g.n, last = last_columns && pc + kc >= g.k;
      few.next = last ? few.b : last_columns ? g.b + (pc + kc) * g.ldb : few.b + columns;
      kernel_.few_rows(few);
    }
  }
  return true;
}

template <typename T>
void GemmFrame<T>::run_blocks(const GemmArguments<T>& g, const Plan& plan, const Source& source, const Room& room) const {
  const bool pack_a = plan.pack_a || !kernel_.in_place_a || g.k % static_cast<std::size_t>(kernel_.group) != 0;
  const bool millikernels = g.alpha == C{1} && (g.beta == C{0} || g.beta == C{1});
  const bool b_in_place = plan.b_in_place && millikernels &&
                          kernel_.millikernel(static_cast<std::size_t>(kernel_.rows), static_cast<std::size_t>(kernel_.vectors),
                                              FromA::kInPlace, FromB::kInPlace) != nullptr;
  for (std::size_t jc = 0; jc < g.n; jc += plan.nc) {
    for (std::size_t pc = 0; pc < g.k; pc += plan.kc) {
      for (std::size_t ic = 0; ic < g.m; ic += plan.mc) {
        Block block;
        block.m = std::min(plan.mc, g.m - ic);
        block.n = std::min(plan.nc, g.n - jc);
        block.k = std::min(plan.kc, g.k - pc);
        block.source = source.at(pc, jc);
        block.c = g.c + ic * g.ldc + jc;
        block.ldc = g.ldc;
        block.alpha = g.alpha;
        block.beta = pc == 0 ? g.beta : C{1};
        block.packed_b = room.packed_b;
        block.b_is_packed = ic != 0 && !b_in_place;
        block.only_block = plan.mc >= g.m;
        block.millikernels = millikernels;
        block.b_in_place = b_in_place;
        if (source.weights != nullptr) {
          // Only read: the tiles' pack_b is for those that pack.
          block.packed_b = const_cast<C*>(source.weights) + kernel_.steps(pc) * padded(source.n) + (source.column + jc) * kernel_.steps(block.k);
          block.b_is_packed = true;
          block.only_block = false;
        }
        block.ahead = plan.ahead;
        block.packed_a = pack_a ? room.packed_a : nullptr;
        if (g.transpose_a) {
          block.lda = turned_row<T>(block.k);
          transpose(block.k, block.m, g.a + pc * g.lda + ic, g.lda, room.turned_a, block.lda);
          block.a = room.turned_a;
        } else {
          block.a = g.a + ic * g.lda + pc;
          block.lda = g.lda;
        }
        block.offsets = room.packed_a;
        if (!pack_a && kernel_.row_offsets != nullptr) {
          kernel_.row_offsets(block.k, block.a, static_cast<std::ptrdiff_t>(block.lda), static_cast<int>(block.m), room.packed_a);
        }
        run_block(block);
      }
    }
  }
}

template <typename T>
void GemmFrame<T>::run_block(const Block& g) const {
  const auto lanes = static_cast<std::size_t>(kernel_.lanes);
  const bool weights = g.source.weights != nullptr;
  int highest = kernel_.rows;
  Pieces rows(g.m, static_cast<std::size_t>(highest));
  const Pieces columns(ceil_div(g.n, lanes), static_cast<std::size_t>(kernel_.vectors), weights);
  Tile<T> t;
  t.k = g.k;
  t.alpha = g.alpha;
  t.beta = g.beta;
  t.ldb = static_cast<std::ptrdiff_t>(g.source.ldb);
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
    const Source source = g.source.at(0, column);
    if (from_a == FromA::kInPlace && kernel_.highest[width] != highest) {
      highest = kernel_.highest[width];
      rows = Pieces(g.m, static_cast<std::size_t>(highest));
    }
    C* panel = g.only_block ? g.packed_b : g.packed_b + column * steps;
    t.tail = std::min(g.n - column, width * lanes) - (width - 1) * lanes;
    t.pack_b = panel;
    const bool milli = g.millikernels && (t.tail == lanes || kernel_.milli_tails) && steps >= kMilliSteps;
    // The first row of tiles packs the panel while it computes; nobody needs it packed if there is no second.
    FromB from_b = FromB::kPacked;
    if (!g.b_is_packed) {
      const bool whole = t.tail == lanes && whole_groups && !source.transposed;
      const bool in_place = rows.parts == 1 ? kernel_.tile(rows.size(0), width, from_a, FromB::kInPlace) != nullptr
                                            : g.b_in_place && milli && kernel_.millikernel(rows.size(0), width, from_a, FromB::kInPlace) != nullptr;
      if (whole && in_place && (g.only_block || rows.parts > 1)) from_b = FromB::kInPlace;
      else if (whole && kernel_.in_place_a) from_b = FromB::kPacking;
      if (from_b == FromB::kPacked) pack_panel(source, g.k, width, t.tail, panel);
    }
    t.vectors = width;
    // The tiles of this panel share the work of fetching the next one.
    const std::size_t panel_bytes = steps * width * lanes * sizeof(C), lines_per_tile = std::max<std::size_t>(milli ? steps / 8 * static_cast<std::size_t>(kernel_.milli_fetches) : steps / 4, 1);
    const std::size_t next_panel_stride = g.b_is_packed ? std::min(ceil_div(panel_bytes, rows.parts * lines_per_tile), kCacheLine) : 0;
    // Where this pass packs B, they fetch the next panel's lines from where those lie: a column of lines after the other, its rows in order.
    const std::size_t tiles_per_column = ceil_div(g.k, lines_per_tile);
    const bool fetch_source = !g.b_is_packed && from_b != FromB::kInPlace && !source.transposed && j + 1 < columns.parts && rows.parts > 4;
    const std::size_t next_bytes = fetch_source ? columns.size(j + 1) * lanes * sizeof(WeightOf<T>) : 0;
    const WeightOf<T>* next_source = fetch_source ? g.source.at(0, columns.begin(j + 1) * lanes).b : nullptr;
    const std::size_t next_lines = ceil_div(next_bytes, kCacheLine) + (source.ldb * sizeof(WeightOf<T>) % kCacheLine != 0 ? 1 : 0);
    for (std::size_t p = 0, count = 1; p < rows.parts; p += count) {
      const std::size_t row = rows.begin(p);
      const std::size_t height = rows.size(p);
      const MilliFunction<T> millikernel = milli && rows.parts > 1 ? kernel_.millikernel(height, width, from_a, from_b) : nullptr;
      count = millikernel == nullptr ? 1 : rows.alike(p);
      // This tile's part of A and, behind it, the next one's.
      const C* packed = g.packed_a + row * packed_row;
      const T* in_place = g.a + row * g.lda;
      t.a = from_a == FromA::kPacked ? static_cast<const void*>(packed) : in_place;
      t.c = g.c + row * g.ldc + column;
      t.offsets = g.offsets + row;
      t.b = from_b == FromB::kPacked ? static_cast<const void*>(panel) : source.b;
      if (from_b != FromB::kPacked) {  // B in place: a few columns on
        t.prefetch = reinterpret_cast<const char*>(fetch_source ? source.b + 8 * source.ldb : source.b + g.ahead);
        t.prefetch_stride = static_cast<std::ptrdiff_t>(source.ldb * sizeof(WeightOf<T>)) * kernel_.group;
      } else if (const std::size_t tile = p - 1, line = tile / tiles_per_column; fetch_source && line < next_lines) {
        const std::size_t left = tiles_per_column - tile % tiles_per_column;
        if (millikernel != nullptr) count = std::min(count, left);
        t.prefetch = reinterpret_cast<const char*>(next_source + tile % tiles_per_column * lines_per_tile * source.ldb) + line * kCacheLine;
        t.prefetch_stride = static_cast<std::ptrdiff_t>(source.ldb * sizeof(WeightOf<T>));
      } else if (g.b_is_packed) {  // the next panel, which is packed too
        t.prefetch = reinterpret_cast<const char*>(panel) + panel_bytes + p * lines_per_tile * next_panel_stride;
        t.prefetch_stride = static_cast<std::ptrdiff_t>(next_panel_stride);
      } else if (from_a == FromA::kPacked) {  // A's next tile: what four steps of it take
        t.prefetch = reinterpret_cast<const char*>(packed + height * packed_row);
        t.prefetch_stride = static_cast<std::ptrdiff_t>(ceil_div(steps, lines_per_tile) * height * sizeof(C));
      } else {
        t.prefetch = reinterpret_cast<const char*>(in_place + height * g.lda);
        t.prefetch_stride = static_cast<std::ptrdiff_t>(ceil_div(g.k, lines_per_tile) * sizeof(T));
      }
      t.rows = height;
      if (millikernel != nullptr) millikernel(t, count);
      else kernel_.tile(height, width, from_a, from_b)(t);
      if (from_b == FromB::kPacking) from_b = FromB::kPacked;
    }
  }
}

template class GemmFrame<float>;
template class GemmFrame<double>;
template class GemmFrame<Bf16>;
template class GemmFrame<F16>;
template class GemmFrame<std::int8_t>;
template class GemmFrame<std::uint8_t>;

}  // namespace aibench
