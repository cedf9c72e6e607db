// bf16, 32 x 32, SME with streaming vectors of 512 bits: bfmopa.
#include "gemm/kernels/sme_body.h"

namespace aibench {
namespace {

void stream_row(std::size_t k, std::size_t n, const Bf16* a, const WeightOf<Bf16>* b, std::ptrdiff_t ldb, OutputOf<Bf16>* c) {
  gemm_bf16_8x12_neon.stream_row(k, n, a, b, ldb, c);
}

}  // namespace

constexpr Microkernel<Bf16> gemm_bf16_32x32_sme512 = make_outer_microkernel<Bf16, Outer::kBf16>("bf16_32x32_sme512", Isa::kSme512, stream_row);

}  // namespace aibench
