// STREAM's four kernels on an OpenCL device: the bandwidth of its own memory, as a Problem.
#pragma once
#include "opencl/opencl_gemm.h"

namespace aibench::opencl {

struct StreamDeviceOptions {
  std::string kernel;  // copy, scale, add, triad
  std::uint64_t bytes_per_array = 0;  // rounded down to a multiple of 16
  std::uint64_t seed = 0;
  int device = -1;
  std::vector<std::string> libraries;  // libOpenCL: paths or sonames to try
};

// Opens the device, from a thread that is not pinned. Fails with BAD_OPTION, LIBRARY_*, OPENCL_*, DEVICE_UNKNOWN, DEVICE_UNSUPPORTED.
Status create_stream(const StreamDeviceOptions& options, std::unique_ptr<Problem>* problem);

}  // namespace aibench::opencl
