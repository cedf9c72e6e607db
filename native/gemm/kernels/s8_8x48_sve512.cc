// s8 x s8, 8 x 48, SVE of 512 bits, sdot: 24 accumulators, 3 vectors of B and 1 broadcast of A in 28 of the 32 registers.
#include "gemm/kernels/int8_sve_vector.h"

namespace aibench {

constexpr Microkernel<std::int8_t> gemm_s8_8x48_sve512 = make_microkernel<SveInt8Vector<std::int8_t>, 8, 3>("s8_8x48_sve512", Isa::kSve512);

}  // namespace aibench
