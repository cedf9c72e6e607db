// bf16, 8x12, AdvSIMD: packing converts to f32, which the f32 kernel then multiplies.
#include "gemm/kernels/f32_vector_neon.h"
#include "gemm/kernels/words.h"

namespace aibench {
namespace {

struct Vector : F32Vector {
  using Source = Bf16;
  using Weight = Bf16;
  static constexpr bool kInPlaceA = false;
  static Register load_source(const Bf16* p, std::ptrdiff_t) { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(&p->bits), 16)); }
  static float a_word(const Bf16* p, std::size_t) { return converted(*p); }
  static float b_word(const Bf16* p, std::ptrdiff_t, std::size_t) { return converted(*p); }
  static void transpose(const Bf16* a, std::ptrdiff_t, float* packed, std::ptrdiff_t) { *packed = converted(*a); }
};

}  // namespace

constexpr Microkernel<Bf16> gemm_bf16_8x12_neon = make_microkernel<Vector, 8, 3>("bf16_8x12_neon", Isa::kNeon);

}  // namespace aibench
