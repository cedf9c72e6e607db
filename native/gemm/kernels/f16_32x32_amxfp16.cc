// f16, 32 x 32, AMX tdpfp16ps. Pairs are packed as those of bf16 are: both are 16 bits.
#include "gemm/kernels/amx_body.h"

namespace aibench {
namespace {

void pack_b(std::size_t k, const WeightOf<F16>* b, std::ptrdiff_t ldb, int vectors, std::size_t tail, OutputOf<F16>* panel) {
  gemm_bf16_8x48_avx512bf16.pack_b(k, reinterpret_cast<const Bf16*>(b), ldb, vectors, tail, panel);
  pad_panel(k, 4 / sizeof *b, vectors, panel);
}

void stream_row(std::size_t k, std::size_t n, const F16* a, const WeightOf<F16>* b, std::ptrdiff_t ldb, OutputOf<F16>* c) {
  gemm_f16_8x48_avx512f.stream_row(k, n, a, b, ldb, c);
}

}  // namespace

constexpr Microkernel<F16> gemm_f16_32x32_amxfp16 =
    make_tile_microkernel<F16, TileDot::kF16>("f16_32x32_amxfp16", Isa::kAmxFp16, pack_b, stream_row);

}  // namespace aibench
