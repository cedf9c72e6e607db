#include "gpu/gemm_check.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gemm/double_double.h"
#include "gemm/random_fill.h"

namespace aibench::gpu {
namespace {

constexpr int kVectors = 2;
// Multiplications that one thread makes in about a second.
constexpr double kPlainPerThread = 1e9, kWidePerThread = 5e7;

// Rows of a block.
std::size_t block_rows(std::size_t m, std::size_t n, std::size_t k, bool wide, int threads) {
  const double budget = (wide ? kWidePerThread : kPlainPerThread) * std::max(1, threads);
  const double blocks = budget / (kVectors * static_cast<double>(n) * static_cast<double>(k));
  const auto wanted = static_cast<std::size_t>(std::clamp(blocks, 1.0, static_cast<double>(m)));
  return (m + wanted - 1) / wanted;
}

double allowance(const GemmType& type, std::size_t w, std::size_t k, double scale) {
  const auto depth = static_cast<double>(k);
  const double output = 8 * type.output_roundoff * std::sqrt(depth) / 3;
  const double sums = (8 + std::sqrt(depth) / 4) * type.sum_roundoff * depth / 3;
  // Whole numbers are right or wrong.
  return type.sum == Sum::kS32 ? 0.5 : std::sqrt(static_cast<double>(w)) * (output + sums) * scale;
}

double sign(std::uint64_t seed, std::size_t i, int vector) { return (random_bits(seed, i) >> vector) & 1 ? 1.0 : -1.0; }

// Dot products of `x` (double) with `y` (T); four sums, so that additions do not wait for one another.
double dot(const double* x, const float* y, std::size_t k) {
  double sums[4] = {};
  std::size_t l = 0;
  for (; l + 4 <= k; l += 4) {
    for (std::size_t s = 0; s < 4; ++s) sums[s] += x[l + s] * y[l + s];
  }
  for (; l < k; ++l) sums[0] += x[l] * y[l];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace

template <typename T>
Verification check_product(const ProductCheck<T>& p, ThreadTeam& team) {
  constexpr bool kWide = sizeof(T) == 8;
  using Number = std::conditional_t<kWide, DoubleDouble, PlainDouble>;
  const std::size_t w = block_rows(p.m, p.n, p.k, kWide, team.size()), blocks = (p.m + w - 1) / w;
  const auto members = static_cast<std::size_t>(team.size());
  // r A, by vector and block. High and low parts apart, the low ones for double-double only.
  std::vector<double> high(kVectors * blocks * p.k), low(kWide ? high.size() : 0);
  team.run([&](int member) {
    for (std::size_t part = static_cast<std::size_t>(member); part < kVectors * blocks; part += members) {
      const auto vector = static_cast<int>(part / blocks);
      const std::size_t begin = part % blocks * w, end = std::min(p.m, begin + w);
      std::vector<Number> sums(p.k);
      for (std::size_t i = begin; i < end; ++i) {
        const double r = sign(p.seed, i, vector);
        const T* a = p.a + i * p.k;
        for (std::size_t l = 0; l < p.k; ++l) sums[l].add(r * static_cast<double>(a[l]));
      }
      for (std::size_t l = 0; l < p.k; ++l) {
        high[part * p.k + l] = sums[l].high;
        if constexpr (kWide) low[part * p.k + l] = sums[l].low;
      }
    }
  });
  std::vector<double> worst(members, 0.0);
  const double allowed = allowance(*p.type, w, p.k, p.scale);
  team.run([&](int member) {
    std::vector<double> column(p.m);
    double& mine = worst[static_cast<std::size_t>(member)];
    for (std::size_t j = static_cast<std::size_t>(member); j < p.n; j += members) {
      p.column(j, column.data());
      const T* b = p.b + j * p.k;
      for (std::size_t part = 0; part < kVectors * blocks; ++part) {
        const auto vector = static_cast<int>(part / blocks);
        const std::size_t begin = part % blocks * w, end = std::min(p.m, begin + w);
        Number difference;
        if constexpr (kWide) {
          for (std::size_t l = 0; l < p.k; ++l) {
            difference.add_product(high[part * p.k + l], b[l]);
            difference.add(low[part * p.k + l] * b[l]);
          }
        } else {
          difference.add(p.scale * dot(&high[part * p.k], b, p.k));
        }
        for (std::size_t i = begin; i < end; ++i) difference.add(-sign(p.seed, i, vector) * column[i]);
        const double error = std::abs(difference.value()) / allowed;
        if (std::isnan(error) || error > mine) mine = error;
        if (std::isnan(mine)) return;
      }
    }
  });
  double error = 0;
  for (const double one : worst) error = std::isnan(one) || one > error ? one : error;
  const std::string method = w == 1 ? "every element against f64" : "freivalds in blocks of " + std::to_string(w) + " rows";
  return {p.type->sum == Sum::kS32 ? method + ", exact" : method + ", in units of what rounding explains", error <= 1, error, 1};
}

double certain_change(const GemmType& type, std::size_t m, std::size_t n, std::size_t k, double scale, int threads) {
  return 2 * allowance(type, block_rows(m, n, k, type.sum == Sum::kF64, threads), k, scale) + (type.sum == Sum::kS32 ? 1 : 0);
}

template Verification check_product<float>(const ProductCheck<float>&, ThreadTeam&);
template Verification check_product<double>(const ProductCheck<double>&, ThreadTeam&);

}  // namespace aibench::gpu
