// f32, 8 x 12, AdvSIMD: 24 accumulators, 3 vectors of B and 1 broadcast of A in 28 of the 32 registers.
#include "gemm/kernels/f32_vector_neon.h"

namespace aibench {

constexpr Microkernel<float> gemm_f32_8x12_neon = make_microkernel<F32Vector, 8, 3>("f32_8x12_neon", Isa::kNeon);

}  // namespace aibench
