// bf16, 8 x 12, AdvSIMD bfmmla: 24 accumulators of 2 x 2, 6 vectors of B and 1 pair of rows of A in 31 of the 32 registers. A row
// alone is streamed with bfdot, whose word is a pair.
#include "gemm/kernels/block_body.h"
#include "gemm/kernels/f32_vector_neon.h"
#include "gemm/kernels/words.h"

namespace aibench {
namespace {

struct Vector : F32Vector {
  using Source = Bf16;
  using Weight = Bf16;
  static constexpr int kGroup = 2, kDepth = 4;
  static constexpr bool kInPlaceA = false;
  static uint16x4_t four(const Bf16* p, std::ptrdiff_t bytes) {
    return vld1_u16(reinterpret_cast<const std::uint16_t*>(reinterpret_cast<const char*>(p) + bytes));
  }
  static Register load_source(const Bf16* p, std::ptrdiff_t ldb) {
    const uint16x4x2_t pairs = vzip_u16(four(p, 0), four(p, ldb));
    return vreinterpretq_f32_u16(vcombine_u16(pairs.val[0], pairs.val[1]));
  }
  static float a_word(const Bf16* p, std::size_t count) { return grouped<2, Bf16, float>(p, 2, count); }
  static float b_word(const Bf16* p, std::ptrdiff_t ldb, std::size_t count) { return grouped<2, Bf16, float>(p, ldb, count); }
  static void accumulate(Register& c, Register a, Register b) {
    asm volatile("bfdot %0.4s, %1.8h, %2.8h" : "+w"(c) : "w"(a), "w"(b));
  }

  static std::uint64_t eight_bytes(const Bf16* p, std::size_t count) { return grouped<4, Bf16, std::uint64_t>(p, 2, count); }
  static std::uint64_t eight_bytes_of_b(const Bf16* p, std::ptrdiff_t ldb, std::size_t count) {
    return grouped<4, Bf16, std::uint64_t>(p, ldb, count);
  }
  static void columns_of_eight(const Bf16* p, std::ptrdiff_t ldb, Register* low, Register* high) {
    const uint32x4_t upper = vreinterpretq_u32_f32(load_source(p, ldb));  // rows 0 and 1 of each column
    const uint32x4_t lower = vreinterpretq_u32_f32(load_source(at(p, 2 * ldb), ldb));
    *low = vreinterpretq_f32_u32(vzip1q_u32(upper, lower));
    *high = vreinterpretq_f32_u32(vzip2q_u32(upper, lower));
  }
  static Register load_in_order(const float* p) {
    Register v;
    asm volatile("ldr %q0, %1" : "=w"(v) : "m"(*reinterpret_cast<const Register*>(p)));
    return v;
  }
  static Register load_half(const float* p) { return vcombine_f32(vld1_f32(p), vdup_n_f32(0)); }
  static Register upper_row(Register left, Register right) { return vcombine_f32(vget_low_f32(left), vget_low_f32(right)); }
  static Register lower_row(Register left, Register right) { return vcombine_f32(vget_high_f32(left), vget_high_f32(right)); }
  static void multiply_blocks(Register& c, Register a, Register b) {
    asm volatile("bfmmla %0.4s, %1.8h, %2.8h" : "+w"(c) : "w"(a), "w"(b));
  }
#define AIBENCH_BFMMLA(c) "bfmmla " c ".4s, %[a].8h, %[b].8h\n\t"
  AIBENCH_TWELVE(multiply_blocks_twelve, AIBENCH_BFMMLA, "w")
#undef AIBENCH_BFMMLA
};

}  // namespace

constexpr Microkernel<Bf16> gemm_bf16_8x12_neonbf16 = make_block_microkernel<Vector, 8, 3>("bf16_8x12_neonbf16", Isa::kNeonBf16);

}  // namespace aibench
