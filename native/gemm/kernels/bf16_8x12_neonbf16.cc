// bf16, 8 x 12, AdvSIMD bfdot: a word is a pair. 24 accumulators, 3 vectors of B and 1 broadcast of A in 28 of the 32 registers.
#include "gemm/kernels/f32_vector_neon.h"
#include "gemm/kernels/words.h"

namespace aibench {
namespace {

struct Vector : F32Vector {
  using Source = Bf16;
  using Weight = Bf16;
  static constexpr int kGroup = 2;
  static constexpr bool kInPlaceA = false;
  static Register load_source(const Bf16* p, std::ptrdiff_t ldb) {
    const std::uint16_t* low = &p->bits;
    const std::uint16_t* high = reinterpret_cast<const std::uint16_t*>(reinterpret_cast<const char*>(p) + ldb);
    const uint16x4x2_t pairs = vzip_u16(vld1_u16(low), vld1_u16(high));
    return vreinterpretq_f32_u16(vcombine_u16(pairs.val[0], pairs.val[1]));
  }
  static float a_word(const Bf16* p, std::size_t count) { return grouped<2, Bf16, float>(p, 2, count); }
  static float b_word(const Bf16* p, std::ptrdiff_t ldb, std::size_t count) { return grouped<2, Bf16, float>(p, ldb, count); }
  static void transpose(const Bf16* a, std::ptrdiff_t, float* packed, std::ptrdiff_t) { *packed = a_word(a, 2); }
  static void accumulate(Register& c, Register a, Register b) {
    asm volatile("bfdot %0.4s, %1.8h, %2.8h" : "+w"(c) : "w"(a), "w"(b));
  }
#define AIBENCH_DOT(c) "bfdot " c ".4s, %[a].8h, %[b].8h\n\t"
  AIBENCH_ACCUMULATE_TWELVE(AIBENCH_DOT, "w")
#undef AIBENCH_DOT
};

}  // namespace

constexpr Microkernel<Bf16> gemm_bf16_8x12_neonbf16 = make_microkernel<Vector, 8, 3>("bf16_8x12_neonbf16", Isa::kNeonBf16);

}  // namespace aibench
