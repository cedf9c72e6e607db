// Reductions with 512-bit vectors.
#ifdef AIBENCH_SIMDE  // a correctness build for CPUs without AVX-512, see native/test
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>
#else
#include <immintrin.h>
#endif

#include <cstring>

#include "collective/kernels/reduce_loops.h"

namespace aibench {
namespace {

struct Avx512 {
  static constexpr bool kStreams = true;
  static void fence() { _mm_sfence(); }
  static void stream(void* p, __m512i v) {
#ifdef AIBENCH_SIMDE  // has no such stores
    std::memcpy(p, &v, sizeof v);
#else
    _mm512_stream_si512(static_cast<__m512i*>(p), v);
#endif
  }
};

struct Avx512F64 : Numbers<double>, Avx512 {
  using type = __m512d;
  static constexpr std::size_t width = 8;
  static type load(const double* p) { return _mm512_loadu_pd(p); }
  static void store(double* p, type v) { _mm512_storeu_pd(p, v); }
  static void stream2(double* p, type a, type b) {
    stream(p, _mm512_castpd_si512(a));
    stream(p + 8, _mm512_castpd_si512(b));
  }
  static type sum(type a, type b) { return _mm512_add_pd(a, b); }
  static type min(type a, type b) { return _mm512_min_pd(b, a); }
  static type max(type a, type b) { return _mm512_max_pd(b, a); }
};

// Arithmetic in f32, for f32 itself and for the two 16-bit types.
struct Avx512Float : Avx512 {
  using type = __m512;
  static constexpr std::size_t width = 16;
  static type sum(type a, type b) { return _mm512_add_ps(a, b); }
  static type min(type a, type b) { return _mm512_min_ps(b, a); }
  static type max(type a, type b) { return _mm512_max_ps(b, a); }
  static void stream_halves(void* p, __m256i a, __m256i b) {
    stream(p, _mm512_inserti64x4(_mm512_castsi256_si512(a), b, 1));
  }
};

struct Avx512F32 : Numbers<float>, Avx512Float {
  static type load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, type v) { _mm512_storeu_ps(p, v); }
  static void stream2(float* p, type a, type b) {
    stream(p, _mm512_castps_si512(a));
    stream(p + 16, _mm512_castps_si512(b));
  }
};

struct Avx512F16 : F16Numbers, Avx512Float {
  static __m256i narrow(type v) {
    constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
#ifdef AIBENCH_SIMDE  // has no such conversion
    float values[16];
    _mm512_storeu_ps(values, v);
    return _mm256_set_m128i(_mm256_cvtps_ph(_mm256_loadu_ps(values + 8), kNearest),
                            _mm256_cvtps_ph(_mm256_loadu_ps(values), kNearest));
#else
    return _mm512_cvtps_ph(v, kNearest);
#endif
  }
  static type load(const element* p) {
#ifdef AIBENCH_SIMDE
    float values[16];
    _mm256_storeu_ps(values, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
    _mm256_storeu_ps(values + 8, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 8))));
    return _mm512_loadu_ps(values);
#else
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
#endif
  }
  static void store(element* p, type v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), narrow(v)); }
  static void stream2(element* p, type a, type b) { stream_halves(p, narrow(a), narrow(b)); }
};

struct Avx512Bf16 : Bf16Numbers, Avx512Float {
  static __m256i narrow(type v) {  // as float_to_bf16, sixteen at a time
    const __m512i bits = _mm512_castps_si512(v);
    const __m512i lsb = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i up = _mm512_add_epi32(bits, _mm512_add_epi32(lsb, _mm512_set1_epi32(0x7fff)));
    const __m512i nan = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
    const __mmask16 is_nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    const __m512i rounded = _mm512_srli_epi32(_mm512_mask_blend_epi32(is_nan, up, nan), 16);
#ifdef AIBENCH_SIMDE
    std::uint32_t wide[16];
    std::uint16_t halves[16];
    std::memcpy(wide, &rounded, sizeof wide);
    for (int i = 0; i < 16; ++i) halves[i] = static_cast<std::uint16_t>(wide[i]);
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(halves));
#else
    return _mm512_cvtepi32_epi16(rounded);
#endif
  }
  static type load(const element* p) {
#ifdef AIBENCH_SIMDE
    std::uint32_t bits[16];
    for (int i = 0; i < 16; ++i) bits[i] = std::uint32_t{p[i]} << 16;
    return _mm512_loadu_ps(bits);
#else
    const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
#endif
  }
  static void store(element* p, type v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), narrow(v)); }
  static void stream2(element* p, type a, type b) { stream_halves(p, narrow(a), narrow(b)); }
};

struct Avx512Int : Avx512 {
  using type = __m512i;
  static type load(const void* p) { return _mm512_loadu_si512(p); }
  static void store(void* p, type v) { _mm512_storeu_si512(p, v); }
  static void stream2(void* p, type a, type b) {
    stream(p, a);
    stream(static_cast<__m512i*>(p) + 1, b);
  }
};

struct Avx512S32 : Integers<std::int32_t, std::uint32_t>, Avx512Int {
  static constexpr std::size_t width = 16;
  static type sum(type a, type b) { return _mm512_add_epi32(a, b); }
  static type min(type a, type b) { return _mm512_min_epi32(a, b); }
  static type max(type a, type b) { return _mm512_max_epi32(a, b); }
};

struct Avx512S8 : Integers<std::int8_t, std::uint8_t>, Avx512Int {
  static constexpr std::size_t width = 64;
  static type sum(type a, type b) { return _mm512_add_epi8(a, b); }
  static type min(type a, type b) { return _mm512_min_epi8(a, b); }
  static type max(type a, type b) { return _mm512_max_epi8(a, b); }
};

void copy_streaming(void* out_bytes, const void* in_bytes, std::size_t bytes) {
  auto* out = static_cast<char*>(out_bytes);
  const auto* in = static_cast<const char*>(in_bytes);
  std::size_t i = 0;
  for (; i + 128 <= bytes; i += 128) Avx512Int::stream2(out + i, Avx512Int::load(in + i), Avx512Int::load(in + i + 64));
  std::memcpy(out + i, in + i, bytes - i);
  Avx512::fence();
}

}  // namespace

extern const Reduction kReductions_avx512f[] = {
    AIBENCH_REDUCTION_ROWS("f64", Avx512F64, "avx512f", copy_streaming),
    AIBENCH_REDUCTION_ROWS("f32", Avx512F32, "avx512f", copy_streaming),
    AIBENCH_REDUCTION_ROWS("f16", Avx512F16, "avx512f", copy_streaming),
    AIBENCH_REDUCTION_ROWS("bf16", Avx512Bf16, "avx512f", copy_streaming),
    AIBENCH_REDUCTION_ROWS("s32", Avx512S32, "avx512f", copy_streaming),
    AIBENCH_REDUCTION_ROWS("s8", Avx512S8, "avx512f", copy_streaming),
    AIBENCH_REDUCTIONS_END};

}  // namespace aibench
