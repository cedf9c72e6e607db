// oneDNN's matmul primitive, whose C interface differs between versions 2 and 3: the way to its bf16 and int8 kernels, and to weights
// in its own layout.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "core/dynamic_library.h"
#include "gemm/peers/peer.h"

namespace aibench {

// dnnl_data_type_t.
enum class OnednnType : int { kUnknown = 0, kBf16 = 2, kF32 = 3, kS32 = 4, kS8 = 5, kU8 = 6 };

// C[m x n] = A[m x k] * B[k x n], row-major and without gaps.
struct OnednnProduct {
  OnednnType a = OnednnType::kUnknown, b = OnednnType::kUnknown, c = OnednnType::kUnknown;
  std::int64_t m = 0, n = 0, k = 0;
};
// Of a dtype of gemm; types are kUnknown where the primitive has none for it.
OnednnProduct onednn_product(const std::string& dtype, std::size_t m, std::size_t n, std::size_t k);

// `library` has to outlive the product; `major` is its version. With `packed` B is brought into the layout that oneDNN prefers. nullptr
// where oneDNN has no implementation for this CPU, or misses a call.
std::unique_ptr<PeerProduct> make_onednn_product(const DynamicLibrary& library, int major, const OnednnProduct& product, bool packed);

}  // namespace aibench
