// Reductions without vector code: the path that runs anywhere. It has no stores around the caches.
#include "collective/kernels/reduce_loops.h"

namespace aibench {
namespace {

template <typename N>
struct Scalar : N {
  using type = typename N::element;
  static constexpr std::size_t width = 1;
  static constexpr bool kStreams = false;
  static type load(const type* p) { return *p; }
  static void store(type* p, type v) { *p = v; }
  static type sum(type a, type b) { return N::sum1(a, b); }
  static type min(type a, type b) { return N::min1(a, b); }
  static type max(type a, type b) { return N::max1(a, b); }
};
using ScalarS32 = Scalar<Integers<std::int32_t, std::uint32_t>>;
using ScalarS8 = Scalar<Integers<std::int8_t, std::uint8_t>>;

}  // namespace

extern const Reduction kReductions_scalar[] = {
    AIBENCH_REDUCTION_ROWS("f64", Scalar<Numbers<double>>, "scalar", nullptr),
    AIBENCH_REDUCTION_ROWS("f32", Scalar<Numbers<float>>, "scalar", nullptr),
    AIBENCH_REDUCTION_ROWS("f16", Scalar<F16Numbers>, "scalar", nullptr),
    AIBENCH_REDUCTION_ROWS("bf16", Scalar<Bf16Numbers>, "scalar", nullptr),
    AIBENCH_REDUCTION_ROWS("s32", ScalarS32, "scalar", nullptr),
    AIBENCH_REDUCTION_ROWS("s8", ScalarS8, "scalar", nullptr),
    AIBENCH_REDUCTIONS_END};

}  // namespace aibench
