// int8 products with smmla and usmmla (i8mm) for block_body.h; a row alone is streamed with sdot and usdot.
#pragma once
#include "gemm/kernels/block_body.h"
#include "gemm/kernels/int8_vector_neondot.h"

namespace aibench {
namespace {

template <typename A>
struct Int8Blocks : Int8Vector<A> {
  using Register = int32x4_t;
  static constexpr int kDepth = 8;
  static std::uint64_t eight_bytes(const A* p, std::size_t count) { return grouped<8, A, std::uint64_t>(p, 1, count); }
  static std::uint64_t eight_bytes_of_b(const std::int8_t* p, std::ptrdiff_t ldb, std::size_t count) {
    return grouped<8, std::int8_t, std::uint64_t>(p, ldb, count);
  }
  static void columns_of_eight(const std::int8_t* p, std::ptrdiff_t ldb, Register* low, Register* high) {
    const Register upper = Int8Vector<A>::load_source(p, ldb);  // rows 0 to 3 of each column
    const Register lower = Int8Vector<A>::load_source(p + 4 * ldb, ldb);
    *low = vzip1q_s32(upper, lower);
    *high = vzip2q_s32(upper, lower);
  }
  static Register load_in_order(const std::int32_t* p) {
    Register v;
    asm volatile("ldr %q0, %1" : "=w"(v) : "m"(*reinterpret_cast<const Register*>(p)));
    return v;
  }
  static Register load_half(const std::int32_t* p) { return vcombine_s32(vld1_s32(p), vdup_n_s32(0)); }
  static Register upper_row(Register left, Register right) { return vcombine_s32(vget_low_s32(left), vget_low_s32(right)); }
  static Register lower_row(Register left, Register right) { return vcombine_s32(vget_high_s32(left), vget_high_s32(right)); }
  static void multiply_blocks(Register& c, Register a, Register b) {
    if constexpr (Int8Vector<A>::kSigned) asm volatile("smmla %0.4s, %1.16b, %2.16b" : "+w"(c) : "w"(a), "w"(b));
    else asm volatile("usmmla %0.4s, %1.16b, %2.16b" : "+w"(c) : "w"(a), "w"(b));
  }
  static void multiply_blocks_twelve(Register& c0, Register& c1, Register& c2, Register& c3, Register& c4, Register& c5,
                                     Register& c6, Register& c7, Register& c8, Register& c9, Register& c10, Register& c11,
                                     Register a, Register b) {
    if constexpr (Int8Vector<A>::kSigned) signed_blocks(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, a, b);
    else mixed_blocks(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, a, b);
  }

 private:
#define AIBENCH_SMMLA(c) "smmla " c ".4s, %[a].16b, %[b].16b\n\t"
#define AIBENCH_USMMLA(c) "usmmla " c ".4s, %[a].16b, %[b].16b\n\t"
  AIBENCH_TWELVE(signed_blocks, AIBENCH_SMMLA, "w")
  AIBENCH_TWELVE(mixed_blocks, AIBENCH_USMMLA, "w")
#undef AIBENCH_SMMLA
#undef AIBENCH_USMMLA
};

}  // namespace
}  // namespace aibench
