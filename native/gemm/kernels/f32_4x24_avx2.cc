// f32, 4 x 24, AVX2 + FMA: 12 accumulators, 3 vectors of B and 1 broadcast of A in the 16 registers.
#include "gemm/kernels/f32_millikernel.h"
#include "gemm/kernels/f32_vector_avx2.h"

namespace aibench {

constexpr Microkernel<float> gemm_f32_4x24_avx2 = with_millikernels<F32Vector>(make_microkernel<F32Vector, 4, 3>("f32_4x24_avx2", Isa::kAvx2));

}  // namespace aibench
