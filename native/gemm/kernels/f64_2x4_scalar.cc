// f64, 2 x 4, plain C++: the path that runs everywhere. A "vector" is one element.
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
  using Register = double;
  static constexpr int kLanes = 1;
  static Register zero() { return 0; }
  static void pin(Register& v) {
#if defined(__x86_64__)
    asm volatile("" : "+x"(v));
#elif defined(__aarch64__)
    asm volatile("" : "+w"(v));
#endif
  }
  static Register load(const double* p) { return *p; }
  static Register load_source(const double* p, std::ptrdiff_t) { return load(p); }
  static Element a_word(const double* p, std::size_t) { return *p; }
  static Element b_word(const double* p, std::ptrdiff_t, std::size_t) { return *p; }
  static Register broadcast(const double* p) { return *p; }
  static Register mul(Register a, Register b) { return a * b; }
  static Register fma(Register a, Register b, Register c) { return a * b + c; }
  static Register broadcast_in_order(const Element* p) { return broadcast(p); }
  static void accumulate(Register& c, Register a, Register b) { c += a * b; }
  static void store(double* p, Register v) { *p = v; }
  static Register load_partial(const double* p, std::size_t) { return *p; }
  static void store_partial(double* p, Register v, std::size_t) { *p = v; }
  static constexpr int kTransposedRows = 1, kTransposedSteps = 1;
  static void transpose(const double* a, std::ptrdiff_t, double* packed, std::ptrdiff_t) { *packed = *a; }
  AIBENCH_ACCUMULATE_TWELVE_PLAIN
};

}  // namespace

constexpr Microkernel<double> gemm_f64_2x4_scalar = make_microkernel<Vector, 2, 4>("f64_2x4_scalar", Isa::kScalar);

}  // namespace aibench
