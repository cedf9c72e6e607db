#include "gemm/blocking.h"

#include <algorithm>

namespace aibench {
namespace {

std::size_t round_down(std::size_t value, std::size_t multiple) {
  return std::max(multiple, value / multiple * multiple);
}

std::size_t ceil_div(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

}  // namespace

Blocking blocking_limits(const CacheBudget& caches, std::size_t element_bytes, std::size_t tile_rows,
                         std::size_t tile_columns) {
  Blocking limits;
  const auto l2 = static_cast<std::size_t>(caches.l2);
  const auto l3 = std::max(static_cast<std::size_t>(caches.l3_share), l2);
  // In words of four bytes at least: longer panels would cost more in L2 than the fewer passes over C save.
  const std::size_t group = element_bytes < 4 ? 4 / element_bytes : 1;
  limits.kc = group * std::clamp(round_down(l2 / 8 / (tile_columns * element_bytes * group), 16), std::size_t{64}, std::size_t{512});
  limits.mc =
      std::clamp(round_down(l2 * 3 / 8 / (limits.kc * element_bytes), tile_rows), 4 * tile_rows, std::size_t{1024});
  limits.l1 = static_cast<std::size_t>(caches.l1);
  limits.l2 = l2;
  limits.nc = std::clamp(round_down(l3 / 2 / (limits.kc * element_bytes), tile_columns), 4 * tile_columns,
                         round_down(4096, tile_columns));
  return limits;
}

std::size_t balanced_part(std::size_t total, std::size_t limit, std::size_t multiple) {
  if (total == 0) return multiple;
  if (total <= limit) return total;
  const std::size_t parts = ceil_div(total, limit);
  return ceil_div(ceil_div(total, parts), multiple) * multiple;
}

std::size_t block_rows(const Blocking& limits, std::size_t kc) {
  return limits.mc * limits.kc / std::max({kc, limits.kc / 4, std::size_t{1}});
}

// A tile of at least so many multiply-adds per step has a step's time to wait for what comes from L2, and prefers A and B where they lie
// to the work of packing them. Measured: docs/kernels.md.
static bool large_tile(std::size_t tile_rows, std::size_t tile_columns) { return tile_rows * tile_columns >= 8 * 24; }

// `rows` of B, `apart` bytes from each other, do not fall on the same few sets of a cache: they come back to the same place of a way after
// way / gcd(apart, way) of them, and take at most `ways` ways. For a way whose size is no power of two this is a guess.
static bool spread(std::size_t rows, std::size_t apart, std::size_t way, std::size_t ways) {
  return rows * std::min(apart & -apart, way) <= ways * way;
}

// Whether every tile can read its panel of B where it lies. For a small tile what the panel's rows touch has to leave room for A in L1
// (five of eight ways of 4 KiB); for a large one all of B has to lie in L2 (of eight ways).
static bool stays_near(const Blocking& limits, const ProductShape& product, std::size_t element_bytes, std::size_t tile_rows, std::size_t tile_columns) {
  constexpr std::size_t kLine = 64;
  const std::size_t row_bytes = tile_columns * element_bytes, apart = product.ldb * element_bytes;
  if (large_tile(tile_rows, tile_columns)) return product.k * product.n * element_bytes <= limits.l2 && spread(product.k, apart, limits.l2 / 8, 8);
  return product.k * (row_bytes + kLine) <= limits.l1 / 8 * 7 && spread(product.k, apart, 4096, 5);
}

Plan plan_blocks(const Blocking& limits, const ProductShape& product, std::size_t element_bytes, std::size_t tile_rows,
                 std::size_t tile_columns) {
  const auto [m, n, k, lda, ldb, weights, few_most] = product;
  // Few rows: the product is a stream of B, each element used m times. Short steps of k and a sweep over all columns keep
  // the number of streams low and each of them long; C, read and written once per step, has to stay in L2.
  // Measured: docs/kernels.md.
  constexpr std::size_t kVeryFewRows = 16;
  const bool large = large_tile(tile_rows, tile_columns);
  const bool few = weights == Weights::kRows && m <= few_most && n * k * element_bytes > limits.l2;
  Plan plan;
  plan.few = few;
  const bool very_few = few && m <= kVeryFewRows;
  const std::size_t few_kc = very_few ? std::clamp(2 * m, std::size_t{8}, std::size_t{16}) : 4 * m;
  plan.kc = balanced_part(k, few ? std::min(few_kc, limits.kc) : limits.kc, 4);
  // (A division is some 15 cycles, a product of 64^3 some 16,000: none where nothing has to be cut.)
  plan.mc = m <= limits.mc ? m : balanced_part(m, round_down(block_rows(limits, plan.kc), tile_rows), tile_rows);
  const std::size_t nc = few ? round_down(std::max(limits.l2 / 2 / (m * element_bytes), limits.nc / 4), tile_columns) : limits.nc;
  plan.nc = balanced_part(n, std::min(nc, limits.nc), tile_columns);
  // Packing costs m * k reads and writes, and pays where B is wide, or where rows that are a multiple of 4 KiB apart fall
  // on the same few sets of the caches.
  constexpr std::size_t kWideColumns = 768;
  const bool collide = lda * element_bytes % 4096 == 0;
  plan.pack_a = !large && m > tile_rows && !few && n > 8 * tile_columns && (collide || n >= kWideColumns);
  plan.b_in_place = weights == Weights::kRows && !few && !plan.pack_a && k <= plan.kc &&
                    stays_near(limits, product, element_bytes, tile_rows, tile_columns);
  // B in place is prefetched by as many panels as memory needs to answer; a high panel takes that long by itself.
  plan.ahead = tile_columns * (very_few ? 4 : 1);
  return plan;
}

ThreadGrid thread_grid(int threads, std::size_t m, std::size_t n, std::size_t tile_rows, std::size_t tile_columns) {
  ThreadGrid best;
  double best_cost = 0;
  for (int row_parts = 1; row_parts <= threads; ++row_parts) {
    const int column_parts = threads / row_parts;
    const auto rows = static_cast<double>(ceil_div(ceil_div(m, static_cast<std::size_t>(row_parts)), tile_rows) * tile_rows);
    const auto columns =
        static_cast<double>(ceil_div(ceil_div(n, static_cast<std::size_t>(column_parts)), tile_columns) * tile_columns);
    // Work of the largest part plus what it reads per step of k; reading an element is taken to cost as much as
    // sixteen multiply-adds.
    const double cost = rows * columns + 16 * (rows + columns);
    if (best_cost == 0 || cost < best_cost) {
      best_cost = cost;
      best = {row_parts, column_parts};
    }
  }
  return best;
}

}  // namespace aibench
