// f32, 32 x 32, SME with streaming vectors of 512 bits: fmopa.
#include "gemm/kernels/sme_body.h"

namespace aibench {
namespace {

void stream_row(std::size_t k, std::size_t n, const float* a, const WeightOf<float>* b, std::ptrdiff_t ldb, OutputOf<float>* c) {
  gemm_f32_8x12_neon.stream_row(k, n, a, b, ldb, c);
}

}  // namespace

constexpr Microkernel<float> gemm_f32_32x32_sme512 = make_outer_microkernel<float, Outer::kF32>("f32_32x32_sme512", Isa::kSme512, stream_row);

}  // namespace aibench
