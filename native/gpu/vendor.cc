#include "gpu/vendor.h"

namespace aibench::gpu {
namespace {

// CUDA: cuda.h and cublasLt.h of 11.0 to 13.0, whose numbers never changed. ROCm: hip_runtime_api.h, hipblaslt.h of ROCm 6.
constexpr VendorTable kVendors[] = {
    {Vendor::kCuda, "cuda", "NVIDIA", "CUDA driver", 11040,
     {16, 13, 36, 37, 38, 75, 76, 18, 32},
     {"cublasLt", 0, 1, 68, 77, 70, 72, 3, 4, 17, 18, 25, 31, 32, 1, 2, 1, 64, 96, 15}},
    {Vendor::kRocm, "rocm", "AMD", "HIP runtime", 60000000,
     {63, 5, 60, 59, 19, 23, 61, 16, 0},
     {"hipblasLt", 111, 112, 2, 6, 7, 9, 0, 1, 5, 6, -1, -1, -1, -1, -1, 1, 24, 56, 7}},
};

}  // namespace

const VendorTable* find_vendor(const std::string& name) {
  for (const VendorTable& table : kVendors) {
    if (name == table.name) return &table;
  }
  return nullptr;
}

int version_major(Vendor vendor, int version) {
  return vendor == Vendor::kCuda ? version / 1000 : version / 10'000'000;
}

std::string version_text(Vendor vendor, int version) {
  const int minor = vendor == Vendor::kCuda ? version % 1000 / 10 : version % 10'000'000 / 100'000;
  return std::to_string(version_major(vendor, version)) + "." + std::to_string(minor);
}

}  // namespace aibench::gpu
