// The loops of a reduction over a vector type V that the including file defines: element, type, width, load, store,
// combine, combine_element, and stores around the caches (stream, fence). Everything is in an unnamed namespace: code
// built for one ISA must not be merged with another's.
#pragma once
#include <cstddef>

#include "collective/reduction.h"

namespace aibench {
namespace {

template <typename V>
void combine(void* out_bytes, const void* a_bytes, const void* b_bytes, std::size_t count) {
  constexpr std::size_t W = V::width;
  auto* out = static_cast<typename V::element*>(out_bytes);
  const auto* a = static_cast<const typename V::element*>(a_bytes);
  const auto* b = static_cast<const typename V::element*>(b_bytes);
  std::size_t i = 0;
  for (; i + 4 * W <= count; i += 4 * W) {
    const auto v0 = V::combine(V::load(a + i), V::load(b + i));
    const auto v1 = V::combine(V::load(a + i + W), V::load(b + i + W));
    const auto v2 = V::combine(V::load(a + i + 2 * W), V::load(b + i + 2 * W));
    const auto v3 = V::combine(V::load(a + i + 3 * W), V::load(b + i + 3 * W));
    V::store(out + i, v0);
    V::store(out + i + W, v1);
    V::store(out + i + 2 * W, v2);
    V::store(out + i + 3 * W, v3);
  }
  for (; i + W <= count; i += W) V::store(out + i, V::combine(V::load(a + i), V::load(b + i)));
  for (; i < count; ++i) out[i] = V::combine_element(a[i], b[i]);
}

template <typename V, bool kStreaming>
void put(typename V::element* out, typename V::type v0, typename V::type v1, typename V::type v2,
         typename V::type v3) {
  constexpr std::size_t W = V::width;
  if constexpr (kStreaming) {
    V::stream2(out, v0, v1);
    V::stream2(out + 2 * W, v2, v3);
  } else {
    V::store(out, v0);
    V::store(out + W, v1);
    V::store(out + 2 * W, v2);
    V::store(out + 3 * W, v3);
  }
}

// kRanks is the number of ranks when it is known at compile time, else 0.
template <typename V, bool kStreaming, int kRanks>
void reduce_ranks(void* const* outputs, const void* const* inputs, int ranks, std::size_t begin, std::size_t count) {
  using T = typename V::element;
  constexpr std::size_t W = V::width;
  const int n = kRanks > 0 ? kRanks : ranks;
  std::size_t i = begin;
  const std::size_t end = begin + count;
  for (; i + 4 * W <= end; i += 4 * W) {
    const T* first = static_cast<const T*>(inputs[0]) + i;
    auto v0 = V::load(first), v1 = V::load(first + W), v2 = V::load(first + 2 * W), v3 = V::load(first + 3 * W);
    for (int rank = 1; rank < n; ++rank) {
      const T* in = static_cast<const T*>(inputs[rank]) + i;
      v0 = V::combine(v0, V::load(in));
      v1 = V::combine(v1, V::load(in + W));
      v2 = V::combine(v2, V::load(in + 2 * W));
      v3 = V::combine(v3, V::load(in + 3 * W));
    }
    for (int rank = 0; rank < n; ++rank) put<V, kStreaming>(static_cast<T*>(outputs[rank]) + i, v0, v1, v2, v3);
  }
  for (; i < end; ++i) {
    T value = static_cast<const T*>(inputs[0])[i];
    for (int rank = 1; rank < n; ++rank) value = V::combine_element(value, static_cast<const T*>(inputs[rank])[i]);
    for (int rank = 0; rank < n; ++rank) static_cast<T*>(outputs[rank])[i] = value;
  }
  if constexpr (kStreaming) V::fence();
}

template <typename V, bool kStreaming>
void reduce_to_all(void* const* outputs, const void* const* inputs, int ranks, std::size_t begin, std::size_t count) {
  if (ranks == 2) {
    reduce_ranks<V, kStreaming, 2>(outputs, inputs, ranks, begin, count);
  } else {
    reduce_ranks<V, kStreaming, 0>(outputs, inputs, ranks, begin, count);
  }
}

}  // namespace
}  // namespace aibench
