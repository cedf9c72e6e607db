// What all work on GPUs is told.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "gpu/vendor.h"

namespace aibench::gpu {

// Where the libraries of a vendor may be: names to try, in order.
struct GpuLibraries {
  const VendorTable* vendor = nullptr;
  std::vector<std::string> driver, matmul, collective, compiler;
};

struct GpuWork {
  const VendorTable* vendor = nullptr;
  std::vector<std::string> driver;  // libraries to try
  std::vector<int> devices;         // the driver's numbers
  std::uint64_t seed = 0;
};

}  // namespace aibench::gpu
