// f32 sum with 128-bit NEON vectors; the stores around the caches are STNP, which is ordered like any other store.
#include <arm_neon.h>

#include "collective/kernels/reduce_loops.h"

namespace aibench {
namespace {

struct Neon {
  using element = float;
  using type = float32x4_t;
  static constexpr std::size_t width = 4;
  static type load(const float* p) { return vld1q_f32(p); }
  static void store(float* p, type v) { vst1q_f32(p, v); }
  static void stream2(float* p, type a, type b) {
    asm volatile("stnp %q1, %q2, [%0]" : : "r"(p), "w"(a), "w"(b) : "memory");
  }
  static void fence() {}
  static type combine(type a, type b) { return vaddq_f32(a, b); }
  static float combine_element(float a, float b) { return a + b; }
};

}  // namespace

const Reduction kReduction_f32_sum_neon = {
    "f32", "sum", "neon", sizeof(float), combine<Neon>, reduce_to_all<Neon, false>, reduce_to_all<Neon, true>};

}  // namespace aibench
