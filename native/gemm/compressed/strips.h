// Weights in strips of sixteen columns, each of them contiguous for all of k: what int4 and 2:4 products have in common. A kernel is given rows
// of A and whole strips, and keeps the sums of a few of both in registers for all of k: C is written once.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "core/half.h"
#include "gemm/gemm_arguments.h"

namespace aibench {

constexpr std::size_t kStrip = 16;

// C[m x n] = A * B for all k and some columns, of which the last strip may have fewer.
template <typename T>
struct StripRows {
  std::size_t m, n;
  const char* a;  // as RowsOfA has them
  std::ptrdiff_t pitch;
  OutputOf<T>* c;
  std::ptrdiff_t ldc;
};

// Rows of A as a kernel wants them: elements of `bytes` bytes (those of T, else f32 or s16), zeros behind them up to `depth` elements.
template <typename T>
class RowsOfA {
 public:
  void take(const GemmArguments<T>& g, std::size_t first, std::size_t rows, std::size_t depth, std::size_t bytes) {
    // Rows that are a multiple of 4 KiB apart would fall on the same few sets of L1.
    pitch_ = depth * bytes / 64 * 64 + (depth * bytes % 4096 == 0 ? 128 : 64);
    room_.resize(rows * pitch_ + 64);
    for (std::size_t r = 0; r < rows; ++r) {
      char* to = data() + r * pitch_;
      copy(g.a + (first + r) * g.lda, g.k, bytes, to);
      std::memset(to + g.k * bytes, 0, (depth - g.k) * bytes);
    }
  }
  // Of int8 as it is: by 128 more, modulo 256.
  void flip_signs() {
    for (char& byte : room_) byte = static_cast<char>(byte ^ 0x80);
  }
  char* data() { return room_.data() + (64 - reinterpret_cast<std::uintptr_t>(room_.data()) % 64) % 64; }
  std::ptrdiff_t pitch() const { return static_cast<std::ptrdiff_t>(pitch_); }

 private:
  static void copy(const T* from, std::size_t k, std::size_t bytes, char* to) {
    if (bytes == sizeof(T)) {
      std::memcpy(to, from, k * sizeof(T));
      return;
    }
    if constexpr (std::is_same_v<T, Bf16>) {
      for (std::size_t l = 0; l < k; ++l) put(bf16_to_float(from[l].bits), to + l * sizeof(float));
    } else if constexpr (std::is_same_v<T, std::int8_t>) {
      for (std::size_t l = 0; l < k; ++l) put(static_cast<std::int16_t>(from[l]), to + l * sizeof(std::int16_t));
    }
  }
  template <typename W>
  static void put(W word, char* to) {
    std::memcpy(to, &word, sizeof word);
  }

  std::size_t pitch_ = 0;
  std::vector<char> room_;
};

}  // namespace aibench
