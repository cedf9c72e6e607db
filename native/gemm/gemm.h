// C = alpha * A * B + beta * C on our own kernels.
#pragma once
#include <cstddef>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/status.h"
#include "core/thread_team.h"
#include "gemm/blocking.h"
#include "gemm/gemm_arguments.h"
#include "gemm/microkernel.h"

namespace aibench {

// A kernel, for A of type T (gemm/dtypes.h), with its blocking and workspace. The workspace is taken once, so that run() allocates nothing.
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

  // What one member of the team computes of an m x n product: rows [row, row + rows), columns [column, column + columns).
  struct Part {
    std::size_t row, rows, column, columns;
  };
  Part part_of(int member, std::size_t m, std::size_t n) const;

  // On the thread that is member 0 of the team.
  void run(const GemmArguments<T>& arguments);

  const Microkernel<T>& kernel() const { return kernel_; }
  const Blocking& limits() const { return limits_; }

 private:
  using C = OutputOf<T>;  // also the size of a packed word
  void run_part(const GemmArguments<T>& part, C* workspace) const;
  void run_blocks(const GemmArguments<T>& part, C* packed_b, C* packed_a) const;
  struct Block;
  void run_block(const Block& block) const;

  const Microkernel<T>& kernel_;
  ThreadTeam& team_;
  Blocking limits_;
  std::size_t packed_b_words_;
  std::size_t packed_a_words_;
  std::vector<AlignedBuffer> workspace_;
};

}  // namespace aibench
