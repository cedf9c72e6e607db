// Vectors of sixteen s32 for tile_body.h: what the 512-bit int8 kernels have in common.
#pragma once
#include "gemm/kernels/tile_body.h"
#include "gemm/kernels/twelve.h"
#include "gemm/kernels/words.h"
#include "gemm/kernels/x86_words.h"

namespace aibench {
namespace {

struct S32Vector {
  using Element = std::int32_t;
  using Weight = std::int8_t;
  using Register = __m512i;
  static constexpr int kLanes = 16;
  static constexpr bool kInPlaceA = false;
  static Register zero() { return _mm512_setzero_si512(); }
  static Register load(const std::int32_t* p) { return _mm512_loadu_si512(p); }
  static Register broadcast(const std::int32_t* p) { return _mm512_set1_epi32(*p); }
  static Register join(__m256i low, __m256i high) { return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1); }
  static Register add(Register a, Register b) { return _mm512_add_epi32(a, b); }
  static Register mul(Register a, Register b) { return _mm512_mullo_epi32(a, b); }
  static Register fma(Register a, Register b, Register c) { return add(mul(a, b), c); }
  static void store(std::int32_t* p, Register v) { _mm512_storeu_si512(p, v); }
#ifdef AIBENCH_SIMDE  // has no masked load and store
  static void pin(Register&) {}
  static Register broadcast_in_order(const std::int32_t* p) { return broadcast(p); }
  static Register load_partial(const std::int32_t* p, std::size_t count) {
    std::int32_t lanes[kLanes] = {};
    for (std::size_t i = 0; i < count; ++i) lanes[i] = p[i];
    return load(lanes);
  }
  static void store_partial(std::int32_t* p, Register v, std::size_t count) {
    std::int32_t lanes[kLanes];
    store(lanes, v);
    for (std::size_t i = 0; i < count; ++i) p[i] = lanes[i];
  }
#else
  static void pin(Register& v) { asm volatile("" : "+v"(v)); }
  // Volatile asm keeps the order of the source: GCC otherwise hoists broadcasts, runs out of registers and spills.
  static Register broadcast_in_order(const std::int32_t* p) {
    Register v;
    asm volatile("vpbroadcastd %1, %0" : "=v"(v) : "m"(*p));
    return v;
  }
  static __mmask16 mask(std::size_t count) { return static_cast<__mmask16>((1u << count) - 1); }
  static Register load_partial(const std::int32_t* p, std::size_t count) { return _mm512_maskz_loadu_epi32(mask(count), p); }
  static void store_partial(std::int32_t* p, Register v, std::size_t count) { _mm512_mask_storeu_epi32(p, mask(count), v); }
#endif
  static constexpr int kTransposedRows = 4, kTransposedSteps = 4;
};

}  // namespace
}  // namespace aibench
