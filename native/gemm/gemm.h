// C = alpha * A * B + beta * C on our own kernels.
#pragma once
#include <cstddef>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/status.h"
#include "core/thread_team.h"
#include "gemm/blocking.h"
#include "gemm/microkernel.h"

namespace aibench {

// Row-major operands; strides in elements, lda >= k, ldb >= n, ldc >= n. m, n and k may be 0. The BLAS rules: with
// beta == 0 C is not read; with alpha == 0 or k == 0 A and B are not read.
template <typename T>
struct GemmArguments {
  std::size_t m, n, k;
  T alpha;
  const T* a;
  std::size_t lda;
  const T* b;
  std::size_t ldb;
  T beta;
  T* c;
  std::size_t ldc;
};

// A kernel with its blocking and workspace. The workspace is taken once, so that run() allocates nothing.
template <typename T>
class Gemm {
 public:
  // `team` has to outlive this object. Products up to max_m x max_n x max_k fit.
  Gemm(const Microkernel<T>& kernel, ThreadTeam& team, std::size_t max_m, std::size_t max_n, std::size_t max_k);
  Gemm(const Microkernel<T>& kernel, ThreadTeam& team, std::size_t max_m, std::size_t max_n, std::size_t max_k,
       const Blocking& limits);
  // Bytes that allocate() will take.
  std::size_t workspace_bytes() const;
  // Each thread touches its own part, so that it lies near it. Fails with OUT_OF_MEMORY.
  Status allocate();

  // On the thread that is member 0 of the team.
  void run(const GemmArguments<T>& arguments);

  const Microkernel<T>& kernel() const { return kernel_; }
  const Blocking& limits() const { return limits_; }

 private:
  void run_part(const GemmArguments<T>& part, T* workspace) const;
  void run_blocks(const GemmArguments<T>& part, T* packed_b, T* packed_a) const;

  const Microkernel<T>& kernel_;
  ThreadTeam& team_;
  Blocking limits_;
  std::size_t packed_b_elements_;
  std::size_t packed_a_elements_;
  std::vector<AlignedBuffer> workspace_;
};

}  // namespace aibench
