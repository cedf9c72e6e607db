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
  // Sixteen bytes of each of four rows, `ldb` bytes apart, one row behind the other.
  static Register four_rows(const std::int8_t* p, std::ptrdiff_t ldb) {
    Register rows = _mm512_castsi128_si512(_mm_loadu_si128(at128(p, 0)));
    rows = _mm512_inserti32x4(rows, _mm_loadu_si128(at128(p, ldb)), 1);
    rows = _mm512_inserti32x4(rows, _mm_loadu_si128(at128(p, 2 * ldb)), 2);
    return _mm512_inserti32x4(rows, _mm_loadu_si128(at128(p, 3 * ldb)), 3);
  }
  // From there to sixteen quads of a column each: four bytes at a time across the rows, then byte by byte within them.
  static Register quads_of(Register rows) {
    const Register turned = _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), rows);
    const __m128i bytes = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return _mm512_shuffle_epi8(turned, _mm512_broadcast_i32x4(bytes));
  }
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
