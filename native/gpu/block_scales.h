// Operands whose elements have a scale for each block along k: which scales, and where cuBLASLt looks for each.
#pragma once
#include <cstddef>
#include <cstdint>

#include "gpu/gemm_types.h"

namespace aibench::gpu {

// Elements of a block: 32, 16; 0 where the type has no blocks.
std::size_t block_elements(const GemmType& type);

// Bytes of the scales of `rows` rows of k elements, with what fills up the last tiles. k is a multiple of the block.
std::size_t scale_bytes(const GemmType& type, std::size_t rows, std::size_t k);

// Where the scale of block `block` of row `row` lies: tiles of 128 rows and 4 blocks, 512 bytes each, tiles of one row of tiles together; within
// a tile (row % 32) * 16 + (row % 128) / 32 * 4 + block % 4 ("1D block scaling factors layout" of cuBLAS's documentation).
std::size_t scale_place(std::size_t row, std::size_t block, std::size_t blocks_per_row);

// The scale of a block, from the seed. Not 1, and not the same for all, so that a library that leaves scales out or finds them elsewhere is
// found out. UE8M0: two powers of two; UE4M3: eight numbers from 1/8 up, for the fraction to count. Together with element_range() such that
// values have the spread of numbers uniform in (-1, 1), which the check's tolerance is for.
float block_scale(const GemmType& type, std::uint64_t seed, std::size_t row, std::size_t block);
// Elements before they are rounded are uniform in (-range, range).
float element_range(const GemmType& type);

// The scales of all blocks in the library's layout; places that belong to no block are zero.
void encode_scales(const GemmType& type, std::uint64_t seed, std::size_t rows, std::size_t k, unsigned char* scales);

}  // namespace aibench::gpu
