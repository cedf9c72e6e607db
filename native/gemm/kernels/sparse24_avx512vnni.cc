// 2:4 weights times int8 with VNNI: eight elements of A stand in every lane of eight bytes, vpshufb takes the four that each column kept as a
// quad. A + 128 is the operand without a sign that vpdpbusd wants.
#include <immintrin.h>

#include "gemm/kernels/s32_vector_512.h"
#include "gemm/kernels/sparse24_body.h"

namespace aibench {
namespace {

struct Vector : S32Vector {
  using Source = std::int8_t;
  using Places = __m512i;
  using Data = __m512i;
  using Picks = __m512i;
  using Values = __m512i;
  static constexpr std::size_t kMostRows = 8, kStepBytes = 8;
  static constexpr int vectors(int rows) { return rows <= 2 ? 4 : 2; }
  static Register add_offsets(Register v, const std::int32_t* p) { return add(v, load(p)); }
  static Places load_places(const std::uint32_t* p) { return _mm512_loadu_si512(p); }
  static Places next(Places places) { return _mm512_srli_epi32(places, 2); }
  // The lower two bytes are of the first four elements, the upper two of the second.
  static Picks picks(Places places) {
    return _mm512_or_si512(_mm512_and_si512(places, _mm512_set1_epi8(3)), _mm512_set1_epi32(0x04040000));
  }
  static Data load_data(const char* a) { return _mm512_set1_epi64(*reinterpret_cast<const std::int64_t*>(a)); }
  static Values load_values(const std::uint32_t* p) { return _mm512_loadu_si512(p); }
  static void accumulate(Register& sum, Data data, Picks picks, Values values) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(_mm512_shuffle_epi8(data, picks)), "v"(values));
  }
};

}  // namespace

const Sparse24Kernel<std::int8_t> kSparse24_s8_avx512vnni = {Isa::kAvx512Vnni, sparse24_rows<Vector>, 1, 128};

}  // namespace aibench
