// What one thread does of a product: blocks, panels and tiles in Goto's order, or rows of B as a stream where A has few rows.
#pragma once
#include <cstddef>

#include "gemm/blocking.h"
#include "gemm/gemm_arguments.h"
#include "gemm/microkernel.h"

namespace aibench {

template <typename T>
class GemmFrame {
  using C = OutputOf<T>;  // also the size of a packed word

 public:
  GemmFrame(const Microkernel<T>& kernel, const Blocking& limits, std::size_t max_m, std::size_t max_n, std::size_t max_k);

  // One thread's workspace, in one stretch of room_bytes().
  struct Room {
    C* packed_b;
    C* packed_a;
    T* turned_a;  // what is stored transposed, the right way round: a block of A, a panel of B
    WeightOf<T>* turned_b;
  };
  std::size_t room_bytes() const;
  Room room_in(C* begin) const;

  void run(const GemmArguments<T>& g, const Room& room) const;

  // Packed weights: blocks of weights_kc() of k one after the other, each of them full panels and a last one that may be narrower.
  std::size_t weight_words(std::size_t k, std::size_t n) const;
  // Packs those of the panels (of the kernel's columns()) first to last - 1 of B[k x n], which is stored as `transposed` says.
  void pack_weights(std::size_t k, std::size_t n, const WeightOf<T>* b, std::size_t ldb, bool transposed, std::size_t first,
                    std::size_t last, C* weights, const Room& room) const;
  // run() on the columns from `column` (a multiple of columns()) of weights that were packed n wide; g.b does not matter.
  void run_packed(const GemmArguments<T>& g, const C* weights, std::size_t column, std::size_t n, const Room& room) const;

 private:
  struct Block;
  struct Source;
  bool nothing_to_multiply(const GemmArguments<T>& g) const;
  void run_blocks(const GemmArguments<T>& g, const Plan& plan, const Source& source, const Room& room) const;
  bool run_few_rows(const GemmArguments<T>& g, const Room& room) const;
  // Columns of a part of n of them that few_rows() does at a time for m rows.
  std::size_t few_columns(std::size_t m, std::size_t n) const;
  void run_block(const Block& block) const;
  void pack_panel(const Source& source, std::size_t k, std::size_t vectors, std::size_t tail, C* panel) const;
  std::size_t padded(std::size_t n) const;
  std::size_t weights_kc(std::size_t k) const;

  const Microkernel<T>& kernel_;
  Blocking limits_;
  std::size_t packed_b_words_, packed_a_words_, turned_a_elements_, turned_b_elements_;
};

}  // namespace aibench
