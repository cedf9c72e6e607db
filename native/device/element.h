// Elements of operands that live on a device, as the host sees them: bits in memory, read and written as double.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "core/half.h"

namespace aibench {

enum class Element { kF64, kF32, kF16, kBf16 };

inline bool parse_element(const std::string& name, Element* element) {
  if (name == "f64") *element = Element::kF64;
  else if (name == "f32") *element = Element::kF32;
  else if (name == "f16") *element = Element::kF16;
  else if (name == "bf16") *element = Element::kBf16;
  else return false;
  return true;
}

inline std::size_t element_bytes(Element element) {
  return element == Element::kF64 ? 8 : element == Element::kF32 ? 4 : 2;
}

// Unit round-off: half the distance from 1 to the next number.
inline double element_unit(Element element) {
  switch (element) {
    case Element::kF64: return 0x1p-53;
    case Element::kF32: return 0x1p-24;
    case Element::kF16: return 0x1p-11;
    default: return 0x1p-8;
  }
}

inline double load_element(Element element, const void* data, std::size_t index) {
  const auto* bytes = static_cast<const unsigned char*>(data) + index * element_bytes(element);
  if (element == Element::kF64) {
    double value;
    std::memcpy(&value, bytes, sizeof value);
    return value;
  }
  if (element == Element::kF32) {
    float value;
    std::memcpy(&value, bytes, sizeof value);
    return value;
  }
  std::uint16_t bits;
  std::memcpy(&bits, bytes, sizeof bits);
  return element == Element::kF16 ? f16_to_float(bits) : bf16_to_float(bits);
}

// Rounds to nearest even; f16 and bf16 by way of f32.
inline void store_element(Element element, void* data, std::size_t index, double value) {
  auto* bytes = static_cast<unsigned char*>(data) + index * element_bytes(element);
  if (element == Element::kF64) {
    std::memcpy(bytes, &value, sizeof value);
    return;
  }
  const auto single = static_cast<float>(value);
  if (element == Element::kF32) {
    std::memcpy(bytes, &single, sizeof single);
    return;
  }
  const std::uint16_t bits = element == Element::kF16 ? float_to_f16(single) : float_to_bf16(single);
  std::memcpy(bytes, &bits, sizeof bits);
}

}  // namespace aibench
