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
        windows_(static_cast<std::size_t>(team.size())) {
    for (int i = 0; i < kMaxLanes * kMaxGroup; ++i) {
      a_[i] = random_element<T>(1, static_cast<std::uint64_t>(i));
      b_[i] = random_element<WeightOf<T>>(2, static_cast<std::uint64_t>(i));
    }
  }

  // Some 30 microseconds; the best of all calls so far counts, since a ceiling is what the machine does undisturbed. Where the members worked side
  // by side each counts with a time of its own: cores of two kinds add up, where the slowest one's time would stand for all. Where they did not
  // (a member that had to wait for a CPU, hardware threads of one core one after the other) that would add up what was never there at once.
  void sample() {
    // A step of a matrix unit takes some fifteen times as long.
    const std::size_t steps = kernel_.any_size == nullptr ? 12'000 : 800;
    team_.run([this, steps](int member) {
      Window& window = windows_[static_cast<std::size_t>(member)];
      team_.barrier(member);
      window.begin = monotonic_seconds();
      kernel_.multiply_add_chains(steps, a_, b_, sums_.data() + static_cast<std::size_t>(member) * kStride);
      window.end = monotonic_seconds();
    });
    double first = windows_[0].begin, last_begin = first, first_end = windows_[0].end, last = first_end, shortest = last - first, rates = 0;
    for (const Window& window : windows_) {
      first = std::min(first, window.begin);
      last_begin = std::max(last_begin, window.begin);
      first_end = std::min(first_end, window.end);
      last = std::max(last, window.end);
      shortest = std::min(shortest, window.end - window.begin);
      rates += 1 / (window.end - window.begin);
    }
    const bool together = first_end - last_begin >= kTogether * shortest;
    const double flops = 2.0 * static_cast<double>(steps) * kernel_.chain_multiply_adds();
    best_ = std::max(best_, flops * (together ? rates : team_.size() / (last - first)));
  }

  // FLOP/s; 0 before the first sample.
  double best() const { return best_; }

 private:
  struct alignas(128) Window {
    double begin, end;
  };
  static constexpr std::size_t kStride = 4096;  // whole pages between the threads' results
  static constexpr double kTogether = 0.95;     // of the shortest window
  const Microkernel<T>& kernel_;
  ThreadTeam& team_;
  T a_[kMaxLanes * kMaxGroup];
  WeightOf<T> b_[kMaxLanes * kMaxGroup];
  std::vector<OutputOf<T>> sums_;
  std::vector<Window> windows_;
  double best_ = 0;
};

}  // namespace aibench
