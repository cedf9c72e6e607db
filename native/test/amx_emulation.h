// AMX's tile instructions in software, as the pseudo-code of Intel's manuals has them (SDM vol. 2, chapter "Intel AMX"; Instruction Set
// Extensions, tdpfp16ps), for CPUs without them. What would raise an exception ends the process with a sentence.
#pragma once
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/half.h"

namespace aibench {
namespace {

struct EmulatedTiles {
  bool configured = false;
  int rows[8] = {}, row_bytes[8] = {};
  std::uint8_t bytes[8][16][64] = {};
};
thread_local EmulatedTiles emulated;

inline void require_tile(bool condition, const char* what) {
  if (condition) return;
  std::printf("AMX emulation: %s\n", what);
  std::fflush(stdout);
  std::abort();
}
inline void require_usable(int tile) {
  require_tile(emulated.configured, "#UD, tiles are not configured");
  require_tile(emulated.rows[tile] != 0 && emulated.row_bytes[tile] != 0, "#UD, the tile has no rows or no columns");
}
inline void clear_from(int tile, int row) {
  for (; row < 16; ++row) std::memset(emulated.bytes[tile][row], 0, 64);
}

inline void shape_tiles(const TileShapes& shapes) {
  require_tile(reinterpret_cast<std::uintptr_t>(&shapes) % 64 == 0, "the configuration is not aligned as the kernel wants it");
  require_tile(shapes.palette == 1, "#GP, palette");
  require_tile(shapes.start_row == 0, "the kernels start at row 0");
  for (const std::uint8_t byte : shapes.reserved) require_tile(byte == 0, "#GP, a reserved byte is not 0");
  for (int i = 0; i < 16; ++i) {
    require_tile(i < 8 || (shapes.rows[i] == 0 && shapes.row_bytes[i] == 0), "#GP, more tiles than palette 1 has");
    require_tile(shapes.rows[i] <= 16 && shapes.row_bytes[i] <= 64, "#GP, a tile too large");
    require_tile((shapes.rows[i] == 0) == (shapes.row_bytes[i] == 0), "#GP, rows without columns");
  }
  emulated = EmulatedTiles{};
  emulated.configured = true;
  for (int i = 0; i < 8; ++i) {
    emulated.rows[i] = shapes.rows[i];
    emulated.row_bytes[i] = shapes.row_bytes[i];
  }
}
inline void release_tiles() { emulated = EmulatedTiles{}; }

template <int kTile>
inline void zero_tile() {
  require_usable(kTile);
  clear_from(kTile, 0);
}
template <int kTile>
inline void load_tile(const void* from, std::ptrdiff_t stride) {
  require_usable(kTile);
  clear_from(kTile, 0);
  for (int r = 0; r < emulated.rows[kTile]; ++r) {
    std::memcpy(emulated.bytes[kTile][r], static_cast<const char*>(from) + r * stride, static_cast<std::size_t>(emulated.row_bytes[kTile]));
  }
}
template <int kTile>
inline void store_tile(void* to, std::ptrdiff_t stride) {
  require_usable(kTile);
  for (int r = 0; r < emulated.rows[kTile]; ++r) {
    std::memcpy(static_cast<char*>(to) + r * stride, emulated.bytes[kTile][r], static_cast<std::size_t>(emulated.row_bytes[kTile]));
  }
}

template <typename E>
inline E element(int tile, int row, int index) {
  E value;
  std::memcpy(&value, &emulated.bytes[tile][row][static_cast<std::size_t>(index) * sizeof(E)], sizeof value);
  return value;
}
template <typename E>
inline void set_element(int tile, int row, int index, E value) {
  std::memcpy(&emulated.bytes[tile][row][static_cast<std::size_t>(index) * sizeof(E)], &value, sizeof value);
}
// DAZ and FTZ.
inline float flushed(float x) { return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x; }

template <TileDot kDot, int kC, int kA, int kB>
inline void multiply_tiles() {
  static_assert(kC != kA && kC != kB && kA != kB, "#UD, a tile stands twice");
  require_usable(kC), require_usable(kA), require_usable(kB);
  const int m = emulated.rows[kC], words = emulated.row_bytes[kA] / 4, n = emulated.row_bytes[kC] / 4;
  require_tile(emulated.rows[kA] == m, "#UD, rows of A are not rows of C");
  require_tile(emulated.row_bytes[kB] == emulated.row_bytes[kC], "#UD, columns of B are not columns of C");
  require_tile(emulated.rows[kB] == words && emulated.row_bytes[kA] % 4 == 0 && emulated.row_bytes[kC] % 4 == 0,
               "#UD, columns of A are not rows of B");
  for (int i = 0; i < m; ++i) {
    if constexpr (kDot == TileDot::kS8S8 || kDot == TileDot::kU8S8) {
      for (int w = 0; w < words; ++w) {
        for (int j = 0; j < n; ++j) {
          auto sum = element<std::uint32_t>(kC, i, j);  // wraps around
          for (int g = 0; g < 4; ++g) {
            const int x = kDot == TileDot::kS8S8 ? element<std::int8_t>(kA, i, 4 * w + g) : element<std::uint8_t>(kA, i, 4 * w + g);
            sum += static_cast<std::uint32_t>(x * element<std::int8_t>(kB, w, 4 * j + g));
          }
          set_element(kC, i, j, sum);
        }
      }
    } else {
      const auto wide = [](std::uint16_t bits) { return kDot == TileDot::kBf16 ? flushed(bf16_to_float(bits)) : f16_to_float(bits); };
      float sums[16][2] = {};
      for (int w = 0; w < words; ++w) {
        for (int j = 0; j < n; ++j) {
          for (int g = 0; g < 2; ++g) {
            const float x = wide(element<std::uint16_t>(kA, i, 2 * w + g)), y = wide(element<std::uint16_t>(kB, w, 2 * j + g));
            sums[j][g] = flushed(std::fma(x, y, sums[j][g]));
          }
        }
      }
      for (int j = 0; j < n; ++j) {
        const float both = flushed(sums[j][0] + sums[j][1]);
        set_element(kC, i, j, flushed(flushed(element<float>(kC, i, j)) + both));
      }
    }
  }
  clear_from(kC, m);
}

}  // namespace
}  // namespace aibench
