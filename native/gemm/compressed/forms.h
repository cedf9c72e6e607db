// The forms, one file each. T: float, Bf16, std::int8_t.
#pragma once
#include <memory>

#include "gemm/compressed/compressed_weights.h"
#include "gemm/compressed/panel_kernels.h"

namespace aibench {

// float and Bf16: codes with scales along k.
template <typename T>
std::unique_ptr<CompressedWeights<T>> make_int4_weights(const Microkernel<T>& kernel, const PanelKernels& panels, int threads);
// int4 weights times int8 activations: codes alone, sums in s32.
std::unique_ptr<CompressedWeights<std::int8_t>> make_int4_codes(const Microkernel<std::int8_t>& kernel, const PanelKernels& panels,
                                                                int threads);
template <typename T>
std::unique_ptr<CompressedWeights<T>> make_block_weights(const Microkernel<T>& kernel, int threads);
template <typename T>
std::unique_ptr<CompressedWeights<T>> make_sparse24_weights(const PanelKernels& panels, int threads);

}  // namespace aibench
