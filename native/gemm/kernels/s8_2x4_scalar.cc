// s8 x s8, 2x4, plain C++: the path that runs everywhere.
#include "gemm/kernels/int8_vector_scalar.h"

namespace aibench {

constexpr Microkernel<std::int8_t> gemm_s8_2x4_scalar =
    make_microkernel<Int8Vector<std::int8_t>, 2, 4>("s8_2x4_scalar", Isa::kScalar);

}  // namespace aibench
