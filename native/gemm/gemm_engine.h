// Who multiplies: our own kernels or a peer. The problem around them (inputs, verification, timing) is the same.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/thread_team.h"
#include "gemm/gemm.h"
#include "gemm/peers/peer.h"

namespace aibench {

template <typename T>
class GemmEngine {
 public:
  virtual ~GemmEngine() = default;
  // Bytes that prepare() takes beside the operands.
  virtual std::size_t workspace_bytes() const = 0;
  // On the measuring thread, which is bound as the engine wants it.
  virtual Status prepare() = 0;
  virtual bool run(const GemmBatch<T>& batch) = 0;
  // Takes the weights of `first` once they are filled, and may change them to what it multiplies by.
  virtual Status take_weights(const GemmArguments<T>&) { return Status::success(); }
  // Where it keeps weights of its own that every run reads: begin and bytes.
  struct Piece {
    const void* begin;
    std::size_t bytes;
  };
  virtual std::vector<Piece> own_weights() const { return {}; }
  virtual std::map<std::string, std::string> facts() const = 0;
};

template <typename T>
class NativeEngine final : public GemmEngine<T> {
 public:
  NativeEngine(const Microkernel<T>& kernel, ThreadTeam& team, std::size_t m, std::size_t n, std::size_t k)
      : gemm_(kernel, team, m, n, k), team_(team) {}
  // Packs its weights when it takes them.
  void pack_weights(std::size_t n, std::size_t k) { packed_bytes_ = gemm_.packed_weight_bytes(k, n); }

  std::size_t workspace_bytes() const override { return gemm_.workspace_bytes() + packed_bytes_; }
  Status prepare() override {
    team_.bind_caller();
    return gemm_.allocate();
  }
  Status take_weights(const GemmArguments<T>& g) override {
    return packed_bytes_ == 0 ? Status::success() : gemm_.pack_weights(g.k, g.n, g.b, g.ldb, g.transpose_b);
  }
  std::vector<typename GemmEngine<T>::Piece> own_weights() const override {
    if (packed_bytes_ == 0) return {};
    return {{gemm_.packed_weights(), packed_bytes_}};
  }
  bool run(const GemmBatch<T>& batch) override {
    if (packed_bytes_ != 0) gemm_.run_packed(batch.first);
    else if (batch.count == 1) gemm_.run(batch.at(0));
    else gemm_.run_batch(batch);
    return true;
  }
  std::map<std::string, std::string> facts() const override {
    const Blocking& limits = gemm_.limits();
    return {{"backend", "native"},
            {"kernel", gemm_.kernel().name},
            {"isa", isa_name(gemm_.kernel().isa)},
            {"mc", std::to_string(limits.mc)},
            {"kc", std::to_string(limits.kc)},
            {"nc", std::to_string(limits.nc)}};
  }

 private:
  Gemm<T> gemm_;
  ThreadTeam& team_;
  std::size_t packed_bytes_ = 0;
};

template <typename T>
class PeerEngine final : public GemmEngine<T> {
 public:
  PeerEngine(std::shared_ptr<Peer> peer, ThreadTeam& team) : peer_(std::move(peer)), team_(team) {}

  std::size_t workspace_bytes() const override { return 0; }  // the library's own, which nobody tells
  Status prepare() override {
    // One thread stays where it is; several must be free to run on all CPUs, since a library's threads inherit the mask.
    if (team_.size() == 1) team_.bind_caller();
    else team_.release_caller();
    return peer_->set_threads(team_.size());
  }
  // A batch is a loop: the batched calls of the libraries differ, and few have one.
  bool run(const GemmBatch<T>& batch) override {
    bool good = true;
    for (std::size_t i = 0; i < batch.count; ++i) {
      if constexpr (requires { peer_->multiply(batch.first); }) good = peer_->multiply(batch.at(i)) && good;
      else good = false;  // no library is driven for this dtype: create_gemm_problem refuses
    }
    return good;
  }
  std::map<std::string, std::string> facts() const override {
    const PeerInfo info = peer_->info();
    return {{"backend", info.name},     {"kernel", info.kernel},       {"library", info.path},
            {"libraryVersion", info.version}, {"libraryThreading", info.threading}};
  }

 private:
  std::shared_ptr<Peer> peer_;
  ThreadTeam& team_;
};

}  // namespace aibench
