// f32, 2 x 4, plain C++: the path that runs everywhere. A "vector" is one element.
#include "gemm/kernels/f32_vector_scalar.h"

namespace aibench {

constexpr Microkernel<float> gemm_f32_2x4_scalar = make_microkernel<F32Vector, 2, 4>("f32_2x4_scalar", Isa::kScalar);

}  // namespace aibench
