// f16, 32 x 32, SME with streaming vectors of 512 bits: fmopa of pairs.
#include "gemm/kernels/sme_body.h"

namespace aibench {
namespace {

void stream_row(std::size_t k, std::size_t n, const F16* a, const WeightOf<F16>* b, std::ptrdiff_t ldb, OutputOf<F16>* c) {
  gemm_f16_8x12_neon.stream_row(k, n, a, b, ldb, c);
}

}  // namespace

constexpr Microkernel<F16> gemm_f16_32x32_sme512 = make_outer_microkernel<F16, Outer::kF16>("f16_32x32_sme512", Isa::kSme512, stream_row);

}  // namespace aibench
