// s8 x s8, 8x12, AdvSIMD sdot: 24 accumulators, 3 vectors of B and 1 broadcast of A in 28 of the 32 registers.
#include "gemm/kernels/int8_vector_neondot.h"

namespace aibench {

constexpr Microkernel<std::int8_t> gemm_s8_8x12_neondot =
    make_microkernel<Int8Vector<std::int8_t>, 8, 3>("s8_8x12_neondot", Isa::kNeonDot);

}  // namespace aibench
