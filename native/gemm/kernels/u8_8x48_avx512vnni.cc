// u8 x s8, 8x48, AVX-512 VNNI: 24 accumulators, 3 vectors of B and 1 broadcast of A in 28 of the 32 registers.
#define AIBENCH_A_WITHOUT_SIGN
#include "gemm/kernels/int8_millikernel_avx512vnni.h"
#include "gemm/kernels/int8_vector_avx512vnni.h"

namespace aibench {

constexpr Microkernel<std::uint8_t> gemm_u8_8x48_avx512vnni =
    with_millikernels<Int8Vector<std::uint8_t>>(
        make_microkernel<Int8Vector<std::uint8_t>, 8, 3>("u8_8x48_avx512vnni", Isa::kAvx512Vnni));

}  // namespace aibench
