// f16, 8 x 24, SVE of 256 bits: packing converts to f32, which the f32 kernel then multiplies.
#include "gemm/kernels/sve_vector.h"

namespace aibench {

constexpr Microkernel<F16> gemm_f16_8x24_sve256 = make_microkernel<SveHalfVector<F16>, 8, 3>("f16_8x24_sve256", Isa::kSve256);

}  // namespace aibench
