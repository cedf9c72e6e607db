#include "gemm/blocking.h"

#include <algorithm>
#include <cstdlib>

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
  const auto l1 = static_cast<std::size_t>(caches.l1);
  const auto l2 = static_cast<std::size_t>(caches.l2);
  const auto l3 = std::max(static_cast<std::size_t>(caches.l3_share), l2);
  limits.kc = std::clamp(round_down(l1 * 3 / 4 / (tile_columns * element_bytes), 16), std::size_t{64}, std::size_t{512});
  limits.mc = std::clamp(round_down(l2 / 2 / (limits.kc * element_bytes), tile_rows), 4 * tile_rows, std::size_t{1024});
  limits.nc = std::clamp(round_down(l3 / 2 / (limits.kc * element_bytes), tile_columns), 4 * tile_columns,
                         round_down(4096, tile_columns));
  return limits;
}

std::size_t balanced_part(std::size_t total, std::size_t limit, std::size_t multiple) {
  if (total == 0) return multiple;
  const std::size_t parts = ceil_div(total, limit);
  return ceil_div(ceil_div(total, parts), multiple) * multiple;
}

static long envl(const char*n,long d){const char*e=getenv(n);return e?atol(e):d;}
Plan plan_blocks(const Blocking& limits, std::size_t m, std::size_t n, std::size_t k, std::size_t element_bytes,
                 std::size_t tile_rows, std::size_t tile_columns) {
  Plan plan{};
  static const long kb=envl("KB",0), ah=envl("AHEAD",0), pa=envl("PACKA",-1), skm=envl("SKM",0);
  std::size_t kc = limits.kc;
  plan.ahead = tile_columns;
  plan.mc = balanced_part(m, limits.mc, tile_rows);
  if (m <= (size_t)skm && kb) { kc = kb; plan.ahead = ah; plan.mc = (m+tile_rows-1)/tile_rows*tile_rows; }
  plan.kc = balanced_part(k, kc, 4);
  plan.nc = balanced_part(n, limits.nc, tile_columns);
  plan.pack_a = m > tile_rows && n > 3 * tile_columns && (k*element_bytes % 4096 == 0 || n >= 2048);
  if (m <= (size_t)skm) plan.pack_a = false;
  if (pa>=0) plan.pack_a = pa && m > tile_rows;
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
