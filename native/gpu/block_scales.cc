#include "gpu/block_scales.h"

#include <cmath>
#include <cstring>

#include "gemm/random_fill.h"

namespace aibench::gpu {
namespace {

constexpr std::size_t kTileRows = 128, kTileBlocks = 4, kTileBytes = kTileRows * kTileBlocks;
constexpr int kPowerBias = 127;  // of UE8M0: code c is 2^(c - 127)

std::size_t rounded_up(std::size_t value, std::size_t unit) { return (value + unit - 1) / unit * unit; }

}  // namespace

std::size_t block_elements(const GemmType& type) { return type.scaling == Scaling::kVec32 ? 32 : type.scaling == Scaling::kVec16 ? 16 : 0; }

std::size_t scale_bytes(const GemmType& type, std::size_t rows, std::size_t k) {
  return rounded_up(rows, kTileRows) * rounded_up(k / block_elements(type), kTileBlocks);
}

std::size_t scale_place(std::size_t row, std::size_t block, std::size_t blocks_per_row) {
  const std::size_t tiles_per_row = rounded_up(blocks_per_row, kTileBlocks) / kTileBlocks;
  const std::size_t tile = row / kTileRows * tiles_per_row + block / kTileBlocks;
  return tile * kTileBytes + row % 32 * 16 + row % kTileRows / 32 * 4 + block % kTileBlocks;
}

float element_range(const GemmType& type) { return type.a == kR4F_E2M1 ? 6.0F : 320.0F; }

float block_scale(const GemmType& type, std::uint64_t seed, std::size_t row, std::size_t block) {
  const std::uint64_t random = random_bits(seed, row << 24 | block);
  if (type.scaling == Scaling::kVec16) return 0.125F + 0.015625F * static_cast<float>(random & 7);
  // Mean squares: of 6 at 1/8 and 1/4, three to one, 0.33; of 320 at 2^-9 and 2^-8, 0.33.
  if (type.a == kR4F_E2M1) return (random & 3) == 0 ? 0.25F : 0.125F;
  return (random & 1) == 0 ? 0x1p-9F : 0x1p-8F;
}

void encode_scales(const GemmType& type, std::uint64_t seed, std::size_t rows, std::size_t k, unsigned char* scales) {
  std::memset(scales, 0, scale_bytes(type, rows, k));
  const std::size_t blocks = k / block_elements(type);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t block = 0; block < blocks; ++block) {
      const float scale = block_scale(type, seed, row, block);
      unsigned char* to = scales + scale_place(row, block, blocks);
      // UE4M3 is e4m3 without a sign: these numbers have none.
      if (type.scaling == Scaling::kVec16) encode(kR8F_E4M3, &scale, to, 1);
      else *to = static_cast<unsigned char>(std::ilogb(scale) + kPowerBias);
    }
  }
}

}  // namespace aibench::gpu
