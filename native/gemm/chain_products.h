// The closed form of Microkernel::multiply_add_chains, against which its results are held.
#pragma once
#include "gemm/microkernel.h"
#include "gemm/wide.h"

namespace aibench {

// What a step of multiply_add_chains adds to element i of `sums`.
template <typename T>
double chain_products(const Microkernel<T>& kernel, int i, const T* a, const WeightOf<T>* b) {
  const bool matrix = kernel.matrix.depth != 0;
  const int first = matrix ? 0 : i % kernel.lanes * kernel.group, count = matrix ? kernel.matrix.depth : kernel.group;
  double products = 0;
  for (int g = first; g < first + count; ++g) products += to_double(a[g]) * (to_double(b[g]) + kernel.b_offset);
  return products;
}

}  // namespace aibench
