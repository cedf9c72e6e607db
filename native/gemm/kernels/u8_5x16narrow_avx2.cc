// u8 x s8 with weights in [-64, 63], 5x16, AVX2: 10 accumulators, 2 vectors of B, 1 broadcast of A, 1 of products and the ones.
#define AIBENCH_A_WITHOUT_SIGN
#include "gemm/kernels/int8_narrow_millikernel_avx2.h"
#include "gemm/kernels/int8_narrow_avx2.h"

namespace aibench {

constexpr Microkernel<std::uint8_t> gemm_u8_5x16narrow_avx2 = with_millikernels<Int8NarrowVector<std::uint8_t>>(
    of_narrow_weights(make_microkernel<Int8NarrowVector<std::uint8_t>, 5, 2>("u8_5x16narrow_avx2", Isa::kAvx2)));

}  // namespace aibench
