// The loops of a reduction over a vector type V that the including file defines (below: what it must have). Everything is
// in an unnamed namespace: code built for one ISA must not be merged with another's.
//
//   element, type, width      storage type, register type, elements per register
//   load, store               unaligned
//   stream2(p, a, b)          two registers around the caches, p aligned to 64 bytes (only where kStreams)
//   kStreams, fence           whether there are such stores, and what orders them
//   sum, min, max             on registers;  sum1, min1, max1 on elements
#pragma once
#include <cstddef>
#include <cstdint>

#include "collective/reduction.h"
#include "core/half.h"

namespace aibench {
namespace {

struct Sum {
  static constexpr const char* name = "sum";
  template <typename V> static typename V::type of(typename V::type a, typename V::type b) { return V::sum(a, b); }
  template <typename V> static typename V::element one(typename V::element a, typename V::element b) { return V::sum1(a, b); }
};
struct Min {
  static constexpr const char* name = "min";
  template <typename V> static typename V::type of(typename V::type a, typename V::type b) { return V::min(a, b); }
  template <typename V> static typename V::element one(typename V::element a, typename V::element b) { return V::min1(a, b); }
};
struct Max {
  static constexpr const char* name = "max";
  template <typename V> static typename V::type of(typename V::type a, typename V::type b) { return V::max(a, b); }
  template <typename V> static typename V::element one(typename V::element a, typename V::element b) { return V::max1(a, b); }
};

// Operations on one element, shared by the vector types of all ISAs.
template <typename T>
struct Numbers {
  using element = T;
  static T sum1(T a, T b) { return a + b; }
  static T min1(T a, T b) { return b < a ? b : a; }
  static T max1(T a, T b) { return a < b ? b : a; }
};
template <typename T, typename U>  // signed T that wraps: added as unsigned U
struct Integers : Numbers<T> {
  static T sum1(T a, T b) { return static_cast<T>(static_cast<U>(static_cast<U>(a) + static_cast<U>(b))); }
};
struct Bf16Numbers {
  using element = std::uint16_t;
  static element sum1(element a, element b) { return float_to_bf16(bf16_to_float(a) + bf16_to_float(b)); }
  static element min1(element a, element b) { return bf16_to_float(b) < bf16_to_float(a) ? b : a; }
  static element max1(element a, element b) { return bf16_to_float(a) < bf16_to_float(b) ? b : a; }
};
struct F16Numbers {
  using element = std::uint16_t;
  static element sum1(element a, element b) { return float_to_f16(f16_to_float(a) + f16_to_float(b)); }
  static element min1(element a, element b) { return f16_to_float(b) < f16_to_float(a) ? b : a; }
  static element max1(element a, element b) { return f16_to_float(a) < f16_to_float(b) ? b : a; }
};

template <typename V, typename Op>
void combine(void* out_bytes, const void* a_bytes, const void* b_bytes, std::size_t count) {
  constexpr std::size_t W = V::width;
  auto* out = static_cast<typename V::element*>(out_bytes);
  const auto* a = static_cast<const typename V::element*>(a_bytes);
  const auto* b = static_cast<const typename V::element*>(b_bytes);
  std::size_t i = 0;
  for (; i + 4 * W <= count; i += 4 * W) {
    const auto v0 = Op::template of<V>(V::load(a + i), V::load(b + i));
    const auto v1 = Op::template of<V>(V::load(a + i + W), V::load(b + i + W));
    const auto v2 = Op::template of<V>(V::load(a + i + 2 * W), V::load(b + i + 2 * W));
    const auto v3 = Op::template of<V>(V::load(a + i + 3 * W), V::load(b + i + 3 * W));
    V::store(out + i, v0);
    V::store(out + i + W, v1);
    V::store(out + i + 2 * W, v2);
    V::store(out + i + 3 * W, v3);
  }
  for (; i + W <= count; i += W) V::store(out + i, Op::template of<V>(V::load(a + i), V::load(b + i)));
  for (; i < count; ++i) out[i] = Op::template one<V>(a[i], b[i]);
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

// kInputs and kOutputs are the numbers of either when they are known at compile time, else 0.
template <typename V, typename Op, bool kStreaming, int kOutputs, int kInputs>
void reduce_range(void* const* outputs, int output_count, const void* const* inputs, int input_count, std::size_t begin,
                  std::size_t count) {
  using T = typename V::element;
  constexpr std::size_t W = V::width;
  const int in_n = kInputs > 0 ? kInputs : input_count;
  const int out_n = kOutputs > 0 ? kOutputs : output_count;
  std::size_t i = begin;
  const std::size_t end = begin + count;
  for (; i + 4 * W <= end; i += 4 * W) {
    const T* first = static_cast<const T*>(inputs[0]) + i;
    auto v0 = V::load(first), v1 = V::load(first + W), v2 = V::load(first + 2 * W), v3 = V::load(first + 3 * W);
    for (int r = 1; r < in_n; ++r) {
      const T* in = static_cast<const T*>(inputs[r]) + i;
      v0 = Op::template of<V>(v0, V::load(in));
      v1 = Op::template of<V>(v1, V::load(in + W));
      v2 = Op::template of<V>(v2, V::load(in + 2 * W));
      v3 = Op::template of<V>(v3, V::load(in + 3 * W));
    }
    for (int r = 0; r < out_n; ++r) put<V, kStreaming>(static_cast<T*>(outputs[r]) + i, v0, v1, v2, v3);
  }
  for (; i < end; ++i) {
    T value = static_cast<const T*>(inputs[0])[i];
    for (int r = 1; r < in_n; ++r) value = Op::template one<V>(value, static_cast<const T*>(inputs[r])[i]);
    for (int r = 0; r < out_n; ++r) static_cast<T*>(outputs[r])[i] = value;
  }
  if constexpr (kStreaming) V::fence();
}

template <typename V, typename Op, bool kStreaming>
void reduce(void* const* outputs, int output_count, const void* const* inputs, int input_count, std::size_t begin,
            std::size_t count) {
  if (input_count == 2 && output_count == 2) {
    reduce_range<V, Op, kStreaming, 2, 2>(outputs, output_count, inputs, input_count, begin, count);
  } else if (input_count == 2 && output_count == 1) {
    reduce_range<V, Op, kStreaming, 1, 2>(outputs, output_count, inputs, input_count, begin, count);
  } else {
    reduce_range<V, Op, kStreaming, 0, 0>(outputs, output_count, inputs, input_count, begin, count);
  }
}

}  // namespace
}  // namespace aibench

// The three rows of one dtype; `copy` is the ISA's copy around the caches or nullptr.
#define AIBENCH_REDUCTION_ROW(dtype, V, Op, isa, copy)                                                \
  {dtype, Op::name, isa, sizeof(V::element), combine<V, Op>, reduce<V, Op, false>,                    \
   V::kStreams ? reduce<V, Op, V::kStreams> : nullptr, copy}
#define AIBENCH_REDUCTION_ROWS(dtype, V, isa, copy)                                                   \
  AIBENCH_REDUCTION_ROW(dtype, V, Sum, isa, copy), AIBENCH_REDUCTION_ROW(dtype, V, Min, isa, copy),   \
      AIBENCH_REDUCTION_ROW(dtype, V, Max, isa, copy)
#define AIBENCH_REDUCTIONS_END {nullptr, nullptr, nullptr, 0, nullptr, nullptr, nullptr, nullptr}
