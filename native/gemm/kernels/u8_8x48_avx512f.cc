// u8 x s8, 8x48, AVX-512BW: 24 accumulators, 3 vectors of B, 1 broadcast of A and 1 of products in 29 of the 32 registers.
#include "gemm/kernels/int8_vector_avx512f.h"

namespace aibench {

constexpr Microkernel<std::uint8_t> gemm_u8_8x48_avx512f =
    make_microkernel<Int8Vector<std::uint8_t>, 8, 3>("u8_8x48_avx512f", Isa::kAvx512f);

}  // namespace aibench
