// Reductions with 128-bit NEON vectors; the stores around the caches are STNP, which is ordered like any other store.
// f16 is converted by FCVTL/FCVTN of the base architecture, so that no FP16 arithmetic is needed.
#include <arm_neon.h>

#include <cstring>

#include "collective/kernels/reduce_loops.h"

namespace aibench {
namespace {

template <typename Q>
void stream_pair(void* p, Q a, Q b) {
  asm volatile("stnp %q1, %q2, [%0]" : : "r"(p), "w"(a), "w"(b) : "memory");
}

struct Neon {
  static constexpr bool kStreams = true;
  static void fence() {}
};

struct NeonF64 : Numbers<double>, Neon {
  using type = float64x2_t;
  static constexpr std::size_t width = 2;
  static type load(const double* p) { return vld1q_f64(p); }
  static void store(double* p, type v) { vst1q_f64(p, v); }
  static void stream2(double* p, type a, type b) { stream_pair(p, a, b); }
  static type sum(type a, type b) { return vaddq_f64(a, b); }
  static type min(type a, type b) { return vminq_f64(a, b); }
  static type max(type a, type b) { return vmaxq_f64(a, b); }
};

// Arithmetic in f32, for f32 itself and for the two 16-bit types.
struct NeonFloat : Neon {
  using type = float32x4_t;
  static constexpr std::size_t width = 4;
  static type sum(type a, type b) { return vaddq_f32(a, b); }
  static type min(type a, type b) { return vminq_f32(a, b); }
  static type max(type a, type b) { return vmaxq_f32(a, b); }
};

struct NeonF32 : Numbers<float>, NeonFloat {
  static type load(const float* p) { return vld1q_f32(p); }
  static void store(float* p, type v) { vst1q_f32(p, v); }
  static void stream2(float* p, type a, type b) { stream_pair(p, a, b); }
};

// Two registers of four 16-bit elements are one line of 16 bytes: too small a pair for STNP, so these stream as plain
// stores.
struct NeonF16 : F16Numbers, NeonFloat {
  static constexpr bool kStreams = false;
  static type load(const element* p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
  static void store(element* p, type v) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(v))); }
};

struct NeonBf16 : Bf16Numbers, NeonFloat {
  static constexpr bool kStreams = false;
  static type load(const element* p) { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16)); }
  static void store(element* p, type v) {  // as float_to_bf16, four at a time
    const uint32x4_t bits = vreinterpretq_u32_f32(v);
    const uint32x4_t lsb = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    const uint32x4_t up = vaddq_u32(bits, vaddq_u32(lsb, vdupq_n_u32(0x7fff)));
    const uint32x4_t nan = vorrq_u32(bits, vdupq_n_u32(0x400000));
    vst1_u16(p, vshrn_n_u32(vbslq_u32(vceqq_f32(v, v), up, nan), 16));
  }
};

struct NeonS32 : Integers<std::int32_t, std::uint32_t>, Neon {
  using type = int32x4_t;
  static constexpr std::size_t width = 4;
  static type load(const element* p) { return vld1q_s32(p); }
  static void store(element* p, type v) { vst1q_s32(p, v); }
  static void stream2(element* p, type a, type b) { stream_pair(p, a, b); }
  static type sum(type a, type b) { return vaddq_s32(a, b); }
  static type min(type a, type b) { return vminq_s32(a, b); }
  static type max(type a, type b) { return vmaxq_s32(a, b); }
};

struct NeonS8 : Integers<std::int8_t, std::uint8_t>, Neon {
  using type = int8x16_t;
  static constexpr std::size_t width = 16;
  static type load(const element* p) { return vld1q_s8(p); }
  static void store(element* p, type v) { vst1q_s8(p, v); }
  static void stream2(element* p, type a, type b) { stream_pair(p, a, b); }
  static type sum(type a, type b) { return vaddq_s8(a, b); }
  static type min(type a, type b) { return vminq_s8(a, b); }
  static type max(type a, type b) { return vmaxq_s8(a, b); }
};

void copy_streaming(void* out_bytes, const void* in_bytes, std::size_t bytes) {
  auto* out = static_cast<char*>(out_bytes);
  const auto* in = static_cast<const char*>(in_bytes);
  std::size_t i = 0;
  for (; i + 32 <= bytes; i += 32) {
    const auto* from = reinterpret_cast<const std::uint8_t*>(in + i);
    stream_pair(out + i, vld1q_u8(from), vld1q_u8(from + 16));
  }
  std::memcpy(out + i, in + i, bytes - i);
}

}  // namespace

extern const Reduction kReductions_neon[] = {
    AIBENCH_REDUCTION_ROWS("f64", NeonF64, "neon", copy_streaming),
    AIBENCH_REDUCTION_ROWS("f32", NeonF32, "neon", copy_streaming),
    AIBENCH_REDUCTION_ROWS("f16", NeonF16, "neon", copy_streaming),
    AIBENCH_REDUCTION_ROWS("bf16", NeonBf16, "neon", copy_streaming),
    AIBENCH_REDUCTION_ROWS("s32", NeonS32, "neon", copy_streaming),
    AIBENCH_REDUCTION_ROWS("s8", NeonS8, "neon", copy_streaming),
    AIBENCH_REDUCTIONS_END};

}  // namespace aibench
