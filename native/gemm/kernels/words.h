// Words of packed operands made of single elements: the ends of rows and of k, where vectors do not reach. In an unnamed
// namespace: kernel files include it under ISA flags.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/half.h"
#include "gemm/dtypes.h"

namespace aibench {
namespace {

// What packing converts to f32: a word is one element.
[[maybe_unused]] inline float converted(Bf16 x) { return bf16_to_float(x.bits); }
[[maybe_unused]] inline float converted(F16 x) { return f16_to_float(x.bits); }

// `count` elements, `apart` bytes from each other, in the lowest places of a word of kGroup; zeros above. `Part` is what an
// element takes in the word: int8 widened to int16, say.
template <int kGroup, typename Part, typename Word, typename Element>
inline Word grouped(const Element* p, std::ptrdiff_t apart, std::size_t count) {
  static_assert(kGroup * sizeof(Part) == sizeof(Word));
  Part parts[kGroup] = {};
  for (std::size_t i = 0; i < count; ++i) {
    Element element;
    std::memcpy(&element, reinterpret_cast<const char*>(p) + static_cast<std::ptrdiff_t>(i) * apart, sizeof element);
    parts[i] = static_cast<Part>(element);
  }
  Word word;
  std::memcpy(&word, parts, sizeof word);
  return word;
}

}  // namespace
}  // namespace aibench
