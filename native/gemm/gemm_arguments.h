// What a matrix product is asked for, by our own kernels and by the peers alike.
#pragma once
#include <cstddef>

#include "gemm/dtypes.h"

namespace aibench {

// C[m x n] = alpha * op(A)[m x k] * op(B)[k x n] + beta * C. T is the type of A. Row-major operands; strides in elements, lda >= k, ldb >= n,
// ldc >= n; with transpose_a A is stored k x m and lda >= m, with transpose_b B is stored n x k and ldb >= k. m, n and k may be 0. The BLAS
// rules: with beta == 0 C is not read; with alpha == 0 or k == 0 A and B are not read.
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
  bool transpose_a = false;
  bool transpose_b = false;
};

// `count` products of one shape and one alpha and beta, `first` the first of them. Product i has its operands i * stride elements on, or,
// where the lists of pointers are given (each of `count`), where they say. A stride of 0 shares an operand; C's must not overlap.
template <typename T>
struct GemmBatch {
  GemmArguments<T> first;
  std::size_t count = 1;
  std::size_t stride_a = 0, stride_b = 0, stride_c = 0;
  const T* const* a = nullptr;
  const WeightOf<T>* const* b = nullptr;
  OutputOf<T>* const* c = nullptr;

  GemmArguments<T> at(std::size_t i) const {
    GemmArguments<T> own = first;
    own.a = a != nullptr ? a[i] : first.a + i * stride_a;
    own.b = b != nullptr ? b[i] : first.b + i * stride_b;
    own.c = c != nullptr ? c[i] : first.c + i * stride_c;
    return own;
  }
};

}  // namespace aibench
