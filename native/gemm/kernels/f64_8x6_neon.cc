// f64, 8 x 6, AdvSIMD: 24 accumulators, 3 vectors of B and 1 broadcast of A in 28 of the 32 registers.
#include <arm_neon.h>

#include "gemm/kernels/tile_body.h"
#include "gemm/kernels/twelve.h"

namespace aibench {
namespace {

struct Vector {
  using Element = double;
  using Source = double;
  using Weight = double;
  static constexpr int kGroup = 1, kOffset = 0;
  static constexpr bool kInPlaceA = true;
  using Register = float64x2_t;
  static constexpr int kLanes = 2;
  static Register zero() { return vdupq_n_f64(0); }
  static void pin(Register& v) { asm volatile("" : "+w"(v)); }
  static Register load(const double* p) { return vld1q_f64(p); }
  static Register load_source(const double* p, std::ptrdiff_t) { return load(p); }
  static Element a_word(const double* p, std::size_t) { return *p; }
  static Element b_word(const double* p, std::ptrdiff_t, std::size_t) { return *p; }
  static Register broadcast(const double* p) { return vld1q_dup_f64(p); }
  static Register mul(Register a, Register b) { return vmulq_f64(a, b); }
  static Register fma(Register a, Register b, Register c) { return vfmaq_f64(c, a, b); }
  // Volatile asm keeps the order of the source: GCC otherwise hoists broadcasts, runs out of registers and spills.
  static Register broadcast_in_order(const Element* p) {
    Register v;
    asm volatile("ld1r {%0.2d}, %1" : "=w"(v) : "Q"(*p));
    return v;
  }
  static void accumulate(Register& c, Register a, Register b) {
    asm volatile("fmla %0.2d, %1.2d, %2.2d" : "+w"(c) : "w"(a), "w"(b));
  }
  static void store(double* p, Register v) { vst1q_f64(p, v); }
  static Register load_partial(const double* p, std::size_t count) {
    double lanes[kLanes] = {};
    for (std::size_t i = 0; i < count; ++i) lanes[i] = p[i];
    return vld1q_f64(lanes);
  }
  static void store_partial(double* p, Register v, std::size_t count) {
    double lanes[kLanes];
    vst1q_f64(lanes, v);
    for (std::size_t i = 0; i < count; ++i) p[i] = lanes[i];
  }
  static constexpr int kTransposedRows = 1, kTransposedSteps = 1;
  static void transpose(const double* a, std::ptrdiff_t, double* packed, std::ptrdiff_t) { *packed = *a; }
#define AIBENCH_FMLA(c) "fmla " c ".2d, %[a].2d, %[b].2d\n\t"
  AIBENCH_ACCUMULATE_TWELVE(AIBENCH_FMLA, "w")
#undef AIBENCH_FMLA
};

}  // namespace

constexpr Microkernel<double> gemm_f64_8x6_neon = make_microkernel<Vector, 8, 3>("f64_8x6_neon", Isa::kNeon);

}  // namespace aibench
