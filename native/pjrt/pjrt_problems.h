// A product on one device and an all-reduce over all of them, through a PJRT plugin, as Problems.
#pragma once
#include <memory>
#include <string>

#include "device/product_problem.h"

namespace aibench::pjrt {

struct GemmOptions {
  ProductOptions product;
  int device = -1;  // index; negative: the first
  std::string plugin;
};

struct AllReduceOptions {
  std::string dtype;        // f64, f32, f16, bf16
  std::uint64_t bytes = 0;  // of each device's vector
  std::uint64_t seed = 0;
  std::string plugin;
};

// Both open the plugin and its client, which may take seconds and starts threads: the calling thread must not be pinned. Fail with DTYPE_UNKNOWN,
// LIBRARY_*, PJRT_*, DEVICE_UNKNOWN, DEVICE_UNSUPPORTED; prepare() compiles, and fails with PJRT_* and OUT_OF_MEMORY.
Status create_gemm(const GemmOptions& options, std::unique_ptr<Problem>* problem);
// Sums over all devices of the plugin; needs two at least. Verified bit for bit: inputs are small whole numbers.
Status create_all_reduce(const AllReduceOptions& options, std::unique_ptr<Problem>* problem);

}  // namespace aibench::pjrt
