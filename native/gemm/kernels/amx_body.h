// The body of the AMX kernels: C in 2 x 2 tiles of 16 x 16, A in two tiles of 16 rows by 64 bytes of k, B in two of 64 bytes of k by
// 16 columns, all eight tile registers in use. One function serves all heights and widths, since the shapes of tiles are data.
//
// Packed A: per 64 bytes of k all rows of the tile, 64 bytes each. Packed B: per word of k a row of the panel, as the AVX-512 kernel of
// the same grouping packs it. Both end in zeros where k does not fill 64 bytes. A row alone is streamed by that AVX-512 kernel.
#pragma once
#include <cstring>

#include "gemm/kernels/amx_instructions.h"
#include "gemm/microkernel.h"

namespace aibench {
namespace {

constexpr std::size_t kTileRows = 16, kTileWords = 16, kTileRowBytes = 64;

// Rows of A that the tiles of this thread are shaped for; 0 for none. ldtilecfg takes a hundred cycles and more.
thread_local std::size_t shaped_rows = 0;

// Tiles 0 to 3 are C, 4 and 5 are A, 6 and 7 are B.
inline void shape_for(std::size_t rows) {
  if (shaped_rows == rows) return;
  const std::size_t upper = rows < kTileRows ? rows : kTileRows;
  const std::size_t height[8] = {upper, upper, rows - upper, rows - upper, upper, rows - upper, kTileRows, kTileRows};
  TileShapes shapes{};
  shapes.palette = 1;
  for (int i = 0; i < 8; ++i) {
    shapes.rows[i] = static_cast<std::uint8_t>(height[i]);
    shapes.row_bytes[i] = height[i] == 0 ? 0 : kTileRowBytes;
  }
  shape_tiles(shapes);
  shaped_rows = rows;
}

inline void enter_tiles() { shaped_rows = 0; }
// Tiles in use would be saved at every context switch, and keep the core from its deeper idle states.
inline void leave_tiles() {
  if (shaped_rows != 0) release_tiles();
  shaped_rows = 0;
}

// The words of a C tile that one register holds, stored: c = alpha * sum [+ beta * c]. s32 wraps around.
template <typename C>
void store_scaled(const C* sums, std::size_t rows, std::size_t columns, C alpha, C beta, C* c, std::ptrdiff_t ldc) {
  const auto scaled = [](C factor, C x) {
    if constexpr (static_cast<C>(0.5) == C{0}) return static_cast<C>(static_cast<std::uint32_t>(factor) * static_cast<std::uint32_t>(x));
    else return factor * x;
  };
  const auto sum = [](C x, C y) {
    if constexpr (static_cast<C>(0.5) == C{0}) return static_cast<C>(static_cast<std::uint32_t>(x) + static_cast<std::uint32_t>(y));
    else return x + y;
  };
  for (std::size_t r = 0; r < rows; ++r, c += ldc, sums += kTileWords) {
    for (std::size_t j = 0; j < columns; ++j) {
      const C value = scaled(alpha, sums[j]);
      c[j] = beta == C{0} ? value : sum(value, scaled(beta, c[j]));
    }
  }
}

// Where C takes whole tiles and alpha is 1, it is loaded into the tiles (beta 1) or not (beta 0), and stored from them.
template <typename Source, int kTile>
inline void begin_tile(const Tile<Source>& t, std::size_t row, std::size_t vector) {
  const bool whole = vector + 1 < t.vectors || t.tail == kTileWords;
  if (whole && t.alpha == 1 && t.beta == 1) {
    load_tile<kTile>(t.c + static_cast<std::ptrdiff_t>(row) * t.ldc + vector * kTileWords,
                     t.ldc * static_cast<std::ptrdiff_t>(sizeof *t.c));
  } else {
    zero_tile<kTile>();
  }
}
template <typename Source, int kTile>
inline void end_tile(const Tile<Source>& t, std::size_t row, std::size_t rows, std::size_t vector) {
  using C = OutputOf<Source>;
  const bool whole = vector + 1 < t.vectors || t.tail == kTileWords;
  C* c = t.c + static_cast<std::ptrdiff_t>(row) * t.ldc + vector * kTileWords;
  if (whole && t.alpha == 1 && (t.beta == 1 || t.beta == 0)) {
    store_tile<kTile>(c, t.ldc * static_cast<std::ptrdiff_t>(sizeof(C)));
    return;
  }
  alignas(64) C sums[kTileRows * kTileWords];
  store_tile<kTile>(sums, kTileRowBytes);
  store_scaled(sums, rows, whole ? kTileWords : t.tail, t.alpha, t.beta, c, t.ldc);
}

// kSecondRows: more than 16 rows; kSecondVector: more than 16 columns.
template <typename Source, TileDot kDot, bool kSecondRows, bool kSecondVector>
void multiply_shape(const Tile<Source>& t) {
  constexpr std::size_t kElements = kTileRowBytes / sizeof(Source);
  constexpr std::ptrdiff_t kPanelStride = (kSecondVector ? 2 : 1) * kTileRowBytes;
  const std::size_t upper = kSecondRows ? kTileRows : t.rows;
  begin_tile<Source, 0>(t, 0, 0);
  if constexpr (kSecondVector) begin_tile<Source, 1>(t, 0, 1);
  if constexpr (kSecondRows) begin_tile<Source, 2>(t, kTileRows, 0);
  if constexpr (kSecondRows && kSecondVector) begin_tile<Source, 3>(t, kTileRows, 1);
  const char* a = static_cast<const char*>(t.a);
  const char* b = static_cast<const char*>(t.b);
  const char* prefetch = t.prefetch;
  for (std::size_t blocks = (t.k + kElements - 1) / kElements; blocks != 0; --blocks) {
    for (int i = 0; i < 4; ++i, prefetch += t.prefetch_stride) __builtin_prefetch(prefetch, 0, 2);
    load_tile<6>(b, kPanelStride);
    load_tile<4>(a, kTileRowBytes);
    multiply_tiles<kDot, 0, 4, 6>();
    if constexpr (kSecondVector) {
      load_tile<7>(b + kTileRowBytes, kPanelStride);
      multiply_tiles<kDot, 1, 4, 7>();
    }
    if constexpr (kSecondRows) {
      load_tile<5>(a + kTileRows * kTileRowBytes, kTileRowBytes);
      multiply_tiles<kDot, 2, 5, 6>();
      if constexpr (kSecondVector) multiply_tiles<kDot, 3, 5, 7>();
    }
    a += t.rows * kTileRowBytes;
    b += kTileRows * kPanelStride;
  }
  end_tile<Source, 0>(t, 0, upper, 0);
  if constexpr (kSecondVector) end_tile<Source, 1>(t, 0, upper, 1);
  if constexpr (kSecondRows) end_tile<Source, 2>(t, kTileRows, t.rows - kTileRows, 0);
  if constexpr (kSecondRows && kSecondVector) end_tile<Source, 3>(t, kTileRows, t.rows - kTileRows, 1);
}

template <typename Source, TileDot kDot>
void multiply_any_size(const Tile<Source>& t) {
  shape_for(t.rows);
  const bool wide = t.vectors > 1;
  if (t.rows > kTileRows) {
    wide ? multiply_shape<Source, kDot, true, true>(t) : multiply_shape<Source, kDot, true, false>(t);
  } else {
    wide ? multiply_shape<Source, kDot, false, true>(t) : multiply_shape<Source, kDot, false, false>(t);
  }
}

// Per 64 bytes of k, `rows` rows of them.
template <typename Source>
void pack_tile_rows(std::size_t k, const Source* a, std::ptrdiff_t lda, int rows, OutputOf<Source>* packed) {
  constexpr std::size_t kElements = kTileRowBytes / sizeof(Source);
  char* to = reinterpret_cast<char*>(packed);
  for (std::size_t l = 0; l < k; l += kElements) {
    const Source* from = a + l;
    for (int r = 0; r < rows; ++r, from += lda, to += kTileRowBytes) {
      if (k - l >= kElements) {
        std::memcpy(to, from, kTileRowBytes);
        continue;
      }
      std::memcpy(to, from, (k - l) * sizeof(Source));
      std::memset(to + (k - l) * sizeof(Source), 0, kTileRowBytes - (k - l) * sizeof(Source));
    }
  }
}

// Behind a panel of ceil(k / group) words per column: zeros up to whole tiles.
inline void pad_panel(std::size_t k, std::size_t group, int vectors, void* panel) {
  const std::size_t words = (k + group - 1) / group, whole = (words + kTileRows - 1) / kTileRows * kTileRows;
  const std::size_t row = static_cast<std::size_t>(vectors) * kTileRowBytes;
  std::memset(static_cast<char*>(panel) + words * row, 0, (whole - words) * row);
}

// Six tiles of C: the latency of a product is three to four times the time between two of them. Every row of A and every column of B
// is the same.
template <typename Source, TileDot kDot>
void multiply_tile_chains(std::size_t steps, const Source* a_values, const WeightOf<Source>* b_values, OutputOf<Source>* sums) {
  constexpr std::size_t kWordBytes = kTileRowBytes / kTileWords;
  alignas(64) char a[kTileRows * kTileRowBytes], b[kTileRows * kTileRowBytes];
  for (std::size_t i = 0; i < kTileRows; ++i) {
    std::memcpy(a + i * kTileRowBytes, a_values, kTileRowBytes);
    for (std::size_t j = 0; j < kTileWords; ++j) {
      std::memcpy(b + i * kTileRowBytes + j * kWordBytes, reinterpret_cast<const char*>(b_values) + i * kWordBytes, kWordBytes);
    }
  }
  enter_tiles();
  shape_for(2 * kTileRows);
  zero_tile<0>(), zero_tile<1>(), zero_tile<2>(), zero_tile<3>(), zero_tile<4>(), zero_tile<5>();
  load_tile<6>(a, kTileRowBytes);
  load_tile<7>(b, kTileRowBytes);
  for (std::size_t i = steps; i != 0; --i) {
    multiply_tiles<kDot, 0, 6, 7>(), multiply_tiles<kDot, 1, 6, 7>(), multiply_tiles<kDot, 2, 6, 7>();
    multiply_tiles<kDot, 3, 6, 7>(), multiply_tiles<kDot, 4, 6, 7>(), multiply_tiles<kDot, 5, 6, 7>();
  }
  alignas(64) OutputOf<Source> rows[6][kTileRows * kTileWords];
  store_tile<0>(rows[0], kTileRowBytes), store_tile<1>(rows[1], kTileRowBytes), store_tile<2>(rows[2], kTileRowBytes);
  store_tile<3>(rows[3], kTileRowBytes), store_tile<4>(rows[4], kTileRowBytes), store_tile<5>(rows[5], kTileRowBytes);
  leave_tiles();
  // kPeakChains rows of results: the first two of each tile.
  for (int i = 0; i < kPeakChains; ++i) std::memcpy(sums + i * 16, rows[i / 2] + i % 2 * 16, kTileRowBytes);
}

// The microkernel of 32 x 32. `pack_b` and `stream_row` belong to the AVX-512 kernel of the same grouping.
template <typename Source, TileDot kDot>
constexpr Microkernel<Source> make_tile_microkernel(const char* name, Isa isa, decltype(Microkernel<Source>::pack_b) pack_b,
                                                    decltype(Microkernel<Source>::stream_row) stream_row) {
  constexpr int kGroup = 4 / sizeof(Source), kDepth = 64 / sizeof(Source);
  Microkernel<Source> kernel{name, isa, 32, 2, 16, kGroup, false, 0, {},
                             pack_b, pack_tile_rows<Source>, stream_row, multiply_tile_chains<Source, kDot>};
  kernel.matrix = {kDepth, 6 * 16 * 16 * kDepth, enter_tiles, leave_tiles};
  kernel.any_size = multiply_any_size<Source, kDot>;
  return kernel;
}

}  // namespace
}  // namespace aibench
