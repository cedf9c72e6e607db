// C = alpha * op(A) * op(B) + beta * C on our own kernels: one product, a batch, or products on weights that were packed before.
#pragma once
#include <cstddef>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/status.h"
#include "core/thread_team.h"
#include "core/work_shares.h"
#include "gemm/blocking.h"
#include "gemm/gemm_arguments.h"
#include "gemm/gemm_frame.h"
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
  // As many products at a time as there are members, one each; those that are left over one by one on all of them.
  void run_batch(const GemmBatch<T>& batch);

  // Packs weights op(B)[k x n] once, for run_packed() as often as wanted; earlier ones are dropped. Fails with OUT_OF_MEMORY.
  Status pack_weights(std::size_t k, std::size_t n, const WeightOf<T>* b, std::size_t ldb, bool transposed);
  // run() on them: n and k as they were packed; b, ldb and transpose_b do not matter.
  void run_packed(const GemmArguments<T>& arguments);
  const void* packed_weights() const { return weights_.template as<C>(); }
  std::size_t packed_weight_bytes(std::size_t k, std::size_t n) const;

  // Large products on several threads are cut into pieces, which members take from each other, for as long as some are done long before others:
  // cores of two kinds, or one that is wanted elsewhere. That is found out from run to run. For tests: always, whatever the size.
  void always_in_pieces(bool always) { pieces_always_ = always; }

  const Microkernel<T>& kernel() const { return kernel_; }
  const Blocking& limits() const { return limits_; }

 private:
  using C = OutputOf<T>;  // also the size of a packed word
  typename GemmFrame<T>::Room room_of(int member);
  Part part_of(int member, std::size_t m, std::size_t n, std::size_t unit) const;
  static GemmArguments<T> own_arguments(const GemmArguments<T>& g, const Part& part);
  template <typename F>
  void run_parts(const GemmArguments<T>& g, std::size_t unit, F&& product);
  template <typename F>
  void run_pieces(const GemmArguments<T>& g, std::size_t unit, F&& product);
  struct alignas(128) MemberRun {
    double end = 0;
    bool helped = false;
  };

  const Microkernel<T>& kernel_;
  ThreadTeam& team_;
  Blocking limits_;
  GemmFrame<T> frame_;
  WorkShares shares_;
  std::vector<MemberRun> last_run_;
  double unevenness_ = 0;
  bool pieces_always_ = false;
  std::vector<AlignedBuffer> workspace_;
  AlignedBuffer weights_;
  std::size_t weights_n_ = 0;
};

}  // namespace aibench
