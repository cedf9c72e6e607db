// Bandwidth of a GPU's memory and of the ways to it, as a Problem.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/problem.h"
#include "gpu/work_options.h"

namespace aibench::gpu {

struct GpuMemoryOptions : GpuWork {
  std::vector<std::string> compiler;  // libraries to try, for AMD's copy and triad
  // devices: one; for `peer` two, from the first to the second.
  // copy, triad: own kernels. memcpy: the driver's copy within the device. h2d, d2h: pinned host memory to the device and
  // back; h2d-pageable, d2h-pageable: plain host memory. peer: device to device.
  std::string kernel;
  std::uint64_t bytes = 0;  // of each array, a multiple of 16
};

// Fails with BAD_OPTION; opens nothing. prepare() fails with the codes of Driver::open and Context::open and
// with GPU_UNSUPPORTED where the driver lacks a call; copy and triad on AMD with those of RuntimeCompiler.
Status create_gpu_memory(const GpuMemoryOptions& options, std::unique_ptr<Problem>* problem);

}  // namespace aibench::gpu
