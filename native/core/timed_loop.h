// The timed loop, written once for every problem.
#pragma once
#include <atomic>
#include <cstdint>
#include <vector>

#include "core/problem.h"

namespace aibench {

struct TimedLoopOptions {
  double max_warmup_seconds;
  double min_sample_seconds;  // raised so that the clock's resolution and overhead stay under 0.1 % of a sample
  double target_seconds;
  std::uint32_t min_samples;
  std::uint32_t max_samples;
};

struct TimedLoopResult {
  double window_start = 0;
  double window_end = 0;
  std::vector<double> samples;         // seconds per sample
  std::vector<std::vector<double>> rank_samples;  // by rank, the same samples; empty where there are no ranks
  std::vector<double> warmup_samples;  // seconds per sample, same number of iterations
  std::uint64_t iterations_per_sample = 0;
  bool warmup_settled = false;
  bool complete = false;
};

// Calibrates the batch, warms up until it is detected to have settled (the median of the last w samples is within
// 1 % * sqrt(5 / w) of the median of the w before, w = 5 or what fits twice into max_warmup_seconds; or that time has
// passed), then samples. `stop` ends it after the
// sample in hand.
TimedLoopResult run_timed_loop(Problem& problem, const TimedLoopOptions& options, const std::atomic<bool>& stop);

}  // namespace aibench
