// C = A * B on a device that a vendor's library drives, as a Problem: inputs, verification, faults and timing are written once, for OpenCL and
// for PJRT.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "core/problem.h"

namespace aibench {

// What a library has to offer. All operands are row-major and dense, A m x k, B k x n, C m x n, elements as in device/element.h.
class DeviceProduct {
 public:
  virtual ~DeviceProduct() = default;
  // Takes memory on the device, compiles, and copies the inputs over. They do not outlive the call.
  virtual Status prepare(const void* a, const void* b) = 0;
  // So many products; returns when the last has ended on the device, never before.
  virtual Status run(std::uint64_t iterations) = 0;
  // C as the last product left it.
  virtual Status read_result(void* c) = 0;
  // What the device could do at best, measured now: rates by name. Empty where nothing is known, which facts() then explain as `noLimit`.
  virtual std::map<std::string, double> measure_ceilings() { return {}; }
  virtual std::map<std::string, std::string> facts() const = 0;
};

struct ProductOptions {
  std::string dtype;  // f64, f32, f16, bf16: of A, B and C
  std::size_t m = 0, n = 0, k = 0;
  std::uint64_t seed = 0;
};

// Inputs are random, uniform in (-1, 1) and rounded to the dtype. The product is verified on the host as native/gemm/verification.h says; f16 and
// bf16 in units of their own round-off. Timed by the host's clock around run(). Fails with DTYPE_UNKNOWN.
Status make_product_problem(const ProductOptions& options, std::unique_ptr<DeviceProduct> product, std::unique_ptr<Problem>* problem);

}  // namespace aibench
