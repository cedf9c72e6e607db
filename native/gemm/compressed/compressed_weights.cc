#include "gemm/compressed/compressed_weights.h"

#include "gemm/compressed/forms.h"

namespace aibench {
template <typename T>
Status make_compressed_weights(const std::string& kind, const Microkernel<T>& kernel, int threads,
                               std::unique_ptr<CompressedWeights<T>>* weights) {
  if (kind == "int4") {
    *weights = make_int4_weights(kernel, threads);
  } else if (kind == "block") {
    *weights = make_block_weights(kernel, threads);
  } else if (kind == "2:4") {
    *weights = make_sparse24_weights(kernel, threads);
  } else {
    return Status::failure("BAD_OPTION", "gemm does not know weights of the kind \"" + kind + "\"", "Choose dense, 2:4, block or int4.");
  }
  return Status::success();
}

#define AIBENCH_INSTANTIATE(T)                                                                     \
  template Status make_compressed_weights<T>(const std::string&, const Microkernel<T>&, int,       \
                                             std::unique_ptr<CompressedWeights<T>>*);
AIBENCH_INSTANTIATE(float)
AIBENCH_INSTANTIATE(Bf16)
AIBENCH_INSTANTIATE(std::int8_t)
#undef AIBENCH_INSTANTIATE

}  // namespace aibench
