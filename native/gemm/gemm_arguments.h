// What a matrix product is asked for, by our own kernels and by the peers alike.
#pragma once
#include <cstddef>

#include "gemm/dtypes.h"

namespace aibench {

// T is the type of A. Row-major operands; strides in elements, lda >= k, ldb >= n, ldc >= n. m, n and k may be 0. The BLAS rules: with
// beta == 0 C is not read; with alpha == 0 or k == 0 A and B are not read.
template <typename T>
struct GemmArguments {
  std::size_t m, n, k;
  OutputOf<T> alpha;
  const T* a;
  std::size_t lda;
  const WeightOf<T>* b;
  std::size_t ldb;
  OutputOf<T> beta;
  OutputOf<T>* c;
  std::size_t ldc;
};

}  // namespace aibench
