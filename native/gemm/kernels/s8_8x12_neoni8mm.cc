// s8 x s8, 8 x 12, AdvSIMD smmla: 24 accumulators of 2 x 2, 6 vectors of B and 1 pair of rows of A in 31 of the 32 registers.
#include "gemm/kernels/int8_vector_neoni8mm.h"

namespace aibench {

constexpr Microkernel<std::int8_t> gemm_s8_8x12_neoni8mm =
    make_block_microkernel<Int8Blocks<std::int8_t>, 8, 3>("s8_8x12_neoni8mm", Isa::kNeonI8mm);

}  // namespace aibench
