// int8 products in plain C++ for tile_body.h: a word is one element widened to int32.
#pragma once
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
  using Register = std::int32_t;
  static constexpr int kGroup = 1, kOffset = 0, kLanes = 1;
  static constexpr bool kInPlaceA = false;
  // C wraps around like that of every other path; signed overflow would be undefined.
  static std::int32_t wrapped(std::uint32_t x) { return static_cast<std::int32_t>(x); }
  static std::uint32_t bits(std::int32_t x) { return static_cast<std::uint32_t>(x); }
  static Register zero() { return 0; }
  static void pin(Register& v) { asm volatile("" : "+r"(v)); }
  static Register load(const std::int32_t* p) { return *p; }
  static Register load_source(const std::int8_t* p, std::ptrdiff_t) { return *p; }
  static std::int32_t a_word(const A* p, std::size_t) { return *p; }
  static std::int32_t b_word(const std::int8_t* p, std::ptrdiff_t, std::size_t) { return *p; }
  static Register broadcast(const std::int32_t* p) { return *p; }
  static Register broadcast_in_order(const std::int32_t* p) { return *p; }
  static Register mul(Register a, Register b) { return wrapped(bits(a) * bits(b)); }
  static Register fma(Register a, Register b, Register c) { return wrapped(bits(a) * bits(b) + bits(c)); }
  static void accumulate(Register& c, Register a, Register b) { c = fma(a, b, c); }
  static void store(std::int32_t* p, Register v) { *p = v; }
  static Register load_partial(const std::int32_t* p, std::size_t) { return *p; }
  static void store_partial(std::int32_t* p, Register v, std::size_t) { *p = v; }
  static constexpr int kTransposedRows = 1, kTransposedSteps = 1;
  static void transpose(const A* a, std::ptrdiff_t, std::int32_t* packed, std::ptrdiff_t) { *packed = *a; }
  AIBENCH_ACCUMULATE_TWELVE_PLAIN
};

}  // namespace
}  // namespace aibench
