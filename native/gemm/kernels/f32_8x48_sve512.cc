// f32, 8 x 48, SVE of 512 bits: 24 accumulators, 3 vectors of B and 1 broadcast of A in 28 of the 32 registers.
#include "gemm/kernels/sve_vector.h"

namespace aibench {

constexpr Microkernel<float> gemm_f32_8x48_sve512 = make_microkernel<SveVector<float>, 8, 3>("f32_8x48_sve512", Isa::kSve512);

}  // namespace aibench
