// Reductions with 256-bit vectors. f16 needs F16C, which every CPU with AVX2 has.
#include <immintrin.h>

#include <cstring>

#include "collective/kernels/reduce_loops.h"

namespace aibench {
namespace {

struct Avx2 {
  static constexpr bool kStreams = true;
  static void fence() { _mm_sfence(); }
  static void stream(void* p, __m256i v) { _mm256_stream_si256(static_cast<__m256i*>(p), v); }
};

struct Avx2F64 : Numbers<double>, Avx2 {
  using type = __m256d;
  static constexpr std::size_t width = 4;
  static type load(const double* p) { return _mm256_loadu_pd(p); }
  static void store(double* p, type v) { _mm256_storeu_pd(p, v); }
  static void stream2(double* p, type a, type b) {
    _mm256_stream_pd(p, a);
    _mm256_stream_pd(p + 4, b);
  }
  static type sum(type a, type b) { return _mm256_add_pd(a, b); }
  static type min(type a, type b) { return _mm256_min_pd(b, a); }
  static type max(type a, type b) { return _mm256_max_pd(b, a); }
};

// Arithmetic in f32, for f32 itself and for the two 16-bit types.
struct Avx2Float : Avx2 {
  using type = __m256;
  static constexpr std::size_t width = 8;
  static type sum(type a, type b) { return _mm256_add_ps(a, b); }
  static type min(type a, type b) { return _mm256_min_ps(b, a); }
  static type max(type a, type b) { return _mm256_max_ps(b, a); }
};

struct Avx2F32 : Numbers<float>, Avx2Float {
  static type load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, type v) { _mm256_storeu_ps(p, v); }
  static void stream2(float* p, type a, type b) {
    _mm256_stream_ps(p, a);
    _mm256_stream_ps(p + 8, b);
  }
};

struct Avx2F16 : F16Numbers, Avx2Float {
  static __m128i narrow(type v) { return _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static type load(const element* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static void store(element* p, type v) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), narrow(v)); }
  static void stream2(element* p, type a, type b) { stream(p, _mm256_set_m128i(narrow(b), narrow(a))); }
};

struct Avx2Bf16 : Bf16Numbers, Avx2Float {
  // As float_to_bf16, eight at a time, in the upper halves of the 32-bit lanes moved down.
  static __m256i round(type v) {
    const __m256i bits = _mm256_castps_si256(v);
    const __m256i lsb = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i up = _mm256_add_epi32(bits, _mm256_add_epi32(lsb, _mm256_set1_epi32(0x7fff)));
    const __m256i nan = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    const __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    return _mm256_srli_epi32(_mm256_blendv_epi8(up, nan, is_nan), 16);
  }
  static __m256i pack(type a, type b) {
    return _mm256_permute4x64_epi64(_mm256_packus_epi32(round(a), round(b)), 0xd8);
  }
  static type load(const element* p) {
    const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
  }
  static void store(element* p, type v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(pack(v, v)));
  }
  static void stream2(element* p, type a, type b) { stream(p, pack(a, b)); }
};

struct Avx2Int : Avx2 {
  using type = __m256i;
  static type load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
  static void store(void* p, type v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }
  static void stream2(void* p, type a, type b) {
    stream(p, a);
    stream(static_cast<char*>(p) + 32, b);
  }
};

struct Avx2S32 : Integers<std::int32_t, std::uint32_t>, Avx2Int {
  static constexpr std::size_t width = 8;
  static type sum(type a, type b) { return _mm256_add_epi32(a, b); }
  static type min(type a, type b) { return _mm256_min_epi32(a, b); }
  static type max(type a, type b) { return _mm256_max_epi32(a, b); }
};

struct Avx2S8 : Integers<std::int8_t, std::uint8_t>, Avx2Int {
  static constexpr std::size_t width = 32;
  static type sum(type a, type b) { return _mm256_add_epi8(a, b); }
  static type min(type a, type b) { return _mm256_min_epi8(a, b); }
  static type max(type a, type b) { return _mm256_max_epi8(a, b); }
};

void copy_streaming(void* out_bytes, const void* in_bytes, std::size_t bytes) {
  auto* out = static_cast<char*>(out_bytes);
  const auto* in = static_cast<const char*>(in_bytes);
  std::size_t i = 0;
  for (; i + 128 <= bytes; i += 128) {
    const __m256i a = Avx2Int::load(in + i), b = Avx2Int::load(in + i + 32);
    const __m256i c = Avx2Int::load(in + i + 64), d = Avx2Int::load(in + i + 96);
    Avx2Int::stream2(out + i, a, b);
    Avx2Int::stream2(out + i + 64, c, d);
  }
  std::memcpy(out + i, in + i, bytes - i);
  Avx2::fence();
}

}  // namespace

extern const Reduction kReductions_avx2[] = {
    AIBENCH_REDUCTION_ROWS("f64", Avx2F64, "avx2", copy_streaming),
    AIBENCH_REDUCTION_ROWS("f32", Avx2F32, "avx2", copy_streaming),
    AIBENCH_REDUCTION_ROWS("f16", Avx2F16, "avx2", copy_streaming),
    AIBENCH_REDUCTION_ROWS("bf16", Avx2Bf16, "avx2", copy_streaming),
    AIBENCH_REDUCTION_ROWS("s32", Avx2S32, "avx2", copy_streaming),
    AIBENCH_REDUCTION_ROWS("s8", Avx2S8, "avx2", copy_streaming),
    AIBENCH_REDUCTIONS_END};

}  // namespace aibench
