// GEMM as a Problem: C = A * B with random inputs, on our own kernels or on a peer.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/problem.h"

namespace aibench {

struct GemmProblemOptions {
  std::string dtype;  // f32, f64, bf16, f16, s8, u8 (times s8)
  std::size_t m = 0, n = 0, k = 0;
  int threads = 1;
  std::uint64_t seed = 0;
  std::string isa;      // empty: the best that the CPU and AIBENCH_ISA allow
  std::string weights;  // empty or dense; 2:4, block, int4: gemm/compressed, f32, bf16 and s8 on our own kernels alone
  std::string backend;  // empty or native: our own kernels; else a name of gemm/peers
};

// With compressed weights `flops` of the work are those that are done, `items` those of the dense product.
// Fails with DTYPE_UNKNOWN, DTYPE_UNSUPPORTED, BAD_OPTION (k so large that int8 could overflow s32), ISA_UNKNOWN, ISA_UNSUPPORTED, BACKEND_UNKNOWN, LIBRARY_ABSENT, LIBRARY_BROKEN; allocates nothing large.
Status create_gemm_problem(const GemmProblemOptions& options, std::unique_ptr<Problem>* problem);

}  // namespace aibench
