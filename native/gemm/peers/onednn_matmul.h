// oneDNN's matmul primitive, whose C interface differs between versions 2 and 3: the way to its bf16 and int8 kernels.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/dynamic_library.h"
#include "gemm/dtypes.h"

namespace aibench {

// dnnl_data_type_t.
enum class OnednnType : int { kBf16 = 2, kF32 = 3, kS32 = 4, kS8 = 5, kU8 = 6 };
template <typename T>
struct OnednnTypeOf;
template <>
struct OnednnTypeOf<Bf16> {
  static constexpr OnednnType value = OnednnType::kBf16;
};
template <>
struct OnednnTypeOf<float> {
  static constexpr OnednnType value = OnednnType::kF32;
};
template <>
struct OnednnTypeOf<std::int32_t> {
  static constexpr OnednnType value = OnednnType::kS32;
};
template <>
struct OnednnTypeOf<std::int8_t> {
  static constexpr OnednnType value = OnednnType::kS8;
};
template <>
struct OnednnTypeOf<std::uint8_t> {
  static constexpr OnednnType value = OnednnType::kU8;
};

// C[m x n] = A[m x k] * B[k x n], row-major and without gaps.
struct OnednnProduct {
  OnednnType a, b, c;
  std::int64_t m, n, k;
  bool operator==(const OnednnProduct&) const = default;
};

class OnednnMatmul {
 public:
  // `library` has to outlive this object; `major` is its version. ready() is false where a call is missing.
  OnednnMatmul(const DynamicLibrary& library, int major);
  ~OnednnMatmul();
  bool ready() const;

  // Whether this CPU has an implementation; `name` receives what oneDNN calls it.
  bool implements(const OnednnProduct& product, std::string* name);
  // Makes the primitive, unless the last one was for the same, and multiplies. B as it lies, or what pack() has made of it where it was
  // the last to be called for this product and B. False where oneDNN reports a failure.
  bool multiply(const OnednnProduct& product, const void* a, const void* b, void* c);
  // B in the layout that oneDNN prefers. `bytes` receives its size.
  bool pack(const OnednnProduct& product, const void* b, std::size_t* bytes);
  // Primitives are made for a number of threads: those that were are not used again.
  void forget();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace aibench
