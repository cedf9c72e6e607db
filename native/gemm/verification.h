// Is C really A * B? Checks that do not use the kernels under test.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/problem.h"
#include "gemm/dtypes.h"

namespace aibench {

// C = scale * A * B + c0_scale * C0, row-major; T is the type of A. Elements of A, B and C0 uniform in (-1, 1); of int8 anything.
template <typename T>
struct Product {
  std::size_t m, n, k;
  const T* a;
  std::size_t lda;
  const WeightOf<T>* b;
  std::size_t ldb;
  const OutputOf<T>* c;
  std::size_t ldc;
  double scale = 1, c0_scale = 0;
  const OutputOf<T>* c0 = nullptr;  // rows ldc apart; not read where c0_scale is 0
  // How many times a single rounding error may stand in C: those of several runs with beta != 0 add up. Multiplies what follows.
  double gain = 1;
  double products = 1;  // of a batch: how many will be verified, for the choice of the method
};

// Every check answers an error in units of what rounding explains, and passes up to this. The typical largest error of a
// correct product is 0.5 to 2.5 in these units; 8 leaves a wrong alarm no chance.
constexpr double kGemmTolerance = 8;

// max over i, j of |C - AB|_ij / (u * |A_i| * |B_j| * gain), Euclidean norms of row i and column j, u the unit round-off
// of C (2^-24, 2^-53); AB in f64 and in double-double for f64 products. Costs 2mnk wide operations.
template <typename T>
Verification verify_against_reference(const Product<T>& p);

// Freivalds' check (1977): r random in {-1, 1}^n, max over i of |C r - A (B r)|_i / (u * sqrt(n) * k / 3), for two
// vectors r, in f64 for f32 and double-double for f64. Costs O(mn + mk + kn). The scale is the standard deviation of a
// sum of n independent rounding errors of size u * k / 3, k / 3 being |A_i| * |B_j| for uniform elements; signs that are
// independent of the errors make the sum behave so whatever the errors are (Hoeffding). The check's own rounding, at most
// (n + k) * n * k units of its arithmetic, is added to the tolerance.
template <typename T>
Verification verify_freivalds(const Product<T>& p, std::uint64_t seed);

// For int8, exact: A (B r) = C r modulo 2^64 for one vector r of random 64-bit numbers. The error is the number of rows where
// it does not hold, the tolerance 0. A wrong row passes with a chance of at most 2^-32 (its difference is below 2^32, so
// that at most 2^32 of the 2^64 values of one element of r hide it). Wants k below kMaxIntegerDepth, so that C cannot overflow.
template <typename T>
Verification verify_integers(const Product<T>& p, std::uint64_t seed);
constexpr std::size_t kMaxIntegerDepth = 65536;  // times 255 * 128 is below 2^31

// The reference where it takes well under a second, Freivalds' check where it would take longer.
template <typename T>
Verification verify_product(const Product<T>& p, std::uint64_t seed);
template <typename T>
bool uses_reference(std::size_t m, std::size_t n, std::size_t k, double products = 1);

// A change of one element of C by at least this much (times the product's gain) is always caught by verify_product; less may pass as rounding.
template <typename T>
double detectable_change(std::size_t m, std::size_t n, std::size_t k, double products = 1);

}  // namespace aibench
