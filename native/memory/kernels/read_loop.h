// The loop of the read kernels over a vector type V that the including file defines: Register, zero, add_line (64 bytes
// onto an accumulator), combine, fold. In an unnamed namespace: code built for one ISA must not be merged with another's.
#pragma once
#include "memory/read_kernels.h"

namespace aibench {
namespace {

template <typename V, bool kPrefetch>
std::uint64_t read_steps(const char* p0, std::ptrdiff_t apart, std::ptrdiff_t step, std::size_t steps, std::ptrdiff_t ahead) {
  typename V::Register c0 = V::zero(), c1 = V::zero(), c2 = V::zero(), c3 = V::zero();
  const char *p1 = p0 + apart, *p2 = p1 + apart, *p3 = p2 + apart;
  for (; steps != 0; --steps) {
    if constexpr (kPrefetch) {
      __builtin_prefetch(p0 + ahead);
      __builtin_prefetch(p1 + ahead);
      __builtin_prefetch(p2 + ahead);
      __builtin_prefetch(p3 + ahead);
    }
    c0 = V::add_line(c0, p0);
    c1 = V::add_line(c1, p1);
    c2 = V::add_line(c2, p2);
    c3 = V::add_line(c3, p3);
    p0 += step;
    p1 += step;
    p2 += step;
    p3 += step;
  }
  return V::fold(V::combine(V::combine(c0, c1), V::combine(c2, c3)));
}

template <typename V>
std::uint64_t read_lines(const char* begin, std::ptrdiff_t apart, std::ptrdiff_t step, std::size_t steps,
                         std::ptrdiff_t ahead) {
  return ahead > 0 ? read_steps<V, true>(begin, apart, step, steps, ahead)
                   : read_steps<V, false>(begin, apart, step, steps, 0);
}

}  // namespace
}  // namespace aibench
