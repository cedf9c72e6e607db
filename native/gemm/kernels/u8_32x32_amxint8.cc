// u8 x s8, 32 x 32, AMX tdpbusd.
#include "gemm/kernels/amx_body.h"

namespace aibench {
namespace {

void pack_b(std::size_t k, const WeightOf<std::uint8_t>* b, std::ptrdiff_t ldb, int vectors, std::size_t tail, OutputOf<std::uint8_t>* panel) {
  gemm_u8_8x48_avx512vnni.pack_b(k, b, ldb, vectors, tail, panel);
  pad_panel(k, 4 / sizeof *b, vectors, panel);
}

void stream_row(std::size_t k, std::size_t n, const std::uint8_t* a, const WeightOf<std::uint8_t>* b, std::ptrdiff_t ldb, OutputOf<std::uint8_t>* c) {
  gemm_u8_8x48_avx512vnni.stream_row(k, n, a, b, ldb, c);
}

}  // namespace

constexpr Microkernel<std::uint8_t> gemm_u8_32x32_amxint8 =
    make_tile_microkernel<std::uint8_t, TileDot::kU8S8>("u8_32x32_amxint8", Isa::kAmxInt8, pack_b, stream_row);

}  // namespace aibench
