// int8 products with SVE's dot products for tile_body.h: a word is four int8; sdot for s8, udot for u8 times B + 128 (usdot came
// later, with i8mm), where packed A carries what has to be taken off again.
#pragma once
#include "gemm/kernels/sve_vector.h"

namespace aibench {
namespace {

template <typename A>
struct SveInt8Vector : SveVector<std::int32_t> {
  using Base = SveVector<std::int32_t>;
  using Source = A;
  using Weight = std::int8_t;
  using Register = Base::Register;
  static constexpr bool kSigned = static_cast<A>(-1) < static_cast<A>(1);
  static constexpr int kGroup = 4, kOffset = kSigned ? 0 : 128;
  static constexpr bool kInPlaceA = false;
  static Register load_source(const std::int8_t* p, std::ptrdiff_t ldb) {
    const svbool_t columns = svwhilelt_b8(0, kLanes);
    const auto row = [&](int i) { return svld1(columns, at(p, i * ldb)); };
    const svint16_t upper = svreinterpret_s16(svzip1(row(0), row(1))), lower = svreinterpret_s16(svzip1(row(2), row(3)));
    const svint32_t quads = svreinterpret_s32(svzip1(upper, lower));
    return kSigned ? quads : sveor_n_s32_x(svptrue_b8(), quads, static_cast<std::int32_t>(0x80808080u));
  }
  static std::int32_t a_word(const A* p, std::size_t count) { return grouped<4, A, std::int32_t>(p, 1, count); }
  static std::int32_t b_word(const std::int8_t* p, std::ptrdiff_t ldb, std::size_t count) {
    const auto word = grouped<4, std::int8_t, std::uint32_t>(p, ldb, count);
    return static_cast<std::int32_t>(kSigned ? word : word ^ 0x80808080u);
  }
  static void transpose(const A* a, std::ptrdiff_t, std::int32_t* packed, std::ptrdiff_t) { *packed = a_word(a, 4); }
  static void accumulate(Register& c, Register a, Register b) {
    if constexpr (kSigned) asm volatile("sdot %0.s, %1.b, %2.b" : "+w"(c) : "w"(a), "w"(b));
    else asm volatile("udot %0.s, %1.b, %2.b" : "+w"(c) : "w"(a), "w"(b));
  }
  static void accumulate_twelve(Register& c0, Register& c1, Register& c2, Register& c3, Register& c4, Register& c5,
                                Register& c6, Register& c7, Register& c8, Register& c9, Register& c10, Register& c11,
                                Register a, Register b) {
    if constexpr (kSigned) signed_twelve(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, a, b);
    else unsigned_twelve(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, a, b);
  }

 private:
#define AIBENCH_SDOT(c) "sdot " c ".s, %[a].b, %[b].b\n\t"
#define AIBENCH_UDOT(c) "udot " c ".s, %[a].b, %[b].b\n\t"
  AIBENCH_SVE_TWELVE(signed_twelve, AIBENCH_SDOT)
  AIBENCH_SVE_TWELVE(unsigned_twelve, AIBENCH_UDOT)
#undef AIBENCH_SDOT
#undef AIBENCH_UDOT
};

}  // namespace
}  // namespace aibench
