// f32 sum without vector code: the path that runs anywhere. It has no stores around the caches.
#include "collective/kernels/reduce_loops.h"

namespace aibench {
namespace {

struct Scalar {
  using element = float;
  using type = float;
  static constexpr std::size_t width = 1;
  static type load(const float* p) { return *p; }
  static void store(float* p, type v) { *p = v; }
  static type combine(type a, type b) { return a + b; }
  static float combine_element(float a, float b) { return a + b; }
};

}  // namespace

const Reduction kReduction_f32_sum_scalar = {
    "f32", "sum", "scalar", sizeof(float), combine<Scalar>, reduce_to_all<Scalar, false>, nullptr};

}  // namespace aibench
