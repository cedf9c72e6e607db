// Is C really A * B? Checks that do not use the kernels under test.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/problem.h"

namespace aibench {

// Row-major, alpha = 1, beta = 0, elements of A and B uniform in (-1, 1).
template <typename T>
struct Product {
  std::size_t m, n, k;
  const T* a;
  std::size_t lda;
  const T* b;
  std::size_t ldb;
  const T* c;
  std::size_t ldc;
};

// Every check answers an error in units of what rounding explains, and passes up to this. The typical largest error of a
// correct product is 0.5 to 2.5 in these units; 8 leaves a wrong alarm no chance.
constexpr double kGemmTolerance = 8;

// max over i, j of |C - AB|_ij / (u * |A_i| * |B_j|), Euclidean norms of row i and column j, u the unit round-off
// (2^-24, 2^-53); AB in f64 for f32 and in double-double for f64. Costs 2mnk wide operations.
template <typename T>
Verification verify_against_reference(const Product<T>& p);

// Freivalds' check (1977): r random in {-1, 1}^n, max over i of |C r - A (B r)|_i / (u * sqrt(n) * k / 3), for two
// vectors r, in f64 for f32 and double-double for f64. Costs O(mn + mk + kn). The scale is the standard deviation of a
// sum of n independent rounding errors of size u * k / 3, k / 3 being |A_i| * |B_j| for uniform elements; signs that are
// independent of the errors make the sum behave so whatever the errors are (Hoeffding). The check's own rounding, at most
// (n + k) * n * k units of its arithmetic, is added to the tolerance.
template <typename T>
Verification verify_freivalds(const Product<T>& p, std::uint64_t seed);

// The reference where it takes well under a second, Freivalds' check where it would take longer.
template <typename T>
Verification verify_product(const Product<T>& p, std::uint64_t seed);
template <typename T>
bool uses_reference(std::size_t m, std::size_t n, std::size_t k);

// A change of one element of C by at least this much is always caught by verify_product; less may pass as rounding.
template <typename T>
double detectable_change(std::size_t m, std::size_t n, std::size_t k);

}  // namespace aibench
