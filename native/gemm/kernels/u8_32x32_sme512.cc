// u8 x s8, 32 x 32, SME with streaming vectors of 512 bits: usmopa.
#include "gemm/kernels/sme_body.h"

namespace aibench {
namespace {

void stream_row(std::size_t k, std::size_t n, const std::uint8_t* a, const WeightOf<std::uint8_t>* b, std::ptrdiff_t ldb, OutputOf<std::uint8_t>* c) {
  gemm_u8_8x12_neondot.stream_row(k, n, a, b, ldb, c);
}

}  // namespace

constexpr Microkernel<std::uint8_t> gemm_u8_32x32_sme512 = make_outer_microkernel<std::uint8_t, Outer::kU8S8>("u8_32x32_sme512", Isa::kSme512, stream_row);

}  // namespace aibench
