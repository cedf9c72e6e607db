// The body of the SME kernels, for streaming vectors of 512 bits: C in 2 x 2 tiles of ZA, each the sum of outer products of a vector of
// A's words and one of B's. One function serves all heights and widths: lanes beyond them are zeros. All of a product is one asm statement,
// since nothing but SME and streaming SVE may run between smstart and smstop, which also clear all vector registers; assemblers know it from 2022
// on. (Arm ARM DDI 0487, B1.4.) A row alone is streamed by the AdvSIMD kernel of the dtype.
//
// Packed A and B: per step the words of a column of A, of a row of B. A word is what one outer product takes of a row: an f32 or f64, two
// bf16 or f16, four int8.
#pragma once
#include <arm_neon.h>

#include <cstring>

#include "gemm/kernels/words.h"
#include "gemm/microkernel.h"

namespace aibench {
namespace {

// What the statements read, at the offsets that they name.
struct SmeArguments {
  const void* a;              // 0: packed
  const void* b;              // 8
  void* sums;                 // 16: four tiles, one after the other, their rows side by side
  std::size_t steps;          // 24: at least one
  std::size_t rows, columns;  // 32, 40
};

// `s` the suffix of words, `x` what loads and stores them, PRODUCT(tile, a, b) an outer product of vectors a and b onto a tile, all below p4.
#define AIBENCH_SME_CLOBBERS                                                                                                       \
  "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory", "cc", "p0", "p1", "p2", "p3", "p4", "v0", "v1", "v2", "v3", "v4", \
      "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22",     \
      "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31"
#define AIBENCH_SME_BEGIN                                                        \
  ".arch_extension sve\n\t.arch_extension sme\n\t.arch_extension sme-f64\n\t"    \
  "ldp x9, x10, [%0]\n\tldp x11, x13, [%0, 16]\n\tldp x14, x15, [%0, 32]\n\t"    \
  "smstart\n\tptrue p4.b\n\tzero {za}\n\t"
// The rows of four tiles, of `rows` rows each, to x11.
#define AIBENCH_SME_STORE_TILE(x, s, tile, rows) \
  "mov x12, #0\n\t2:\n\t" x " {za" #tile "h" s "[w12, 0]}, p4, [x11]\n\tadd x11, x11, #64\n\tadd x12, x12, #1\n\tcmp x12, #" rows "\n\tb.lo 2b\n\t"
#define AIBENCH_SME_STORE(x, s, rows)                                                             \
  AIBENCH_SME_STORE_TILE(x, s, 0, rows) AIBENCH_SME_STORE_TILE(x, s, 1, rows)                     \
  AIBENCH_SME_STORE_TILE(x, s, 2, rows) AIBENCH_SME_STORE_TILE(x, s, 3, rows) "smstop\n\t"

// sums = A * B, tiles 0 and 1 the upper rows, 0 and 2 the left columns. x16, x17: bytes of a step of A and of B.
#define AIBENCH_SME_MULTIPLY(m, s, load, store, shift, rows, PRODUCT)                                                             \
  asm volatile(                                                                                                                   \
      AIBENCH_SME_BEGIN                                                                                                           \
      "lsl x16, x14, #" shift "\n\tlsl x17, x15, #" shift "\n\tmov x12, #" rows "\n\t"                                            \
      "whilelo p0" s ", xzr, x14\n\twhilelo p1" s ", x12, x14\n\twhilelo p2" s ", xzr, x15\n\twhilelo p3" s ", x12, x15\n\t"      \
      "1:\n\t" load " {z0" s "}, p0/z, [x9]\n\t" load " {z1" s "}, p1/z, [x9, #1, mul vl]\n\t"                                    \
      load " {z2" s "}, p2/z, [x10]\n\t" load " {z3" s "}, p3/z, [x10, #1, mul vl]\n\t"                                           \
      "add x9, x9, x16\n\tadd x10, x10, x17\n\tsubs x13, x13, #1\n\t"                                                             \
      PRODUCT(0, 0, 2) PRODUCT(1, 0, 3) PRODUCT(2, 1, 2) PRODUCT(3, 1, 3)                                                         \
      "b.ne 1b\n\t" AIBENCH_SME_STORE(store, s, rows)                                                                             \
      : : "r"(m) : AIBENCH_SME_CLOBBERS)
// `steps` outer products of one vector of a and one of b onto each of the four tiles.
#define AIBENCH_SME_CHAINS(m, s, load, store, rows, PRODUCT)                                                                      \
  asm volatile(                                                                                                                   \
      AIBENCH_SME_BEGIN load " {z0" s "}, p4/z, [x9]\n\t" load " {z2" s "}, p4/z, [x10]\n\t"                                      \
      "1:\n\tsubs x13, x13, #1\n\t" PRODUCT(0, 0, 2) PRODUCT(1, 0, 2) PRODUCT(2, 0, 2) PRODUCT(3, 0, 2)                           \
      "b.ne 1b\n\t" AIBENCH_SME_STORE(store, s, rows)                                                                             \
      : : "r"(m) : AIBENCH_SME_CLOBBERS)

#define AIBENCH_SME_FMOPA_S(t, a, b) "fmopa za" #t ".s, p4/m, p4/m, z" #a ".s, z" #b ".s\n\t"
#define AIBENCH_SME_FMOPA_D(t, a, b) "fmopa za" #t ".d, p4/m, p4/m, z" #a ".d, z" #b ".d\n\t"
#define AIBENCH_SME_FMOPA_H(t, a, b) "fmopa za" #t ".s, p4/m, p4/m, z" #a ".h, z" #b ".h\n\t"
#define AIBENCH_SME_BFMOPA(t, a, b) "bfmopa za" #t ".s, p4/m, p4/m, z" #a ".h, z" #b ".h\n\t"
#define AIBENCH_SME_SMOPA(t, a, b) "smopa za" #t ".s, p4/m, p4/m, z" #a ".b, z" #b ".b\n\t"
#define AIBENCH_SME_USMOPA(t, a, b) "usmopa za" #t ".s, p4/m, p4/m, z" #a ".b, z" #b ".b\n\t"

enum class Outer { kF32, kF64, kF16, kBf16, kS8S8, kU8S8 };

template <Outer kOuter>
inline void outer_products(const SmeArguments* m) {
  if constexpr (kOuter == Outer::kF32) AIBENCH_SME_MULTIPLY(m, ".s", "ld1w", "st1w", "2", "16", AIBENCH_SME_FMOPA_S);
  if constexpr (kOuter == Outer::kF64) AIBENCH_SME_MULTIPLY(m, ".d", "ld1d", "st1d", "3", "8", AIBENCH_SME_FMOPA_D);
  if constexpr (kOuter == Outer::kF16) AIBENCH_SME_MULTIPLY(m, ".s", "ld1w", "st1w", "2", "16", AIBENCH_SME_FMOPA_H);
  if constexpr (kOuter == Outer::kBf16) AIBENCH_SME_MULTIPLY(m, ".s", "ld1w", "st1w", "2", "16", AIBENCH_SME_BFMOPA);
  if constexpr (kOuter == Outer::kS8S8) AIBENCH_SME_MULTIPLY(m, ".s", "ld1w", "st1w", "2", "16", AIBENCH_SME_SMOPA);
  if constexpr (kOuter == Outer::kU8S8) AIBENCH_SME_MULTIPLY(m, ".s", "ld1w", "st1w", "2", "16", AIBENCH_SME_USMOPA);
}

template <Outer kOuter>
inline void outer_chains(const SmeArguments* m) {
  if constexpr (kOuter == Outer::kF32) AIBENCH_SME_CHAINS(m, ".s", "ld1w", "st1w", "16", AIBENCH_SME_FMOPA_S);
  if constexpr (kOuter == Outer::kF64) AIBENCH_SME_CHAINS(m, ".d", "ld1d", "st1d", "8", AIBENCH_SME_FMOPA_D);
  if constexpr (kOuter == Outer::kF16) AIBENCH_SME_CHAINS(m, ".s", "ld1w", "st1w", "16", AIBENCH_SME_FMOPA_H);
  if constexpr (kOuter == Outer::kBf16) AIBENCH_SME_CHAINS(m, ".s", "ld1w", "st1w", "16", AIBENCH_SME_BFMOPA);
  if constexpr (kOuter == Outer::kS8S8) AIBENCH_SME_CHAINS(m, ".s", "ld1w", "st1w", "16", AIBENCH_SME_SMOPA);
  if constexpr (kOuter == Outer::kU8S8) AIBENCH_SME_CHAINS(m, ".s", "ld1w", "st1w", "16", AIBENCH_SME_USMOPA);
}

// Words of 4 bytes; of 8 for f64.
template <typename Source>
struct SmeWords {
  using C = OutputOf<Source>;
  static constexpr int kGroup = sizeof(C) / sizeof(Source), kLanes = 64 / sizeof(C);
  static constexpr std::size_t kTile = static_cast<std::size_t>(kLanes) * kLanes;
};

// c = alpha * sum [+ beta * c]. s32 wraps around.
template <typename C>
C scaled_sum(C alpha, C sum, C beta, const C& c) {
  if constexpr (static_cast<C>(0.5) == C{0}) {
    const auto product = static_cast<std::uint32_t>(alpha) * static_cast<std::uint32_t>(sum);
    return static_cast<C>(beta == 0 ? product : product + static_cast<std::uint32_t>(beta) * static_cast<std::uint32_t>(c));
  } else {
    return beta == C{0} ? alpha * sum : alpha * sum + beta * c;
  }
}

template <typename Source, Outer kOuter>
void multiply_outer(const Tile<Source>& t) {
  using W = SmeWords<Source>;
  using C = typename W::C;
  constexpr std::size_t kLanes = W::kLanes;
  alignas(64) C sums[4 * W::kTile];
  const std::size_t columns = t.vectors * kLanes;
  const SmeArguments m{t.a, t.b, sums, (t.k + W::kGroup - 1) / W::kGroup, t.rows, columns};
  outer_products<kOuter>(&m);
  const std::size_t wanted = columns - kLanes + t.tail;
  for (std::size_t r = 0; r < t.rows; ++r) {
    C* c = t.c + static_cast<std::ptrdiff_t>(r) * t.ldc;
    for (std::size_t first = 0; first < wanted; first += kLanes) {
      const C* row = sums + (r / kLanes * 2 + first / kLanes) * W::kTile + r % kLanes * kLanes;
      const std::size_t count = wanted - first < kLanes ? wanted - first : kLanes;
      for (std::size_t j = 0; j < count; ++j) c[first + j] = scaled_sum(t.alpha, row[j], t.beta, c[first + j]);
    }
  }
}

// Every element of a result is steps * the product of the first words.
template <typename Source, Outer kOuter>
void multiply_outer_chains(std::size_t steps, const Source* a_values, const WeightOf<Source>* b_values, OutputOf<Source>* sums) {
  using W = SmeWords<Source>;
  using C = typename W::C;
  alignas(64) C a[W::kLanes], b[W::kLanes], tiles[4 * W::kTile] = {};
  for (int i = 0; i < W::kLanes; ++i) {
    std::memcpy(a + i, a_values, sizeof(C));
    std::memcpy(b + i, b_values, sizeof(C));
  }
  const SmeArguments m{a, b, tiles, steps, W::kLanes, W::kLanes};
  if (steps != 0) outer_chains<kOuter>(&m);
  for (int i = 0; i < kPeakChains; ++i) {
    std::memcpy(sums + i * W::kLanes, tiles + static_cast<std::size_t>(i % 4) * W::kTile + static_cast<std::size_t>(i / 4 * W::kLanes), 64);
  }
}

// Words of four rows of A, four steps each, to steps of `apart` words.
inline void turn_words(const std::uint32_t* rows[4], std::uint32_t* packed, std::ptrdiff_t apart) {
  const uint32x4x2_t low = vtrnq_u32(vld1q_u32(rows[0]), vld1q_u32(rows[1])), high = vtrnq_u32(vld1q_u32(rows[2]), vld1q_u32(rows[3]));
  vst1q_u32(packed, vcombine_u32(vget_low_u32(low.val[0]), vget_low_u32(high.val[0])));
  vst1q_u32(packed + apart, vcombine_u32(vget_low_u32(low.val[1]), vget_low_u32(high.val[1])));
  vst1q_u32(packed + 2 * apart, vcombine_u32(vget_high_u32(low.val[0]), vget_high_u32(high.val[0])));
  vst1q_u32(packed + 3 * apart, vcombine_u32(vget_high_u32(low.val[1]), vget_high_u32(high.val[1])));
}

template <typename Source>
void pack_outer_rows(std::size_t k, const Source* a, std::ptrdiff_t lda, int rows, OutputOf<Source>* packed) {
  using W = SmeWords<Source>;
  using C = typename W::C;
  const auto height = static_cast<std::size_t>(rows);
  const std::size_t whole = k / W::kGroup, steps = (k + W::kGroup - 1) / W::kGroup;
  for (std::size_t r = 0; r < height;) {
    std::size_t l = 0, count = 1;
    if constexpr (sizeof(C) == 4) {
      count = height - r < 4 ? 1 : 4;
      for (; count == 4 && l + 4 <= whole; l += 4) {
        const std::uint32_t* from[4];
        for (std::size_t i = 0; i < 4; ++i) from[i] = reinterpret_cast<const std::uint32_t*>(a + static_cast<std::ptrdiff_t>(r + i) * lda + l * W::kGroup);
        turn_words(from, reinterpret_cast<std::uint32_t*>(packed + l * height + r), rows);
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      const Source* row = a + static_cast<std::ptrdiff_t>(r + i) * lda;
      for (std::size_t s = l; s < steps; ++s) {
        const std::size_t there = k - s * W::kGroup < W::kGroup ? k - s * W::kGroup : W::kGroup;
        packed[s * height + r + i] = grouped<W::kGroup, Source, C>(row + s * W::kGroup, sizeof(Source), there);
      }
    }
    r += count;
  }
}

// A whole vector of words of `rows` rows of B side by side: their elements interleaved.
inline void interleave(const float* b, std::ptrdiff_t, float* words) { std::memcpy(words, b, 64); }
inline void interleave(const double* b, std::ptrdiff_t, double* words) { std::memcpy(words, b, 64); }
template <typename Half>
inline void interleave(const Half* b, std::ptrdiff_t ldb, float* words) {
  const auto* row = reinterpret_cast<const std::uint16_t*>(b);
  for (int i = 0; i < 16; i += 8) vst2q_u16(reinterpret_cast<std::uint16_t*>(words + i), {{vld1q_u16(row + i), vld1q_u16(row + ldb + i)}});
}
inline void interleave(const std::int8_t* b, std::ptrdiff_t ldb, std::int32_t* words) {
  vst4q_s8(reinterpret_cast<std::int8_t*>(words), {{vld1q_s8(b), vld1q_s8(b + ldb), vld1q_s8(b + 2 * ldb), vld1q_s8(b + 3 * ldb)}});
}

template <typename Source>
void pack_outer_panel(std::size_t k, const WeightOf<Source>* b, std::ptrdiff_t ldb, int vectors, std::size_t tail, OutputOf<Source>* panel) {
  using W = SmeWords<Source>;
  using C = typename W::C;
  using B = WeightOf<Source>;
  for (std::size_t l = 0; l < k; l += W::kGroup, b += W::kGroup * ldb) {
    const std::size_t there = k - l < W::kGroup ? k - l : W::kGroup;
    for (int v = 0; v < vectors; ++v, panel += W::kLanes) {
      const std::size_t columns = v + 1 < vectors ? W::kLanes : tail;
      const B* from = b + v * W::kLanes;
      if (columns == W::kLanes && there == W::kGroup) {
        interleave(from, ldb, panel);
        continue;
      }
      for (std::size_t j = 0; j < W::kLanes; ++j) {
        panel[j] = j < columns ? grouped<W::kGroup, B, C>(from + j, ldb * static_cast<std::ptrdiff_t>(sizeof(B)), there) : C{};
      }
    }
  }
}

// The microkernel of two tiles by two.
template <typename Source, Outer kOuter>
constexpr Microkernel<Source> make_outer_microkernel(const char* name, Isa isa, decltype(Microkernel<Source>::stream_row) stream_row) {
  using W = SmeWords<Source>;
  Microkernel<Source> kernel{name, isa, 2 * W::kLanes, 2, W::kLanes, W::kGroup, false, 0, {},
                             pack_outer_panel<Source>, pack_outer_rows<Source>, stream_row, multiply_outer_chains<Source, kOuter>};
  kernel.matrix = {W::kGroup, static_cast<int>(4 * W::kTile) * W::kGroup};
  kernel.any_size = multiply_outer<Source, kOuter>;
  return kernel;
}

}  // namespace
}  // namespace aibench
