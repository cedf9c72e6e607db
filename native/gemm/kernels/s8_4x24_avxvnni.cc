// s8 x s8, 4x24, AVX-VNNI: 12 accumulators, 3 vectors of B and 1 broadcast of A in the 16 registers.
#include "gemm/kernels/int8_vector_avxvnni.h"

namespace aibench {

constexpr Microkernel<std::int8_t> gemm_s8_4x24_avxvnni =
    make_microkernel<Int8Vector<std::int8_t>, 4, 3>("s8_4x24_avxvnni", Isa::kAvxVnni);

}  // namespace aibench
