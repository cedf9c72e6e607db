// Who multiplies: our own kernels or a peer. The problem around them (inputs, verification, timing) is the same.
#pragma once
#include <map>
#include <memory>
#include <string>

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
  virtual bool run(const GemmArguments<T>& arguments) = 0;
  // Takes the weights B[k x n] once they are filled, and may change them to what it multiplies by.
  virtual void take_weights(WeightOf<T>*, std::size_t, std::size_t) {}
  virtual std::map<std::string, std::string> facts() const = 0;
};

template <typename T>
class NativeEngine final : public GemmEngine<T> {
 public:
  NativeEngine(const Microkernel<T>& kernel, ThreadTeam& team, std::size_t m, std::size_t n, std::size_t k)
      : gemm_(kernel, team, m, n, k), team_(team) {}

  std::size_t workspace_bytes() const override { return gemm_.workspace_bytes(); }
  Status prepare() override {
    team_.bind_caller();
    return gemm_.allocate();
  }
  bool run(const GemmArguments<T>& arguments) override {
    gemm_.run(arguments);
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
  bool run(const GemmArguments<T>& arguments) override {
    if constexpr (requires { peer_->multiply(arguments); }) return peer_->multiply(arguments);
    else return false;  // no library is driven for this dtype: create_gemm_problem refuses
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
