// STREAM with 128-bit NEON vectors; the stores around the caches are STNP, which is ordered like any other store.
#include <arm_neon.h>

#include "memory/kernels/stream_loops.h"

namespace aibench {
namespace {

struct Neon {
  using type = float64x2_t;
  static constexpr std::size_t width = 2;
  static type load(const double* p) { return vld1q_f64(p); }
  static type broadcast(double value) { return vdupq_n_f64(value); }
  static type mul(type a, type b) { return vmulq_f64(a, b); }
  static type add(type a, type b) { return vaddq_f64(a, b); }
  static type fma(type a, type b, type c) { return vfmaq_f64(c, a, b); }
  static void store2(double* p, type a, type b) {
    vst1q_f64(p, a);
    vst1q_f64(p + 2, b);
  }
  static void stream2(double* p, type a, type b) {
    asm volatile("stnp %q1, %q2, [%0]" : : "r"(p), "w"(a), "w"(b) : "memory");
  }
  static void fence() {}
};

}  // namespace

const StreamKernelSet kStreamKernels_neon = {
    "neon", AIBENCH_STREAM_LOOPS(Neon, false), AIBENCH_STREAM_LOOPS(Neon, true)};

}  // namespace aibench
