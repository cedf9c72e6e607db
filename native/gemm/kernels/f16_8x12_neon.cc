// f16, 8x12, AdvSIMD: packing converts to f32, which the f32 kernel then multiplies.
#include "gemm/kernels/f32_vector_neon.h"
#include "gemm/kernels/words.h"

namespace aibench {
namespace {

struct Vector : F32Vector {
  using Source = F16;
  using Weight = F16;
  static constexpr bool kInPlaceA = false;
  static Register load_source(const F16* p, std::ptrdiff_t) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(&p->bits))); }
  static float a_word(const F16* p, std::size_t) { return converted(*p); }
  static float b_word(const F16* p, std::ptrdiff_t, std::size_t) { return converted(*p); }
  static void transpose(const F16* a, std::ptrdiff_t, float* packed, std::ptrdiff_t) { *packed = converted(*a); }
};

}  // namespace

constexpr Microkernel<F16> gemm_f16_8x12_neon = make_microkernel<Vector, 8, 3>("f16_8x12_neon", Isa::kNeon);

}  // namespace aibench
