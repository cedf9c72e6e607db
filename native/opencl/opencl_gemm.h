// GEMM on an OpenCL device through CLBlast, as a Problem.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "device/product_problem.h"

namespace aibench::opencl {

// Paths or sonames to try, in order.
struct Libraries {
  std::vector<std::string> opencl, clblast;
};

struct GemmOptions {
  ProductOptions product;
  int device = -1;  // index over all platforms; negative: the first that is not software, else the first
  Libraries libraries;
};

// Opens the device, so that a driver on the host's CPU starts its threads here: the calling thread must not be pinned. Fails with LIBRARY_*,
// OPENCL_*, DEVICE_UNKNOWN, DTYPE_UNSUPPORTED.
Status create_gemm(const GemmOptions& options, std::unique_ptr<Problem>* problem);

}  // namespace aibench::opencl
