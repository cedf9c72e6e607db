// f32 vectors of scalar for tile_body.h; the kernels of dtypes that packing converts to f32 derive theirs from it.
#pragma once
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
  using Register = float;
  static constexpr int kLanes = 1;
  static Register zero() { return 0; }
  static void pin(Register& v) {
#if defined(__x86_64__)
    asm volatile("" : "+x"(v));
#elif defined(__aarch64__)
    asm volatile("" : "+w"(v));
#endif
  }
  static Register load(const float* p) { return *p; }
  static Register load_source(const float* p, std::ptrdiff_t) { return load(p); }
  static Element a_word(const float* p, std::size_t) { return *p; }
  static Element b_word(const float* p, std::ptrdiff_t, std::size_t) { return *p; }
  static Register broadcast(const float* p) { return *p; }
  static Register mul(Register a, Register b) { return a * b; }
  static Register fma(Register a, Register b, Register c) { return a * b + c; }
  static Register broadcast_in_order(const Element* p) { return broadcast(p); }
  static void accumulate(Register& c, Register a, Register b) { c += a * b; }
  static void store(float* p, Register v) { *p = v; }
  static Register load_partial(const float* p, std::size_t) { return *p; }
  static void store_partial(float* p, Register v, std::size_t) { *p = v; }
  static constexpr int kTransposedRows = 1, kTransposedSteps = 1;
  static void transpose(const float* a, std::ptrdiff_t, float* packed, std::ptrdiff_t) { *packed = *a; }
  AIBENCH_ACCUMULATE_TWELVE_PLAIN
};

}  // namespace
}  // namespace aibench
