// The forms, one file each. T: float, Bf16, std::int8_t.
#pragma once
#include <memory>

#include "gemm/compressed/compressed_weights.h"

namespace aibench {

template <typename T>
std::unique_ptr<CompressedWeights<T>> make_int4_weights(const Microkernel<T>& kernel, int threads);
template <typename T>
std::unique_ptr<CompressedWeights<T>> make_block_weights(const Microkernel<T>& kernel, int threads);
template <typename T>
std::unique_ptr<CompressedWeights<T>> make_sparse24_weights(const Microkernel<T>& kernel, int threads);

}  // namespace aibench
