// int8 products with the dot-product instructions for tile_body.h: a word is four int8; sdot for s8, usdot (which came with i8mm)
// for u8 times s8.
#pragma once
#include <arm_neon.h>

#include "gemm/kernels/tile_body.h"
#include "gemm/kernels/twelve.h"
#include "gemm/kernels/words.h"

namespace aibench {
namespace {

template <typename A>
struct Int8Vector {
  using Element = std::int32_t;
  using Source = A;
  using Weight = std::int8_t;
  using Register = int32x4_t;
  static constexpr int kGroup = 4, kOffset = 0, kLanes = 4;
  static constexpr bool kInPlaceA = false;
  static constexpr bool kSigned = static_cast<A>(-1) < static_cast<A>(1);
  static Register zero() { return vdupq_n_s32(0); }
  static void pin(Register& v) { asm volatile("" : "+w"(v)); }
  static Register load(const std::int32_t* p) { return vld1q_s32(p); }
  static Register load_source(const std::int8_t* p, std::ptrdiff_t ldb) {
    std::uint32_t rows[4];  // four columns of each of four rows
    for (int i = 0; i < 4; ++i) std::memcpy(&rows[i], p + i * ldb, 4);
    static constexpr std::uint8_t kByColumn[16] = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
    return vreinterpretq_s32_u8(vqtbl1q_u8(vreinterpretq_u8_u32(vld1q_u32(rows)), vld1q_u8(kByColumn)));
  }
  static std::int32_t a_word(const A* p, std::size_t count) { return grouped<4, A, std::int32_t>(p, 1, count); }
  static std::int32_t b_word(const std::int8_t* p, std::ptrdiff_t ldb, std::size_t count) {
    return grouped<4, std::int8_t, std::int32_t>(p, ldb, count);
  }
  static Register broadcast(const std::int32_t* p) { return vld1q_dup_s32(p); }
  // Volatile asm keeps the order of the source: GCC otherwise hoists broadcasts, runs out of registers and spills.
  static Register broadcast_in_order(const std::int32_t* p) {
    Register v;
    asm volatile("ld1r {%0.4s}, %1" : "=w"(v) : "Q"(*p));
    return v;
  }
  static Register add(Register a, Register b) { return vaddq_s32(a, b); }
  static Register mul(Register a, Register b) { return vmulq_s32(a, b); }
  static Register fma(Register a, Register b, Register c) { return vmlaq_s32(c, a, b); }
  static void accumulate(Register& c, Register a, Register b) {
    if constexpr (kSigned) asm volatile("sdot %0.4s, %1.16b, %2.16b" : "+w"(c) : "w"(a), "w"(b));
    else asm volatile("usdot %0.4s, %1.16b, %2.16b" : "+w"(c) : "w"(a), "w"(b));
  }
  static void store(std::int32_t* p, Register v) { vst1q_s32(p, v); }
  static Register load_partial(const std::int32_t* p, std::size_t count) {
    std::int32_t lanes[kLanes] = {};
    for (std::size_t i = 0; i < count; ++i) lanes[i] = p[i];
    return vld1q_s32(lanes);
  }
  static void store_partial(std::int32_t* p, Register v, std::size_t count) {
    std::int32_t lanes[kLanes];
    vst1q_s32(lanes, v);
    for (std::size_t i = 0; i < count; ++i) p[i] = lanes[i];
  }
  static constexpr int kTransposedRows = 1, kTransposedSteps = 1;
  static void transpose(const A* a, std::ptrdiff_t, std::int32_t* packed, std::ptrdiff_t) { *packed = a_word(a, 4); }
  static void accumulate_twelve(Register& c0, Register& c1, Register& c2, Register& c3, Register& c4, Register& c5,
                                Register& c6, Register& c7, Register& c8, Register& c9, Register& c10, Register& c11,
                                Register a, Register b) {
    if constexpr (kSigned) signed_twelve(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, a, b);
    else mixed_twelve(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, a, b);
  }

 private:
#define AIBENCH_SDOT(c) "sdot " c ".4s, %[a].16b, %[b].16b\n\t"
#define AIBENCH_USDOT(c) "usdot " c ".4s, %[a].16b, %[b].16b\n\t"
  AIBENCH_TWELVE(signed_twelve, AIBENCH_SDOT, "w")
  AIBENCH_TWELVE(mixed_twelve, AIBENCH_USDOT, "w")
#undef AIBENCH_SDOT
#undef AIBENCH_USDOT
};

}  // namespace
}  // namespace aibench
