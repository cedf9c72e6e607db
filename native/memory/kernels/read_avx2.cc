// Reading with 256-bit vectors.
#include <immintrin.h>

#include "memory/kernels/read_loop.h"

namespace aibench {
namespace {

struct Avx2 {
  using Register = __m256i;
  static Register zero() { return _mm256_setzero_si256(); }
  static Register add_line(Register c, const char* p) {
    const auto* vector = reinterpret_cast<const __m256i*>(p);
    return _mm256_xor_si256(_mm256_xor_si256(c, _mm256_load_si256(vector)), _mm256_load_si256(vector + 1));
  }
  static Register combine(Register a, Register b) { return _mm256_xor_si256(a, b); }
  static std::uint64_t fold(Register c) {
    alignas(32) std::uint64_t words[4];
    _mm256_store_si256(reinterpret_cast<__m256i*>(words), c);
    return words[0] ^ words[1] ^ words[2] ^ words[3];
  }
};

}  // namespace

const ReadKernelRow kReadKernel_avx2 = {"avx2", read_lines<Avx2>};

}  // namespace aibench
