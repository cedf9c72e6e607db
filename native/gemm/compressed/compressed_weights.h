// B in a compressed form, made once from dense weights: what pruning and quantisation bring is then measured beside the dense
// product, with the same driver and verification. T is the type of A (gemm/dtypes.h): float, Bf16 or std::int8_t.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "core/status.h"
#include "core/thread_team.h"
#include "gemm/gemm_arguments.h"
#include "gemm/microkernel.h"

namespace aibench {

template <typename T>
constexpr bool kCompressible = std::is_same_v<T, float> || std::is_same_v<T, Bf16> || std::is_same_v<T, std::int8_t>;

// Row-major B[k x n], rows n apart, as compress() finds it and leaves it.
template <typename T>
struct DenseWeights {
  std::size_t k, n;
  WeightOf<T>* b;
};

template <typename T>
class CompressedWeights {
 public:
  virtual ~CompressedWeights() = default;
  // Takes the weights, and replaces them by what their compressed form stands for: pruned elements become 0, quantised ones
  // scale times code (int4 of s8: the code). C = A * B is then the product that multiply() computes.
  virtual void compress(const DenseWeights<T>& weights) = 0;
  // Of weights of k x n: bytes of the compressed form, indices and scales included, ...
  virtual double bytes(std::size_t k, std::size_t n) const = 0;
  // ... and the share of the multiply-adds of the dense product that are done: 1 for int4.
  virtual double density(std::size_t k, std::size_t n) const = 0;
  // Where the compressed form lies, after compress().
  struct Piece {
    const void* begin;
    std::size_t bytes;
  };
  virtual std::vector<Piece> pieces() const = 0;
  virtual const char* description() const = 0;
  // C = A * B, alpha and beta as 1 and 0, by the members of the team; g.b is not read.
  virtual void multiply(const GemmArguments<T>& g, ThreadTeam& team) = 0;
};

// `kind`: 2:4, block or int4; `kernel` multiplies what has been unpacked. Fails with BAD_OPTION.
template <typename T>
Status make_compressed_weights(const std::string& kind, const Microkernel<T>& kernel, int threads,
                               std::unique_ptr<CompressedWeights<T>>* weights);

}  // namespace aibench
