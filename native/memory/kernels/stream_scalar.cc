// STREAM without vector code: the path that runs anywhere. It has no stores around the caches.
#include "memory/kernels/stream_loops.h"

namespace aibench {
namespace {

struct Scalar {
  using type = double;
  static constexpr std::size_t width = 1;
  static type load(const double* p) { return *p; }
  static type broadcast(double value) { return value; }
  static type mul(type a, type b) { return a * b; }
  static type add(type a, type b) { return a + b; }
  static type fma(type a, type b, type c) { return a * b + c; }
  static void store2(double* p, type a, type b) {
    p[0] = a;
    p[1] = b;
  }
};

}  // namespace

const StreamKernelSet kStreamKernels_scalar = {
    "scalar", AIBENCH_STREAM_LOOPS(Scalar, false), {nullptr, nullptr, nullptr, nullptr}};

}  // namespace aibench
