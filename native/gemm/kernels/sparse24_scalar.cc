// 2:4 weights in plain C++.
#include "gemm/compressed/sparse24_kernels.h"

namespace aibench {
namespace {

// Sums of s32 wrap around, as in the dense kernels.
float multiplied(float sum, float a, float b) { return sum + a * b; }
float multiplied(float sum, Bf16 a, Bf16 b) { return sum + bf16_to_float(a.bits) * bf16_to_float(b.bits); }
std::int32_t multiplied(std::int32_t sum, std::int8_t a, std::int8_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(sum) + static_cast<std::uint32_t>(a * b));
}

template <typename T>
void rows(const Sparse24Rows<T>& t) {
  for (std::size_t r = 0; r < t.m; ++r) {
    const T* a = reinterpret_cast<const T*>(t.a + static_cast<std::ptrdiff_t>(r) * t.pitch);
    for (std::size_t j = 0; j < t.n; ++j) {
      const std::uint32_t* block = t.strips + j / kStrip * t.blocks * kSparse24BlockWords<T>;
      const std::size_t column = j % kStrip;
      OutputOf<T> sum{0};
      for (std::size_t b = 0; b < t.blocks; ++b, block += kSparse24BlockWords<T>) {
        const T* values = reinterpret_cast<const T*>(block + kStrip);
        for (std::size_t g = 0; g < kSparse24Groups; ++g) {
          for (std::size_t i = 0; i < 2; ++i) {
            const std::size_t place = block[column] >> sparse24_place<T>(g, i) & 3u;
            sum = multiplied(sum, a[b * kSparse24Depth + 4 * g + place], values[sparse24_value<T>(g, i, column)]);
          }
        }
      }
      t.c[static_cast<std::ptrdiff_t>(r) * t.ldc + static_cast<std::ptrdiff_t>(j)] = sum;
    }
  }
}

}  // namespace

const Sparse24Kernel<float> kSparse24_f32_scalar = {Isa::kScalar, rows<float>, 4, 0};
const Sparse24Kernel<Bf16> kSparse24_bf16_scalar = {Isa::kScalar, rows<Bf16>, 2, 0};
const Sparse24Kernel<std::int8_t> kSparse24_s8_scalar = {Isa::kScalar, rows<std::int8_t>, 1, 0};

}  // namespace aibench
