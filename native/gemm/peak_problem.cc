#include "gemm/peak_problem.h"

#include <cmath>
#include <optional>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/thread_team.h"
#include "gemm/any_dtype.h"
#include "gemm/chain_products.h"
#include "gemm/kernel_registry.h"
#include "gemm/wide.h"

namespace aibench {
namespace {

// Steps of one iteration. Every accumulator ends at steps * a * b, at most 2^13 * 32 * 43 < 2^24 in f32 (2^13 * 4 * 15 * 143 < 2^31
// in s32): exact, so that the check below is for equality. An iteration lasts some ten microseconds, against which its few stores do not count.
constexpr std::size_t kSteps = 8192;

template <typename T>
class PeakProblem final : public Problem {
 public:
  PeakProblem(const std::string& dtype, int threads, const Microkernel<T>& kernel)
      : dtype_(dtype), threads_(threads), kernel_(kernel) {}

  Status prepare() override {
    team_.emplace(threads_);
    team_->bind_caller();
    for (int i = 0; i < kMaxLanes * kMaxGroup; ++i) {
      a_[i] = small_whole<T>(1 + 2 * (i % 8));
      b_[i] = small_whole<WeightOf<T>>(15 - 2 * (i % 8));
    }
    return sums_.allocate(static_cast<std::size_t>(threads_) * stride() * sizeof(C));
  }

  void run(std::uint64_t iterations) override {
    team_->run([this, iterations](int member) {
      C* sums = sums_.as<C>() + static_cast<std::size_t>(member) * stride();
      for (std::uint64_t i = iterations; i != 0; --i) kernel_.multiply_add_chains(kSteps, a_, b_, sums);
    });
  }

  // The closed form of every lane of every chain of every thread: a loop that was shortened or optimised away shows.
  Verification verify() override {
    double error = 0;
    for (int member = 0; member < threads_; ++member) {
      const C* sums = sums_.as<C>() + static_cast<std::size_t>(member) * stride();
      for (int i = 0; i < chains() * lanes(); ++i) {
        const double difference =
            std::abs(static_cast<double>(sums[i]) - static_cast<double>(kSteps) * chain_products(kernel_, i, a_, b_));
        if (!(difference <= error)) error = difference;
      }
    }
    return {"closed form of the accumulators", error == 0, error, 0};
  }

  const char* fault_kinds() const override { return "value"; }
  bool inject_fault(const std::string& kind) override {
    if (kind != "value") return false;
    sums_.as<C>()[lanes() - 1] += 1;
    return true;
  }

  Work work() const override {
    return {2.0 * threads_ * static_cast<double>(kSteps) * kernel_.chain_multiply_adds(), 0, 0};
  }

  std::map<std::string, std::string> facts() const override {
    return {{"kernel", kernel_.name},
            {"isa", isa_name(kernel_.isa)},
            {"dtype", dtype_},
            {"chains", std::to_string(chains())},
            {"threads", std::to_string(threads_)}};
  }

  int threads() const override { return threads_; }

 private:
  using C = OutputOf<T>;
  int lanes() const { return kernel_.lanes; }
  int chains() const { return kPeakChains; }
  // Elements between the results of two threads: whole pages, so that they share nothing.
  std::size_t stride() const { return 4096; }

  const std::string dtype_;
  const int threads_;
  const Microkernel<T>& kernel_;
  std::optional<ThreadTeam> team_;
  T a_[kMaxLanes * kMaxGroup] = {};
  WeightOf<T> b_[kMaxLanes * kMaxGroup] = {};
  AlignedBuffer sums_;
};

template <typename T>
Status create(const std::string& dtype, int threads, const std::string& isa, bool narrow_weights, std::unique_ptr<Problem>* problem) {
  const Microkernel<T>* kernel = nullptr;
  Status status = choose_microkernel<T>(isa, narrow_weights, &kernel);
  if (status.ok()) *problem = std::make_unique<PeakProblem<T>>(dtype, threads, *kernel);
  return status;
}

}  // namespace

Status create_peak_problem(const std::string& dtype, int threads, const std::string& isa,
                           bool narrow_weights, std::unique_ptr<Problem>* problem) {
  return for_dtype("peak", dtype, [&]<typename T>(T*) { return create<T>(dtype, threads, isa, narrow_weights, problem); });
}

}  // namespace aibench
