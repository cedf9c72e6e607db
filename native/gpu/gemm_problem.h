// A product on one GPU, or the same product on several at once, as a Problem.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/problem.h"
#include "gpu/work_options.h"

namespace aibench::gpu {

struct GpuGemmOptions : GpuWork {
  std::vector<std::string> matmul;  // libraries to try
  std::string dtype;
  std::size_t m = 0, n = 0, k = 0;
  bool transposed = true;         // both operands have k as their fastest dimension
  std::size_t workspace_bytes = std::size_t{32} << 20;
  int algorithms = 16;            // asked of the heuristics
  double graph_below_seconds = 0;  // products that take less are replayed as a graph of many
};

// Fails with DTYPE_UNKNOWN or BAD_OPTION; opens nothing. prepare() fails with the codes of Driver::open, MatmulLibrary::open,
// Context::open and MatmulPlan::make; later methods throw ProblemFailure with GPU_FAULT, GPU_CALL_FAILED or GPU_LIBRARY_FAILED.
Status create_gpu_gemm(const GpuGemmOptions& options, std::unique_ptr<Problem>* problem);

}  // namespace aibench::gpu
