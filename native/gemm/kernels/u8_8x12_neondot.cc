// u8 x s8, 8x12, AdvSIMD udot, for CPUs without i8mm: B + 128 has no sign, and packed A carries what has to be taken off again.
// 24 accumulators, 3 vectors of B and 1 broadcast of A in 28 of the 32 registers.
#include "gemm/kernels/int8_vector_neondot.h"

namespace aibench {
namespace {

struct Vector : Int8Vector<std::uint8_t> {
  static constexpr int kOffset = 128;
  static Register load_source(const std::int8_t* p, std::ptrdiff_t ldb) {
    return veorq_s32(Int8Vector::load_source(p, ldb), vreinterpretq_s32_u8(vdupq_n_u8(128)));
  }
  static std::int32_t b_word(const std::int8_t* p, std::ptrdiff_t ldb, std::size_t count) {
    return static_cast<std::int32_t>(grouped<4, std::int8_t, std::uint32_t>(p, ldb, count) ^ 0x80808080u);
  }
  static void accumulate(Register& c, Register a, Register b) {
    asm volatile("udot %0.4s, %1.16b, %2.16b" : "+w"(c) : "w"(a), "w"(b));
  }
#define AIBENCH_UDOT(c) "udot " c ".4s, %[a].16b, %[b].16b\n\t"
  AIBENCH_ACCUMULATE_TWELVE(AIBENCH_UDOT, "w")
#undef AIBENCH_UDOT
};

}  // namespace

constexpr Microkernel<std::uint8_t> gemm_u8_8x12_neondot = make_microkernel<Vector, 8, 3>("u8_8x12_neondot", Isa::kNeonDot);

}  // namespace aibench
