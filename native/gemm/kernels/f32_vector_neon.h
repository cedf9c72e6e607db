// f32 vectors of neon for tile_body.h; the kernels of dtypes that packing converts to f32 derive theirs from it.
#pragma once
#include <arm_neon.h>

#include "gemm/kernels/tile_body.h"
#include "gemm/kernels/twelve.h"

namespace aibench {
namespace {

struct F32Vector {
  using Element = float;
  using Source = float;
  using Weight = float;
  static constexpr int kGroup = 1, kOffset = 0;
  static constexpr bool kInPlaceA = true;
  using Register = float32x4_t;
  static constexpr int kLanes = 4;
  static Register zero() { return vdupq_n_f32(0); }
  static void pin(Register& v) { asm volatile("" : "+w"(v)); }
  static Register load(const float* p) { return vld1q_f32(p); }
  static Register load_source(const float* p, std::ptrdiff_t) { return load(p); }
  static Element a_word(const float* p, std::size_t) { return *p; }
  static Element b_word(const float* p, std::ptrdiff_t, std::size_t) { return *p; }
  static Register broadcast(const float* p) { return vld1q_dup_f32(p); }
  static Register mul(Register a, Register b) { return vmulq_f32(a, b); }
  static Register fma(Register a, Register b, Register c) { return vfmaq_f32(c, a, b); }
  // Volatile asm keeps the order of the source: GCC otherwise hoists broadcasts, runs out of registers and spills.
  static Register broadcast_in_order(const Element* p) {
    Register v;
    asm volatile("ld1r {%0.4s}, %1" : "=w"(v) : "Q"(*p));
    return v;
  }
  static void accumulate(Register& c, Register a, Register b) {
    asm volatile("fmla %0.4s, %1.4s, %2.4s" : "+w"(c) : "w"(a), "w"(b));
  }
  static void store(float* p, Register v) { vst1q_f32(p, v); }
  static Register load_partial(const float* p, std::size_t count) {
    float lanes[kLanes] = {};
    for (std::size_t i = 0; i < count; ++i) lanes[i] = p[i];
    return vld1q_f32(lanes);
  }
  static void store_partial(float* p, Register v, std::size_t count) {
    float lanes[kLanes];
    vst1q_f32(lanes, v);
    for (std::size_t i = 0; i < count; ++i) p[i] = lanes[i];
  }
  static constexpr int kTransposedRows = 1, kTransposedSteps = 1;
  static void transpose(const float* a, std::ptrdiff_t, float* packed, std::ptrdiff_t) { *packed = *a; }
#define AIBENCH_FMLA(c) "fmla " c ".4s, %[a].4s, %[b].4s\n\t"
  AIBENCH_ACCUMULATE_TWELVE(AIBENCH_FMLA, "w")
#undef AIBENCH_FMLA
};

}  // namespace
}  // namespace aibench
