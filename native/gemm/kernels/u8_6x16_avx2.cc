// u8 x s8, 6x16, AVX2: 12 accumulators, 2 vectors of B, 1 broadcast of A and 1 of products in the 16 registers.
#include "gemm/kernels/int8_millikernel_avx2.h"
#include "gemm/kernels/int8_vector_avx2.h"

namespace aibench {

constexpr Microkernel<std::uint8_t> gemm_u8_6x16_avx2 =
    with_millikernels<Int8Vector<std::uint8_t>>(make_microkernel<Int8Vector<std::uint8_t>, 6, 2>("u8_6x16_avx2", Isa::kAvx2));

}  // namespace aibench
