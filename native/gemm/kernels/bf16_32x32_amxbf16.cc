// bf16, 32 x 32, AMX tdpbf16ps, which flushes subnormals.
#include "gemm/kernels/amx_body.h"

namespace aibench {
namespace {

void pack_b(std::size_t k, const WeightOf<Bf16>* b, std::ptrdiff_t ldb, int vectors, std::size_t tail, OutputOf<Bf16>* panel) {
  gemm_bf16_8x48_avx512bf16.pack_b(k, b, ldb, vectors, tail, panel);
  pad_panel(k, 4 / sizeof *b, vectors, panel);
}

void stream_row(std::size_t k, std::size_t n, const Bf16* a, const WeightOf<Bf16>* b, std::ptrdiff_t ldb, OutputOf<Bf16>* c) {
  gemm_bf16_8x48_avx512bf16.stream_row(k, n, a, b, ldb, c);
}

}  // namespace

constexpr Microkernel<Bf16> gemm_bf16_32x32_amxbf16 =
    make_tile_microkernel<Bf16, TileDot::kBf16>("bf16_32x32_amxbf16", Isa::kAmxBf16, pack_b, stream_row);

}  // namespace aibench
