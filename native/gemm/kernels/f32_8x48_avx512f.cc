// f32, 8 x 48, AVX-512F: 24 accumulators, 3 vectors of B and 1 broadcast of A in 28 of the 32 registers. Eight rows of A
// are read in place: they still fit in the ways of an L1 when lda is a power of two.
#define AIBENCH_MILLI_512
#include "gemm/kernels/f32_millikernel.h"
#include "gemm/kernels/few_millikernel_avx512.h"
#include "gemm/kernels/f32_vector_avx512f.h"

namespace aibench {

constexpr Microkernel<float> gemm_f32_8x48_avx512f =
    with_few_millikernels<F32Vector>(with_millikernels<F32Vector>(make_microkernel<F32Vector, 8, 3>("f32_8x48_avx512f", Isa::kAvx512f)));

}  // namespace aibench
