// The dtypes of a product by the type of A's elements: what B, C, alpha and beta are then.
#pragma once
#include <cstdint>

namespace aibench {

struct Bf16 {
  std::uint16_t bits;
};
struct F16 {
  std::uint16_t bits;
};

template <typename A>
struct ProductTypes {  // float, double
  using B = A;
  using C = A;
};
template <>
struct ProductTypes<Bf16> {
  using B = Bf16;
  using C = float;
};
template <>
struct ProductTypes<F16> {
  using B = F16;
  using C = float;
};
template <>
struct ProductTypes<std::int8_t> {
  using B = std::int8_t;
  using C = std::int32_t;
};
// As quantised networks have it: activations without a sign times weights with one.
template <>
struct ProductTypes<std::uint8_t> {
  using B = std::int8_t;
  using C = std::int32_t;
};

template <typename A>
using WeightOf = typename ProductTypes<A>::B;
template <typename A>
using OutputOf = typename ProductTypes<A>::C;

}  // namespace aibench
