// The tile instructions of AMX (Intel SDM vol. 2; Intel Architecture Instruction Set Extensions, "AMX-FP16") as asm, which wants no
// compiler flag. Emulated where AIBENCH_SIMDE is defined: native/test/amx_emulation.h.
#pragma once
#include <cstddef>
#include <cstdint>

namespace aibench {
namespace {

// What ldtilecfg reads.
struct alignas(64) TileShapes {
  std::uint8_t palette, start_row, reserved[14];
  std::uint16_t row_bytes[16];
  std::uint8_t rows[16];
};
static_assert(sizeof(TileShapes) == 64);

enum class TileDot { kS8S8, kU8S8, kBf16, kF16 };

}  // namespace
}  // namespace aibench

#ifdef AIBENCH_SIMDE
#include "test/amx_emulation.h"
#else
namespace aibench {
namespace {

inline void shape_tiles(const TileShapes& shapes) { asm volatile("ldtilecfg %0" : : "m"(shapes)); }
inline void release_tiles() { asm volatile("tilerelease"); }
template <int kTile>
inline void zero_tile() {
  asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
}
// Rows are `stride` bytes apart.
template <int kTile>
inline void load_tile(const void* from, std::ptrdiff_t stride) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(kTile) : "memory");
}
template <int kTile>
inline void store_tile(void* to, std::ptrdiff_t stride) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride), "i"(kTile) : "memory");
}
// C += A * B, all tiles.
template <TileDot kDot, int kC, int kA, int kB>
inline void multiply_tiles() {
  if constexpr (kDot == TileDot::kS8S8) asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kC), "i"(kA), "i"(kB));
  if constexpr (kDot == TileDot::kU8S8) asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kC), "i"(kA), "i"(kB));
  if constexpr (kDot == TileDot::kBf16) asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kC), "i"(kA), "i"(kB));
  // tdpfp16ps, VEX.128.F2.0F38.W0 5C 11:rrr:bbb: assemblers know it from 2023 on.
  if constexpr (kDot == TileDot::kF16) {
    asm volatile(".byte 0xc4, 0xe2, %c0, 0x5c, %c1" : : "i"((15 - kB) << 3 | 3), "i"(0xc0 | kC << 3 | kA));
  }
}

}  // namespace
}  // namespace aibench
#endif
