// Is D really A * B, for products too large for a full reference and in types that round coarsely? Uses nothing of what is
// under test.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>

#include "core/problem.h"
#include "core/thread_team.h"
#include "gpu/gemm_types.h"

namespace aibench::gpu {

// The values that were multiplied, on the host: A with k fastest (m rows), B with k fastest (n columns), uniform in (-1, 1)
// (with blocks of scales: of that spread) but for s8. T is double for f64 and float for all others.
template <typename T>
struct ProductCheck {
  const GemmType* type;
  std::size_t m, n, k;
  const T* a;
  const T* b;
  double scale;  // D = scale * A * B
  // Column j of D as double, into m places; called by several threads.
  std::function<void(std::size_t j, double* column)> column;
  std::uint64_t seed;
};

// Freivalds' check (1977) in blocks: for each column j and each block of w rows, sum of r_i * D_ij against (r A)_block . B_j
// with r in {-1, 1}, for two vectors r, in f64 (double-double for f64, exact for s8). The smaller w, the smaller a wrong
// value that is found; w = 1, the full reference, where the product is small, and as small as some seconds allow elsewhere.
// The error is in units of what rounding explains, at most 1 is right:
//   sqrt(w) * (8 * u_out * sigma + (8 + sqrt(k) / 4) * u_sum * k / 3) * scale
// sigma = sqrt(k) / 3 is the typical |D_ij|, k / 3 is |A_i| |B_j|, the u are unit round-offs; the root of k in the second
// part is there because tensor cores cut off instead of rounding: their errors do not cancel.
template <typename T>
Verification check_product(const ProductCheck<T>& p, ThreadTeam& team);

// A change of one element by so much is always caught.
double certain_change(const GemmType& type, std::size_t m, std::size_t n, std::size_t k, double scale, int threads);

}  // namespace aibench::gpu
