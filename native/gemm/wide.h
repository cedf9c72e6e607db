// Elements of every dtype as f64, which holds each of them exactly.
#pragma once
#include "core/half.h"
#include "gemm/dtypes.h"

namespace aibench {

template <typename T>
double to_double(T x) {
  return static_cast<double>(x);
}
inline double to_double(Bf16 x) { return bf16_to_float(x.bits); }
inline double to_double(F16 x) { return f16_to_float(x.bits); }

// A small whole number in T.
template <typename T>
T small_whole(int x) {
  return static_cast<T>(x);
}
template <>
inline Bf16 small_whole<Bf16>(int x) {
  return {float_to_bf16(static_cast<float>(x))};
}
template <>
inline F16 small_whole<F16>(int x) {
  return {float_to_f16(static_cast<float>(x))};
}

}  // namespace aibench
