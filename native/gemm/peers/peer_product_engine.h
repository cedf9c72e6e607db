// Products that a library makes beforehand (peers/peer.h: PeerProduct), as a GemmEngine.
#pragma once
#include "gemm/gemm_engine.h"

namespace aibench {

template <typename T>
class PeerProductEngine final : public GemmEngine<T> {
 public:
  // `dtype` is the name of T.
  PeerProductEngine(std::shared_ptr<Peer> peer, ThreadTeam& team, std::string dtype, std::size_t m, std::size_t n, std::size_t k,
                    bool packed)
      : peer_(std::move(peer)), team_(team), dtype_(std::move(dtype)), m_(m), n_(n), k_(k), packed_(packed) {}

  std::size_t workspace_bytes() const override { return packed_ ? k_ * n_ * sizeof(WeightOf<T>) : 0; }
  Status prepare() override {
    if (team_.size() == 1) team_.bind_caller();
    else team_.release_caller();
    if (Status status = peer_->set_threads(team_.size()); !status.ok()) return status;
    return peer_->make_product(dtype_, m_, n_, k_, packed_, &product_);
  }
  Status take_weights(const GemmArguments<T>& g) override {
    if (product_->take_weights(g.b)) return Status::success();
    return Status::failure("LIBRARY_BROKEN", peer_->info().name + " cannot pack its weights", "Leave out weights.");
  }
  std::vector<typename GemmEngine<T>::Piece> own_weights() const override {
    if (product_->packed_weights() == nullptr) return {};
    return {{product_->packed_weights(), product_->packed_bytes()}};
  }
  // Of one product, alpha 1, beta 0, neither operand transposed: create_gemm_problem refuses the others.
  bool run(const GemmBatch<T>& batch) override { return product_->multiply(batch.first.a, batch.first.b, batch.first.c); }
  std::map<std::string, std::string> facts() const override {
    const PeerInfo info = peer_->info();
    std::map<std::string, std::string> facts{{"backend", info.name},           {"kernel", info.kernel}, {"library", info.path},
                                             {"libraryVersion", info.version}, {"libraryThreading", info.threading}};
    if (product_ != nullptr) facts["kernel"] += ", " + product_->kernel();
    return facts;
  }

 private:
  const std::shared_ptr<Peer> peer_;
  ThreadTeam& team_;
  const std::string dtype_;
  const std::size_t m_, n_, k_;
  const bool packed_;
  std::unique_ptr<PeerProduct> product_;
};

}  // namespace aibench
