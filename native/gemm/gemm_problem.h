// GEMM as a Problem: C = alpha * op(A) * op(B) + beta * C with random inputs, one or a batch, on our own kernels or on a peer.
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
  // Empty or dense; packed: B packed once by prepare(), before anything is timed; 2:4, block, int4: gemm/compressed, f32, bf16 and s8.
  // But for dense, and packed on onednn, all on our own kernels alone.
  std::string weights;
  std::string backend;  // empty or native: our own kernels; else a name of gemm/peers
  bool transpose_a = false, transpose_b = false;
  double alpha = 1;  // not 0; whole for int8
  // In [-1, 1]; whole for int8. With beta = 1 alpha changes its sign from one run to the next, so that C stays bounded.
  double beta = 0;
  std::size_t batch = 1;
  // int8: B in [-64, 63], with which libraries are exact that add two products at 16 bits (vpmaddubsw saturates).
  bool narrow_weights = false;
  bool scattered = false;  // a batch by lists of pointers, its operands in a shuffled order, instead of by strides
};

// With compressed weights `flops` of the work are those that are done, `items` those of the dense product.
// Fails with DTYPE_UNKNOWN, DTYPE_UNSUPPORTED, BAD_OPTION (k so large that int8 could overflow s32), ISA_UNKNOWN, ISA_UNSUPPORTED, BACKEND_UNKNOWN, LIBRARY_ABSENT, LIBRARY_BROKEN; allocates nothing large.
Status create_gemm_problem(const GemmProblemOptions& options, std::unique_ptr<Problem>* problem);

}  // namespace aibench
