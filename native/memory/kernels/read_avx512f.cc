// Reading with 512-bit vectors.
#include <immintrin.h>

#include "memory/kernels/read_loop.h"

namespace aibench {
namespace {

struct Avx512 {
  using Register = __m512i;
  static Register zero() { return _mm512_setzero_si512(); }
  static Register add_line(Register c, const char* p) { return _mm512_xor_si512(c, _mm512_load_si512(p)); }
  static Register combine(Register a, Register b) { return _mm512_xor_si512(a, b); }
  static std::uint64_t fold(Register c) {
    alignas(64) std::uint64_t words[8];
    _mm512_store_si512(words, c);
    return words[0] ^ words[1] ^ words[2] ^ words[3] ^ words[4] ^ words[5] ^ words[6] ^ words[7];
  }
};

}  // namespace

const ReadKernelRow kReadKernel_avx512f = {"avx512f", read_lines<Avx512>};

}  // namespace aibench
