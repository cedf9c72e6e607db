// f16, 2x4, plain C++: packing converts to f32, which the f32 kernel then multiplies.
#include "gemm/kernels/f32_vector_scalar.h"
#include "gemm/kernels/words.h"

namespace aibench {
namespace {

struct Vector : F32Vector {
  using Source = F16;
  using Weight = F16;
  static constexpr bool kInPlaceA = false;
  static Register load_source(const F16* p, std::ptrdiff_t) { return converted(*p); }
  static float a_word(const F16* p, std::size_t) { return converted(*p); }
  static float b_word(const F16* p, std::ptrdiff_t, std::size_t) { return converted(*p); }
  static void transpose(const F16* a, std::ptrdiff_t, float* packed, std::ptrdiff_t) { *packed = converted(*a); }
};

}  // namespace

constexpr Microkernel<F16> gemm_f16_2x4_scalar = make_microkernel<Vector, 2, 4>("f16_2x4_scalar", Isa::kScalar);

}  // namespace aibench
