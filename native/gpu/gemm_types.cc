#include "gpu/gemm_types.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "core/half.h"

namespace aibench::gpu {
namespace {

constexpr GemmType kTypes[] = {
    {"f64", kR64F, kR64F, kR64F, Sum::kF64, 0x1p-53, 0, Scaling::kNone, false, 1},
    {"f32", kR32F, kR32F, kR32F, Sum::kF32, 0x1p-24, 0, Scaling::kNone, false, 1},
    {"tf32", kR32F, kR32F, kR32F, Sum::kTf32, 0x1p-24, 0, Scaling::kNone, false, 1},
    {"f16", kR16F, kR16F, kR16F, Sum::kF32, 0x1p-24, 0x1p-11, Scaling::kNone, false, 1},
    {"bf16", kR16BF, kR16BF, kR16BF, Sum::kF32, 0x1p-24, 0x1p-8, Scaling::kNone, false, 1},
    {"f8e4m3", kR8F_E4M3, kR8F_E4M3, kR16BF, Sum::kF32, 0x1p-14, 0x1p-8, Scaling::kTensor, true, 16},
    // No library multiplies e5m2 by e5m2: as in training, the gradient (A) is e5m2 and what it meets is e4m3.
    {"f8e5m2", kR8F_E5M2, kR8F_E4M3, kR16BF, Sum::kF32, 0x1p-14, 0x1p-8, Scaling::kTensor, true, 16},
    {"s8", kR8I, kR8I, kR32I, Sum::kS32, 0, 0, Scaling::kNone, true, 4},
    // OCP's microscaling formats and NVIDIA's. A row of 32 elements is 16 bytes of fp4, the least that a leading dimension is aligned to.
    {"mxfp8", kR8F_E4M3, kR8F_E4M3, kR16BF, Sum::kF32, 0x1p-14, 0x1p-8, Scaling::kVec32, true, 32},
    {"mxfp4", kR4F_E2M1, kR4F_E2M1, kR16BF, Sum::kF32, 0x1p-14, 0x1p-8, Scaling::kVec32, true, 32},
    {"nvfp4", kR4F_E2M1, kR4F_E2M1, kR16BF, Sum::kF32, 0x1p-14, 0x1p-8, Scaling::kVec16, true, 32},
};

// Eight-bit floats: OCP's (no infinity in e4m3) and FNUZ (gfx942: no negative zero, no infinity, bias one higher). OCP's four-bit float has
// numbers only: its eight values are the first of a table that ends there.
struct SmallFloat {
  int exponent_bits, fraction_bits;
  bool fnuz;
};
constexpr int kFourBitCodes = 8;

bool small_float_of(int type, SmallFloat* format) {
  switch (type) {
    case kR8F_E4M3: *format = {4, 3, false}; return true;
    case kR8F_E5M2: *format = {5, 2, false}; return true;
    case kR8F_E4M3_FNUZ: *format = {4, 3, true}; return true;
    case kR8F_E5M2_FNUZ: *format = {5, 2, true}; return true;
    case kR4F_E2M1: *format = {2, 1, false}; return true;
    default: return false;
  }
}

// The value of each of the 256 codes.
std::array<float, 256> values_of(const SmallFloat& f) {
  std::array<float, 256> values{};
  const int bias = (1 << (f.exponent_bits - 1)) - (f.fnuz ? 0 : 1);
  const bool has_four_bits = f.exponent_bits == 2;
  for (int code = 0; code < 256; ++code) {
    const int exponent = (code & 0x7f) >> f.fraction_bits, fraction = code & ((1 << f.fraction_bits) - 1);
    const bool all_ones = exponent == (1 << f.exponent_bits) - 1;
    double value = exponent == 0 ? std::ldexp(fraction, 1 - bias - f.fraction_bits)
                                 : std::ldexp((1 << f.fraction_bits) + fraction, exponent - bias - f.fraction_bits);
    const bool is_special = has_four_bits ? (code & 0x7f) >= kFourBitCodes : f.fnuz ? code == 0x80 : (f.exponent_bits == 5 ? all_ones : (code & 0x7f) == 0x7f);
    if (is_special) value = std::numeric_limits<double>::quiet_NaN();
    values[static_cast<std::size_t>(code)] = static_cast<float>(code & 0x80 ? -value : value);
  }
  return values;
}

const std::array<float, 256>& small_values(int type) {
  static const std::array<float, 256> e4m3 = values_of({4, 3, false}), e5m2 = values_of({5, 2, false}),
                                      e4m3_fnuz = values_of({4, 3, true}), e5m2_fnuz = values_of({5, 2, true}), e2m1 = values_of({2, 1, false});
  if (type == kR4F_E2M1) return e2m1;
  return type == kR8F_E4M3 ? e4m3 : type == kR8F_E5M2 ? e5m2 : type == kR8F_E4M3_FNUZ ? e4m3_fnuz : e5m2_fnuz;
}

// Positive codes rise with their values; the highest finite one ends the range. The sign is in the eighth bit for fp4 too.
std::uint8_t to_small(int type, float x) {
  const std::array<float, 256>& values = small_values(type);
  int last = 127;
  while (!std::isfinite(values[static_cast<std::size_t>(last)])) --last;
  const float magnitude = std::min(std::abs(x), values[static_cast<std::size_t>(last)]);
  const auto above = static_cast<int>(std::lower_bound(values.begin(), values.begin() + last + 1, magnitude) - values.begin());
  int code = above;
  if (above > 0) {
    const float low = values[static_cast<std::size_t>(above - 1)], high = values[static_cast<std::size_t>(above)];
    const float middle = low + (high - low) / 2;
    if (magnitude < middle || (magnitude == middle && (above - 1) % 2 == 0)) code = above - 1;
  }
  const bool negative = std::signbit(x) && (code != 0 || type < kR8F_E4M3_FNUZ);
  return static_cast<std::uint8_t>(negative ? code | 0x80 : code);
}

void pack_pairs(int type, const float* numbers, std::uint8_t* encoded, std::size_t n) {
  const auto four_bits = [type](float x) {
    const std::uint8_t code = to_small(type, x);
    return static_cast<std::uint8_t>((code & 7) | (code & 0x80) >> 4);
  };
  for (std::size_t i = 0; i + 1 < n; i += 2) encoded[i / 2] = static_cast<std::uint8_t>(four_bits(numbers[i]) | four_bits(numbers[i + 1]) << 4);
}

template <typename T, typename F>
void each(const void* in, void* out, std::size_t n, F convert) {
  const auto* from = static_cast<const T*>(in);
  auto* to = static_cast<decltype(convert(T{}))*>(out);
  for (std::size_t i = 0; i < n; ++i) to[i] = convert(from[i]);
}

// Dense flops per clock and multiprocessor. NVIDIA: tuning guides and architecture papers of Volta to Blackwell; for one of
// them 1830 MHz * 132 * 4096 = 989 TFLOP/s, the H100's bf16. AMD: CDNA 2, 3 and 4 papers; CDNA 4 has no tf32 units, hipBLASLt
// makes it of bf16 there.
struct UnitRate {
  int major, minor;
  int f64, f32, tf32, half, f8, s8, f4;
};
constexpr UnitRate kCudaRates[] = {{7, 0, 64, 128, 0, 1024, 0, 0, 0},      {7, 5, 4, 128, 0, 1024, 0, 2048, 0},
                                   {8, 0, 128, 128, 1024, 2048, 0, 4096, 0}, {8, 6, 4, 256, 512, 1024, 0, 2048, 0},
                                   {8, 9, 4, 256, 512, 1024, 2048, 2048, 0}, {9, 0, 256, 256, 2048, 4096, 8192, 8192, 0},
                                   {10, 0, 128, 256, 4096, 8192, 16384, 16384, 32768}};
constexpr UnitRate kRocmRates[] = {{9, 0, 256, 256, 0, 1024, 0, 1024, 0}, {9, 4, 256, 256, 1024, 2048, 4096, 4096, 0}, {9, 5, 256, 256, 0, 4096, 8192, 8192, 0}};

int rate_of(const UnitRate& r, const std::string& dtype) {
  if (dtype == "f64") return r.f64;
  if (dtype == "f32") return r.f32;
  if (dtype == "tf32") return r.tf32;
  if (dtype == "f16" || dtype == "bf16") return r.half;
  if (dtype == "mxfp4" || dtype == "nvfp4") return r.f4;
  return dtype == "s8" ? r.s8 : r.f8;
}

}  // namespace

const GemmType* find_gemm_type(const std::string& name) {
  for (const GemmType& row : kTypes) {
    if (name == row.name) return &row;
  }
  return nullptr;
}

std::string gemm_type_names() {
  std::string names;
  for (const GemmType& row : kTypes) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

int data_type_on(Vendor vendor, int major, int minor, int type) {
  if (vendor != Vendor::kRocm || major != 9 || minor != 4) return type;
  return type == kR8F_E4M3 ? kR8F_E4M3_FNUZ : type == kR8F_E5M2 ? kR8F_E5M2_FNUZ : type;
}

std::size_t element_bytes(int type) {
  switch (type) {
    case kR64F: return 8;
    case kR32F:
    case kR32I: return 4;
    case kR16F:
    case kR16BF: return 2;
    default: return 1;
  }
}

std::size_t encoded_bytes(int type, std::size_t n) { return type == kR4F_E2M1 ? n / 2 : n * element_bytes(type); }

void encode(int type, const void* numbers, void* encoded, std::size_t n) {
  switch (type) {
    case kR4F_E2M1: pack_pairs(type, static_cast<const float*>(numbers), static_cast<std::uint8_t*>(encoded), n); break;
    case kR64F: std::memcpy(encoded, numbers, 8 * n); break;
    case kR32F: std::memcpy(encoded, numbers, 4 * n); break;
    case kR16F: each<float>(numbers, encoded, n, [](float x) { return float_to_f16(x); }); break;
    case kR16BF: each<float>(numbers, encoded, n, [](float x) { return float_to_bf16(x); }); break;
    case kR8I: each<float>(numbers, encoded, n, [](float x) { return static_cast<std::int8_t>(x); }); break;
    case kR32I: each<float>(numbers, encoded, n, [](float x) { return static_cast<std::int32_t>(x); }); break;
    default: each<float>(numbers, encoded, n, [type](float x) { return to_small(type, x); });
  }
}

void decode(int type, const void* encoded, double* numbers, std::size_t n) {
  switch (type) {
    case kR64F: std::memcpy(numbers, encoded, 8 * n); break;
    case kR32F: each<float>(encoded, numbers, n, [](float x) { return static_cast<double>(x); }); break;
    case kR16F: each<std::uint16_t>(encoded, numbers, n, [](std::uint16_t x) { return static_cast<double>(f16_to_float(x)); }); break;
    case kR16BF: each<std::uint16_t>(encoded, numbers, n, [](std::uint16_t x) { return static_cast<double>(bf16_to_float(x)); }); break;
    case kR8I: each<std::int8_t>(encoded, numbers, n, [](std::int8_t x) { return static_cast<double>(x); }); break;
    case kR32I: each<std::int32_t>(encoded, numbers, n, [](std::int32_t x) { return static_cast<double>(x); }); break;
    default: {
      const std::array<float, 256>& values = small_values(type);
      each<std::uint8_t>(encoded, numbers, n, [&values](std::uint8_t x) { return static_cast<double>(values[x]); });
    }
  }
}

float round_to(const GemmType& row, int type, float x) {
  switch (type) {
    case kR16F: return f16_to_float(float_to_f16(x));
    case kR16BF: return bf16_to_float(float_to_bf16(x));
    case kR8I: return std::nearbyint(x * 127);  // whole numbers from -127 to 127
    case kR32F:
      // Ten bits of fraction: whatever the hardware does with the lower ones, they are zero.
      return row.sum == Sum::kTf32 ? float_from_bits(bits_from_float(x) & 0xffffe000u) : x;
    default: {
      SmallFloat format{};
      return small_float_of(type, &format) ? small_values(type)[to_small(type, x)] : x;
    }
  }
}

double rate_bound(Vendor vendor, int major, int minor, const std::string& dtype, int multiprocessors, double clock_hz) {
  const auto search = [&](const auto& rows) -> double {
    for (const UnitRate& row : rows) {
      if (row.major == major && row.minor == minor) return rate_of(row, dtype);
    }
    return 0;
  };
  const double rate = vendor == Vendor::kCuda ? search(kCudaRates) : search(kRocmRates);
  // Boards for workstations and games run above the clock that they report.
  const double headroom = vendor == Vendor::kCuda && minor != 0 ? 1.25 : 1;
  return rate * multiprocessors * clock_hz * headroom;
}

}  // namespace aibench::gpu
