#include "gemm/compressed/compressed_weights.h"

#include "gemm/compressed/forms.h"

namespace aibench {
namespace {

// AVX-512 machines take the AVX2 row: there is none of their own. Scalar where the f32 kernel is.
const PanelKernels& panel_kernels([[maybe_unused]] Isa isa) {
#if defined(AIBENCH_ARCH_x86_64)
  if (isa != Isa::kScalar) return kPanelKernels_avx2;
#endif
  return kPanelKernels_scalar;
}

}  // namespace

Status make_compressed_weights(const std::string& kind, const Microkernel<float>& kernel, int threads,
                               std::unique_ptr<CompressedWeights>* weights) {
  const PanelKernels& panels = panel_kernels(kernel.isa);
  if (kind == "int4") *weights = make_int4_weights(kernel, panels, threads);
  else if (kind == "block") *weights = make_block_weights(kernel, threads);
  else if (kind == "2:4") *weights = make_sparse24_weights(panels, threads);
  else return Status::failure("BAD_OPTION", "gemm does not know weights of the kind \"" + kind + "\"", "Choose dense, 2:4, block or int4.");
  return Status::success();
}

}  // namespace aibench
