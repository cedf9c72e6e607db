// bf16, 8 x 48, SVE of 512 bits: packing converts to f32, which the f32 kernel then multiplies.
#include "gemm/kernels/sve_vector.h"

namespace aibench {

constexpr Microkernel<Bf16> gemm_bf16_8x48_sve512 = make_microkernel<SveHalfVector<Bf16>, 8, 3>("bf16_8x48_sve512", Isa::kSve512);

}  // namespace aibench
