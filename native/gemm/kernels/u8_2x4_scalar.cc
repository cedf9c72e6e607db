// u8 x s8, 2x4, plain C++: the path that runs everywhere.
#include "gemm/kernels/int8_vector_scalar.h"

namespace aibench {

constexpr Microkernel<std::uint8_t> gemm_u8_2x4_scalar =
    make_microkernel<Int8Vector<std::uint8_t>, 2, 4>("u8_2x4_scalar", Isa::kScalar);

}  // namespace aibench
