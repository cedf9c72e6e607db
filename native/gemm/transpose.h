// A small block of a row-major matrix turned over, for operands that are stored transposed.
#pragma once
#include <cstddef>
#include <cstring>

namespace aibench {

namespace transpose_detail {

// to[j * ld_to + i] = from[i * ld_from + j] for 4 x 4 elements of 4 bytes, 2 x 2 of 8: two registers' worth of shuffles.
template <typename T>
inline void square(const T* from, std::size_t ld_from, T* to, std::size_t ld_to) {
#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
  if constexpr (sizeof(T) == 4) {
    typedef float Four __attribute__((vector_size(16)));
    Four r[4];
    for (int i = 0; i < 4; ++i) std::memcpy(&r[i], from + static_cast<std::size_t>(i) * ld_from, sizeof(Four));
    const Four low01 = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5), high01 = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
    const Four low23 = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5), high23 = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
    r[0] = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
    r[1] = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
    r[2] = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
    r[3] = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
    for (int i = 0; i < 4; ++i) std::memcpy(to + static_cast<std::size_t>(i) * ld_to, &r[i], sizeof(Four));
    return;
  } else if constexpr (sizeof(T) == 8) {
    typedef double Two __attribute__((vector_size(16)));
    for (std::size_t i = 0; i < 4; i += 2) {
      for (std::size_t j = 0; j < 4; j += 2) {
        Two r0, r1;
        std::memcpy(&r0, from + i * ld_from + j, sizeof r0);
        std::memcpy(&r1, from + (i + 1) * ld_from + j, sizeof r1);
        const Two low = __builtin_shufflevector(r0, r1, 0, 2), high = __builtin_shufflevector(r0, r1, 1, 3);
        std::memcpy(to + j * ld_to + i, &low, sizeof low);
        std::memcpy(to + (j + 1) * ld_to + i, &high, sizeof high);
      }
    }
    return;
  }
#endif
#endif
  for (std::size_t j = 0; j < 4; ++j) {
    for (std::size_t i = 0; i < 4; ++i) to[j * ld_to + i] = from[i * ld_from + j];
  }
}

}  // namespace transpose_detail

// to[columns x rows] = the transpose of from[rows x columns], both row-major. In pieces of 4 x 4, down the rows of `to` first, so
// that the lines of `from` that a piece touches are used up while they are in L1.
template <typename T>
void transpose(std::size_t rows, std::size_t columns, const T* from, std::size_t ld_from, T* to, std::size_t ld_to) {
  const std::size_t whole_rows = rows / 4 * 4;
  constexpr std::size_t kLine = 64 / sizeof(T) > 4 ? 64 / sizeof(T) : 4;
  for (std::size_t begin = 0; begin < columns; begin += kLine) {
    const std::size_t end = begin + kLine < columns ? begin + kLine : columns;
    for (std::size_t i = 0; i < whole_rows; i += 4) {
      std::size_t j = begin;
      for (; j + 4 <= end; j += 4) transpose_detail::square(from + i * ld_from + j, ld_from, to + j * ld_to + i, ld_to);
      for (; j < end; ++j) {
        for (std::size_t r = i; r < i + 4; ++r) to[j * ld_to + r] = from[r * ld_from + j];
      }
    }
    for (std::size_t i = whole_rows; i < rows; ++i) {
      for (std::size_t j = begin; j < end; ++j) to[j * ld_to + i] = from[i * ld_from + j];
    }
  }
}

}  // namespace aibench
