// The part of a GPU product that one device does: operands, algorithm, runs, the check of what came out.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/thread_team.h"
#include "gpu/block_scales.h"
#include "gpu/context.h"
#include "gpu/gemm_check.h"
#include "gpu/gemm_problem.h"
#include "gpu/matmul_plan.h"
#include "gpu/timer.h"

namespace aibench::gpu {

// What is multiplied, on the host: the values themselves, which all devices share.
template <typename T>
struct HostOperands {
  std::vector<T> a, b;  // m rows of k, n columns of k
};

// Of the types with one scale per matrix; whole powers of two, and not 1, so that a library that leaves them out is found out.
constexpr float kScaleA = 0.5f, kScaleB = 0.25f;
// Streams of the seed that blocks of scales come from.
constexpr std::uint64_t kScalesOfA = 11, kScalesOfB = 12;

template <typename T>
class DeviceGemm {
 public:
  DeviceGemm(const GpuGemmOptions& options, const GemmType& type, int device) : options_(options), type_(type), device_(device) {}
  ~DeviceGemm();

  // Uploads, asks the heuristics, tries every algorithm on the real operands and takes the fastest.
  Status prepare(std::shared_ptr<Driver> driver, std::shared_ptr<MatmulLibrary> library, const HostOperands<T>& operands);
  // Makes the context the calling thread's; every other method needs it.
  Status use() const { return context_->use(); }
  double run_timed(std::uint64_t iterations);
  Verification verify(const HostOperands<T>& operands, ThreadTeam& team);
  void damage(const std::string& kind, std::uint64_t place, int threads);
  void describe(std::map<std::string, std::string>& facts) const;
  double rate_bound() const;
  const DeviceInfo& device() const { return context_->device(); }
  const Timer& timer() const { return timer_; }

 private:
  struct Set {
    Buffer a, b, d, scales;  // scales: of A, then of B; for types with blocks of them
  };
  struct Trial {
    int algorithm;
    double seconds;
  };
  Status allocate_sets();
  // Of A's scales with what aligns those of B behind them, and of both; 0 without blocks of scales.
  std::size_t scales_of_a() const { return has_block_scales(type_) ? scale_bytes(type_, options_.m, options_.k) : 0; }
  std::size_t scales_of_both() const { return has_block_scales(type_) ? scales_of_a() + scale_bytes(type_, options_.n, options_.k) : 0; }
  double tensor_scale() const { return type_.scaling == Scaling::kTensor ? double{kScaleA} * kScaleB : 1; }
  Status upload(const HostOperands<T>& operands);
  Status upload_blocks();
  Status choose();
  Status make_graph();
  Status enqueue(std::uint64_t iterations);
  Status enqueue_one(int algorithm);
  Verification verify_set(std::size_t set, const HostOperands<T>& operands, ThreadTeam& team);
  std::size_t a_bytes() const { return encoded_bytes(type_.a, options_.m * options_.k); }
  std::size_t b_bytes() const { return encoded_bytes(type_.b, options_.k * options_.n); }
  std::size_t d_bytes() const { return options_.m * options_.n * element_bytes(type_.d); }
  int on_device(int type) const;

  const GpuGemmOptions& options_;
  const GemmType& type_;
  const int device_;
  std::shared_ptr<Context> context_;
  std::shared_ptr<MatmulLibrary> library_;
  Buffer scales_;  // one f32 each
  std::vector<Set> sets_;
  std::unique_ptr<MatmulPlan> plan_;
  std::size_t scaled_set_ = 0;  // whose scales the plan has
  std::vector<Trial> trials_;  // fastest first
  std::string refused_;        // algorithms that failed when they were tried
  std::size_t next_ = 0, last_ = 0, touched_ = 0;
  std::uint64_t per_graph_ = 0;
  Graph graph_ = nullptr;
  std::string no_graph_;
  Timer timer_;
};

}  // namespace aibench::gpu
