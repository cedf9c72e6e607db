#include "gemm/verification.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include "gemm/double_double.h"
#include "gemm/random_fill.h"
#include "gemm/wide.h"

namespace aibench {
namespace {

template <typename T>
using Wide = std::conditional_t<std::is_same_v<T, double>, DoubleDouble, PlainDouble>;

// Unit round-off of C, and of the arithmetic that checks it.
template <typename T>
constexpr double kUnit = std::numeric_limits<OutputOf<T>>::epsilon() / 2;
template <typename T>
constexpr double kWideUnit = std::is_same_v<T, double> ? 0x1p-104 : 0x1p-53;

// Work up to which the reference is used: a tenth to a few tenths of a second.
template <typename T>
constexpr double kReferenceWork = std::is_same_v<T, double> ? 0x1p24 : 0x1p27;

constexpr int kVectors = 2;

// sum *= p.scale
template <typename T>
void scale(const Product<T>& p, Wide<T>* sum) {
  if (p.scale == 1) return;
  Wide<T> scaled;
  scaled.add_product(p.scale, sum->high);
  if constexpr (std::is_same_v<T, double>) scaled.add(p.scale * sum->low);
  *sum = scaled;
}

// The larger, with NaN winning.
double worse(double a, double b) { return std::isnan(a) || a > b ? a : b; }

double sign(std::uint64_t bits, int vector) { return (bits >> vector) & 1 ? 1.0 : -1.0; }

Verification judge(const char* method, double error, double tolerance) {
  return {method, error <= tolerance, error, tolerance};
}

}  // namespace

template <typename T>
Verification verify_against_reference(const Product<T>& p) {
  std::vector<double> column_norms(p.n, 0.0);
  for (std::size_t l = 0; l < p.k; ++l) {
    for (std::size_t j = 0; j < p.n; ++j) {
      const double x = to_double(p.b[l * p.ldb + j]);
      column_norms[j] += x * x;
    }
  }
  for (double& norm : column_norms) norm = std::sqrt(norm);
  std::vector<Wide<T>> row(p.n);
  const double c0_size = p.c0 == nullptr ? 0 : 1;
  double error = 0;
  for (std::size_t i = 0; i < p.m; ++i) {
    std::fill(row.begin(), row.end(), Wide<T>{});
    double row_norm = 0;
    for (std::size_t l = 0; l < p.k; ++l) {
      const double x = to_double(p.a[i * p.lda + l]);
      row_norm += x * x;
      const WeightOf<T>* b = p.b + l * p.ldb;
      for (std::size_t j = 0; j < p.n; ++j) row[j].add_product(x, to_double(b[j]));
    }
    row_norm = std::sqrt(row_norm);
    for (std::size_t j = 0; j < p.n; ++j) {
      Wide<T> difference = row[j];
      scale(p, &difference);
      if (p.c0_scale != 0) difference.add_product(p.c0_scale, static_cast<double>(p.c0[i * p.ldc + j]));
      difference.add(-static_cast<double>(p.c[i * p.ldc + j]));
      error = worse(error, std::abs(difference.value()) / (kUnit<T> * (row_norm * column_norms[j] + c0_size) * p.gain));
    }
  }
  return judge(!std::is_same_v<T, double> ? "scaled residual against f64" : "scaled residual against double-double", error,
               kGemmTolerance);
}

template <typename T>
Verification verify_freivalds(const Product<T>& p, std::uint64_t seed) {
  std::vector<std::uint64_t> signs(p.n);
  for (std::size_t j = 0; j < p.n; ++j) signs[j] = random_bits(seed, j);
  std::vector<Wide<T>> br(p.k * kVectors);  // B r
  for (std::size_t l = 0; l < p.k; ++l) {
    const WeightOf<T>* b = p.b + l * p.ldb;
    Wide<T> sums[kVectors];
    for (std::size_t j = 0; j < p.n; ++j) {
      for (int v = 0; v < kVectors; ++v) sums[v].add(sign(signs[j], v) * to_double(b[j]));
    }
    for (int v = 0; v < kVectors; ++v) br[l * kVectors + v] = sums[v];
  }
  double worst = 0;
  for (std::size_t i = 0; i < p.m; ++i) {
    Wide<T> difference[kVectors];  // (A (B r) - C r)_i
    const T* a = p.a + i * p.lda;
    for (std::size_t l = 0; l < p.k; ++l) {
      for (int v = 0; v < kVectors; ++v) {
        const Wide<T>& s = br[l * kVectors + v];
        difference[v].add_product(to_double(a[l]), s.high);
        if constexpr (std::is_same_v<T, double>) difference[v].add(a[l] * s.low);
      }
    }
    const OutputOf<T>* c = p.c + i * p.ldc;
    for (Wide<T>& sum : difference) scale(p, &sum);
    for (std::size_t j = 0; j < p.n; ++j) {
      for (int v = 0; v < kVectors; ++v) {
        difference[v].add(-sign(signs[j], v) * c[j]);
        if (p.c0_scale != 0) difference[v].add_product(sign(signs[j], v) * p.c0_scale, static_cast<double>(p.c0[i * p.ldc + j]));
      }
    }
    for (int v = 0; v < kVectors; ++v) worst = worse(worst, std::abs(difference[v].value()));
  }
  const auto n = static_cast<double>(p.n), k = static_cast<double>(p.k);
  const double unit = kUnit<T> * std::sqrt(n) * (k / 3 + (p.c0 == nullptr ? 0 : 1)) * p.gain;
  const double own_rounding = kWideUnit<T> * (n + k) * n * k * p.gain;
  return judge(!std::is_same_v<T, double> ? "freivalds in f64" : "freivalds in double-double", worst / unit,
               kGemmTolerance + own_rounding / unit);
}

template <typename T>
Verification verify_integers(const Product<T>& p, std::uint64_t seed) {
  // Unsigned arithmetic wraps around, which is the modulus.
  const auto wrapped = [](std::int64_t x) { return static_cast<std::uint64_t>(x); };
  std::vector<std::uint64_t> r(p.n), br(p.k);
  for (std::size_t j = 0; j < p.n; ++j) r[j] = random_bits(seed, j);
  for (std::size_t l = 0; l < p.k; ++l) {
    for (std::size_t j = 0; j < p.n; ++j) br[l] += wrapped(p.b[l * p.ldb + j]) * r[j];
  }
  const std::uint64_t factor = wrapped(static_cast<std::int64_t>(p.scale)), c0_factor = wrapped(static_cast<std::int64_t>(p.c0_scale));
  double wrong = 0;
  for (std::size_t i = 0; i < p.m; ++i) {
    std::uint64_t difference = 0;
    for (std::size_t l = 0; l < p.k; ++l) difference += wrapped(p.a[i * p.lda + l]) * br[l];
    difference *= factor;
    for (std::size_t j = 0; j < p.n; ++j) difference -= wrapped(p.c[i * p.ldc + j]) * r[j];
    for (std::size_t j = 0; c0_factor != 0 && j < p.n; ++j) difference += c0_factor * wrapped(p.c0[i * p.ldc + j]) * r[j];
    wrong += difference != 0;
  }
  return judge("freivalds, exact modulo 2^64", wrong, 0);
}

template <typename T>
bool uses_reference(std::size_t m, std::size_t n, std::size_t k, double products) {
  return products * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) <= kReferenceWork<T>;
}

template <typename T>
Verification verify_product(const Product<T>& p, std::uint64_t seed) {
  if constexpr (std::is_integral_v<T>) return verify_integers(p, seed);
  else return uses_reference<T>(p.m, p.n, p.k, p.products) ? verify_against_reference(p) : verify_freivalds(p, seed);
}

// Twice the tolerance: once to be above it, once for a rounding error of the other sign. |A_i| |B_j| is at most k.
template <typename T>
double detectable_change(std::size_t m, std::size_t n, std::size_t k, double products) {
  if constexpr (std::is_integral_v<T>) return 1;
  const auto columns = static_cast<double>(n), depth = static_cast<double>(k);
  const double tolerance = kGemmTolerance * kUnit<T> * depth;
  if (uses_reference<T>(m, n, k, products)) return 2 * tolerance;
  return 2 * (tolerance * std::sqrt(columns) / 3 + kWideUnit<T> * (columns + depth) * columns * depth);
}

#define AIBENCH_INSTANTIATE(T)                                                  \
  template Verification verify_product<T>(const Product<T>&, std::uint64_t);    \
  template bool uses_reference<T>(std::size_t, std::size_t, std::size_t, double);      \
  template double detectable_change<T>(std::size_t, std::size_t, std::size_t, double);
AIBENCH_INSTANTIATE(float)
AIBENCH_INSTANTIATE(double)
AIBENCH_INSTANTIATE(Bf16)
AIBENCH_INSTANTIATE(F16)
AIBENCH_INSTANTIATE(std::int8_t)
AIBENCH_INSTANTIATE(std::uint8_t)
#undef AIBENCH_INSTANTIATE

}  // namespace aibench
