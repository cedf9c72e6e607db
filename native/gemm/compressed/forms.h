// The forms, one file each.
#pragma once
#include <memory>

#include "gemm/compressed/compressed_weights.h"
#include "gemm/compressed/panel_kernels.h"

namespace aibench {

std::unique_ptr<CompressedWeights> make_int4_weights(const Microkernel<float>& kernel, const PanelKernels& panels, int threads);
std::unique_ptr<CompressedWeights> make_block_weights(const Microkernel<float>& kernel, int threads);
std::unique_ptr<CompressedWeights> make_sparse24_weights(const PanelKernels& panels, int threads);

}  // namespace aibench
