// The loops of the STREAM kernels over a vector type V that the including file defines: width, load, broadcast, mul,
// add, fma, and stores of two neighbouring vectors, cached (store2) and around the caches (stream2, fence).
// Everything is in an unnamed namespace: code built for one ISA must not be merged with another's.
#pragma once
#include <cstddef>

#include "memory/stream_kernels.h"

namespace aibench {
namespace {

template <typename V, StreamKernelIndex K>
inline typename V::type stream_value(const double* x, const double* y, typename V::type scalar) {
  if constexpr (K == kStreamCopy) return V::load(x);
  if constexpr (K == kStreamScale) return V::mul(scalar, V::load(x));
  if constexpr (K == kStreamAdd) return V::add(V::load(x), V::load(y));
  if constexpr (K == kStreamTriad) return V::fma(scalar, V::load(y), V::load(x));
}

template <StreamKernelIndex K>
inline double stream_element(const double* x, const double* y, double scalar) {
  if constexpr (K == kStreamCopy) return *x;
  if constexpr (K == kStreamScale) return scalar * *x;
  if constexpr (K == kStreamAdd) return *x + *y;
  if constexpr (K == kStreamTriad) return *x + scalar * *y;
}

template <typename V, StreamKernelIndex K, bool kStreaming>
void stream_loop(double* out, const double* x, const double* y, double scalar, std::size_t count) {
  constexpr std::size_t W = V::width;
  const typename V::type s = V::broadcast(scalar);
  std::size_t i = 0;
  for (; i + 4 * W <= count; i += 4 * W) {
    const auto v0 = stream_value<V, K>(x + i, y + i, s);
    const auto v1 = stream_value<V, K>(x + i + W, y + i + W, s);
    const auto v2 = stream_value<V, K>(x + i + 2 * W, y + i + 2 * W, s);
    const auto v3 = stream_value<V, K>(x + i + 3 * W, y + i + 3 * W, s);
    if constexpr (kStreaming) {
      V::stream2(out + i, v0, v1);
      V::stream2(out + i + 2 * W, v2, v3);
    } else {
      V::store2(out + i, v0, v1);
      V::store2(out + i + 2 * W, v2, v3);
    }
  }
  for (; i < count; ++i) out[i] = stream_element<K>(x + i, y + i, scalar);
  if constexpr (kStreaming) V::fence();
}

}  // namespace
}  // namespace aibench

#define AIBENCH_STREAM_LOOPS(V, streaming)                                                   \
  {                                                                                          \
    stream_loop<V, kStreamCopy, streaming>, stream_loop<V, kStreamScale, streaming>,         \
        stream_loop<V, kStreamAdd, streaming>, stream_loop<V, kStreamTriad, streaming>       \
  }
