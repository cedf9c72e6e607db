// f64, 8 x 12, SVE of 256 bits: 24 accumulators, 3 vectors of B and 1 broadcast of A in 28 of the 32 registers.
#include "gemm/kernels/sve_vector.h"

namespace aibench {

constexpr Microkernel<double> gemm_f64_8x12_sve256 = make_microkernel<SveVector<double>, 8, 3>("f64_8x12_sve256", Isa::kSve256);

}  // namespace aibench
