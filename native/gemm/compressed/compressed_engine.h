// Products by weights that were pruned or quantised, as a GemmEngine.
#pragma once
#include "gemm/compressed/compressed_weights.h"
#include "gemm/gemm_engine.h"

namespace aibench {

template <typename T>
class CompressedEngine final : public GemmEngine<T> {
 public:
  CompressedEngine(const Microkernel<T>& kernel, ThreadTeam& team, CompressedWeights<T>& weights, std::size_t n, std::size_t k)
      : kernel_(kernel), team_(team), weights_(weights), n_(n), k_(k) {}

  std::size_t workspace_bytes() const override { return static_cast<std::size_t>(weights_.bytes(k_, n_)); }
  Status prepare() override {
    team_.bind_caller();
    return Status::success();
  }
  Status take_weights(const GemmArguments<T>& g) override {
    weights_.compress({g.k, g.n, const_cast<WeightOf<T>*>(g.b)});  // B is what they stand for from now on
    return Status::success();
  }
  std::vector<typename GemmEngine<T>::Piece> own_weights() const override {
    std::vector<typename GemmEngine<T>::Piece> pieces;
    for (const auto& piece : weights_.pieces()) pieces.push_back({piece.begin, piece.bytes});
    return pieces;
  }
  bool run(const GemmBatch<T>& batch) override {
    weights_.multiply(batch.first, team_);
    return true;
  }
  std::map<std::string, std::string> facts() const override {
    return {{"backend", "native"}, {"kernel", kernel_.name}, {"isa", isa_name(kernel_.isa)}};
  }

 private:
  const Microkernel<T>& kernel_;
  ThreadTeam& team_;
  CompressedWeights<T>& weights_;
  const std::size_t n_, k_;
};

}  // namespace aibench
