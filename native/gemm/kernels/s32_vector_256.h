// Vectors of eight s32 for tile_body.h: what the 256-bit int8 kernels have in common.
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
  using Register = __m256i;
  static constexpr int kLanes = 8;
  static constexpr bool kInPlaceA = false;
  static Register zero() { return _mm256_setzero_si256(); }
  static void pin(Register& v) { asm volatile("" : "+x"(v)); }
  static Register load(const std::int32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static Register broadcast(const std::int32_t* p) { return _mm256_set1_epi32(*p); }
  // Volatile asm keeps the order of the source: GCC otherwise hoists broadcasts, runs out of registers and spills.
  static Register broadcast_in_order(const std::int32_t* p) {
    Register v;
    asm volatile("vpbroadcastd %1, %0" : "=x"(v) : "m"(*p));
    return v;
  }
  static Register add(Register a, Register b) { return _mm256_add_epi32(a, b); }
  static Register mul(Register a, Register b) { return _mm256_mullo_epi32(a, b); }
  static Register fma(Register a, Register b, Register c) { return add(mul(a, b), c); }
  static void store(std::int32_t* p, Register v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
  static __m256i mask(std::size_t count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static Register load_partial(const std::int32_t* p, std::size_t count) { return _mm256_maskload_epi32(p, mask(count)); }
  static void store_partial(std::int32_t* p, Register v, std::size_t count) { _mm256_maskstore_epi32(p, mask(count), v); }
  static constexpr int kTransposedRows = 4, kTransposedSteps = 4;
};

}  // namespace
}  // namespace aibench
