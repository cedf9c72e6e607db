// 2:4 weights times bf16 with AVX512_BF16: vpermw takes the two elements that each column kept as a pair, which vdpbf16ps multiplies.
#include "gemm/kernels/f32_vector_avx512f.h"
#include "gemm/kernels/sparse24_body.h"

namespace aibench {
namespace {

struct Vector : F32Vector {
  using Source = Bf16;
  using Places = __m512i;
  using Data = __m512i;
  using Picks = __m512i;
  using Values = __m512i;
  static constexpr std::size_t kMostRows = 8, kStepBytes = 8;
  static constexpr int vectors(int rows) { return rows <= 2 ? 4 : 2; }
  static Places load_places(const std::uint32_t* p) { return _mm512_loadu_si512(p); }
  static Places next(Places places) { return _mm512_srli_epi16(places, 2); }
  static Picks picks(Places places) { return _mm512_and_si512(places, _mm512_set1_epi16(3)); }
  static Data load_data(const char* a) { return _mm512_set1_epi64(*reinterpret_cast<const std::int64_t*>(a)); }
  static Values load_values(const std::uint32_t* p) { return _mm512_loadu_si512(p); }
  static void accumulate(Register& sum, Data data, Picks picks, Values values) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(_mm512_permutexvar_epi16(picks, data)), "v"(values));
  }
};

}  // namespace

const Sparse24Kernel<Bf16> kSparse24_bf16_avx512bf16 = {Isa::kAvx512Bf16, sparse24_rows<Vector>, 2, 0};

}  // namespace aibench
