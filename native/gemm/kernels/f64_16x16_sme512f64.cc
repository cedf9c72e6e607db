// f64, 16 x 16, SME with streaming vectors of 512 bits: fmopa of f64 (SME_F64F64).
#include "gemm/kernels/sme_body.h"

namespace aibench {
namespace {

void stream_row(std::size_t k, std::size_t n, const double* a, const WeightOf<double>* b, std::ptrdiff_t ldb, OutputOf<double>* c) {
  gemm_f64_8x6_neon.stream_row(k, n, a, b, ldb, c);
}

}  // namespace

constexpr Microkernel<double> gemm_f64_16x16_sme512f64 = make_outer_microkernel<double, Outer::kF64>("f64_16x16_sme512f64", Isa::kSme512F64, stream_row);

}  // namespace aibench
