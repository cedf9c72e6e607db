// s8 x s8, 32 x 32, SME with streaming vectors of 512 bits: smopa.
#include "gemm/kernels/sme_body.h"

namespace aibench {
namespace {

void stream_row(std::size_t k, std::size_t n, const std::int8_t* a, const WeightOf<std::int8_t>* b, std::ptrdiff_t ldb, OutputOf<std::int8_t>* c) {
  gemm_s8_8x12_neondot.stream_row(k, n, a, b, ldb, c);
}

}  // namespace

constexpr Microkernel<std::int8_t> gemm_s8_32x32_sme512 = make_outer_microkernel<std::int8_t, Outer::kS8S8>("s8_32x32_sme512", Isa::kSme512, stream_row);

}  // namespace aibench
