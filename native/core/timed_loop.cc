#include "core/timed_loop.h"

#include <algorithm>
#include <cmath>

#include "core/clock.h"

namespace aibench {
namespace {

constexpr double kClockShare = 1e-3;  // the clock's resolution and overhead stay under this share of a sample
constexpr std::size_t kMaxWarmupSamples = 1'000'000;
constexpr std::size_t kSettleWindow = 5;
constexpr double kSettleTolerance = 0.01;
constexpr double kShort = 0.8;  // a warm-up sample below this share of the length asked for is too short

double median(const double* values, std::size_t count) {
  double sorted[kSettleWindow];
  std::copy(values, values + count, sorted);
  std::sort(sorted, sorted + count);
  return sorted[count / 2];
}

// Samples of a window: fewer than five where ten would not fit into the warm-up's bound, so that one long iteration is not
// called unsettled for being long. Its medians scatter more, and the tolerance allows for that.
std::size_t settle_window(double sample_seconds, double max_warmup_seconds) {
  const double fitting = std::floor(max_warmup_seconds / (2 * sample_seconds));
  return static_cast<std::size_t>(std::clamp(fitting, 1.0, double{kSettleWindow}));
}

// Within the bound; and a second sample where calibrating has used up the time, as long as one fits into it.
bool may_go_on(const std::vector<double>& samples, double elapsed, double max_warmup_seconds) {
  return elapsed < max_warmup_seconds || (samples.size() == 1 && samples[0] < max_warmup_seconds);
}

bool settled(const std::vector<double>& samples, double max_warmup_seconds) {
  if (samples.empty()) return false;
  const std::size_t window = settle_window(samples.back(), max_warmup_seconds);
  if (samples.size() < 2 * window) return false;
  const double* end = samples.data() + samples.size();
  const double now = median(end - window, window);
  const double before = median(end - 2 * window, window);
  const double tolerance = kSettleTolerance * std::sqrt(double{kSettleWindow} / static_cast<double>(window));
  return std::abs(now - before) <= tolerance * before;
}

// A batch `factor` times as long, with 20 % to spare; never more than twelvefold at once, since the first batches run cold
// and mislead.
std::uint64_t scaled(std::uint64_t iterations, double factor) {
  const double wanted = 1.2 * std::clamp(factor, 1.0, 10.0) * static_cast<double>(iterations);
  return std::max(iterations + 1, static_cast<std::uint64_t>(std::ceil(wanted)));
}

// Iterations that make a sample last at least `seconds`. The fastest of three batches decides, so that one interrupted
// batch does not make the samples too short.
std::uint64_t calibrate(Problem& problem, double seconds, double budget, const std::atomic<bool>& stop) {
  std::uint64_t iterations = 1;
  const double deadline = monotonic_seconds() + budget;
  while (!stop.load(std::memory_order_relaxed)) {
    double best = problem.run_timed(iterations);
    for (int i = 0; i < 2 && best >= seconds && best < budget / 16; ++i) {
      best = std::min(best, problem.run_timed(iterations));
    }
    if (best >= seconds) return iterations;
    iterations = scaled(iterations, best > 0 ? seconds / best : 10.0);
    if (monotonic_seconds() > deadline && best * 4 >= seconds) return iterations;
  }
  return iterations;
}

}  // namespace

TimedLoopResult run_timed_loop(Problem& problem, const TimedLoopOptions& options, const std::atomic<bool>& stop) {
  const ClockInfo clock = clock_info();
  const double sample_seconds =
      std::max(options.min_sample_seconds, (clock.resolution_seconds + clock.overhead_seconds) / kClockShare);
  TimedLoopResult result;
  // All memory that the loop will need, before anything is timed.
  const double warmups = std::ceil(options.max_warmup_seconds / sample_seconds) + 1;
  result.warmup_samples.reserve(static_cast<std::size_t>(std::clamp(warmups, 1.0, double{kMaxWarmupSamples})));
  result.samples.reserve(options.max_samples);

  const double warmup_begin = monotonic_seconds();
  result.iterations_per_sample = calibrate(problem, sample_seconds, std::max(options.max_warmup_seconds, 0.05), stop);
  while (!stop.load(std::memory_order_relaxed) && !(result.warmup_settled = settled(result.warmup_samples, options.max_warmup_seconds)) &&
         may_go_on(result.warmup_samples, monotonic_seconds() - warmup_begin, options.max_warmup_seconds) &&
         result.warmup_samples.size() < result.warmup_samples.capacity()) {
    const double seconds = problem.run_timed(result.iterations_per_sample);
    if (seconds < kShort * sample_seconds) {
      // The calibration was disturbed and aimed too low: a larger batch, and the warm-up begins again.
      result.iterations_per_sample = scaled(result.iterations_per_sample, sample_seconds / seconds);
      result.warmup_samples.clear();
    } else {
      result.warmup_samples.push_back(seconds);
    }
  }

  double measured = 0;
  result.window_start = monotonic_seconds();
  const auto enough = [&] {
    return result.samples.size() >= options.max_samples ||
           (measured >= options.target_seconds && result.samples.size() >= options.min_samples);
  };
  while (!enough() && !stop.load(std::memory_order_relaxed)) {
    problem.sample_ceilings();
    result.samples.push_back(problem.run_timed(result.iterations_per_sample));
    measured += result.samples.back();
    const std::vector<double> ranks = problem.rank_seconds();
    result.rank_samples.resize(ranks.size());
    for (std::size_t rank = 0; rank < ranks.size(); ++rank) result.rank_samples[rank].push_back(ranks[rank]);
  }
  problem.sample_ceilings();
  result.window_end = monotonic_seconds();
  result.complete = enough();
  return result;
}

}  // namespace aibench
