// The FMA ceiling, sampled: independent chains of the kernel's own multiply-add (f32 FMA, int8 dot product, ...) on every member of a team.
#pragma once
#include <algorithm>
#include <vector>

#include "core/clock.h"
#include "core/thread_team.h"
#include "gemm/microkernel.h"
#include "gemm/random_fill.h"

namespace aibench {

template <typename T>
class FmaPeak {
 public:
  // `team` and `kernel` have to outlive this object.
  FmaPeak(const Microkernel<T>& kernel, ThreadTeam& team)
      : kernel_(kernel), team_(team), sums_(static_cast<std::size_t>(team.size()) * kStride),
        seconds_(static_cast<std::size_t>(team.size()) * kTimeStride) {
    for (int i = 0; i < kMaxLanes * kMaxGroup; ++i) {
      a_[i] = random_element<T>(1, static_cast<std::uint64_t>(i));
      b_[i] = random_element<WeightOf<T>>(2, static_cast<std::uint64_t>(i));
    }
  }

  // Some 30 microseconds; the best of all calls so far counts, since a ceiling is what the machine does undisturbed. Each member is timed by
  // itself, at the same time as the others: cores of two kinds add up, where the slowest one's time would stand for all.
  void sample() {
    // A step of a matrix unit takes some fifteen times as long.
    const std::size_t steps = kernel_.any_size == nullptr ? 12'000 : 800;
    team_.run([this, steps](int member) {
      team_.barrier(member);
      const double begin = monotonic_seconds();
      kernel_.multiply_add_chains(steps, a_, b_, sums_.data() + static_cast<std::size_t>(member) * kStride);
      seconds_[static_cast<std::size_t>(member) * kTimeStride] = monotonic_seconds() - begin;
    });
    double rate = 0;
    for (int i = 0; i < team_.size(); ++i) rate += 1 / seconds_[static_cast<std::size_t>(i) * kTimeStride];
    best_ = std::max(best_, 2.0 * static_cast<double>(steps) * kernel_.chain_multiply_adds() * rate);
  }

  // FLOP/s; 0 before the first sample.
  double best() const { return best_; }

 private:
  static constexpr std::size_t kStride = 4096;    // whole pages between the threads' results
  static constexpr std::size_t kTimeStride = 16;  // two lines
  const Microkernel<T>& kernel_;
  ThreadTeam& team_;
  T a_[kMaxLanes * kMaxGroup];
  WeightOf<T> b_[kMaxLanes * kMaxGroup];
  std::vector<OutputOf<T>> sums_;
  std::vector<double> seconds_;
  double best_ = 0;
};

}  // namespace aibench
