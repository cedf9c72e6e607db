// u8 x s8, 8x12, AdvSIMD usdot: 24 accumulators, 3 vectors of B and 1 broadcast of A in 28 of the 32 registers.
#include "gemm/kernels/int8_vector_neondot.h"

namespace aibench {

constexpr Microkernel<std::uint8_t> gemm_u8_8x12_neoni8mm =
    make_microkernel<Int8Vector<std::uint8_t>, 8, 3>("u8_8x12_neoni8mm", Isa::kNeonI8mm);

}  // namespace aibench
