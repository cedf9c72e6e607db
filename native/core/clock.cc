#include "core/clock.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace aibench {
namespace {

std::int64_t monotonic_nanoseconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

// Back-to-back readings: the smallest positive difference is the resolution, or what a reading costs where that is
// more; the two cannot be told apart from outside and the larger is the safe one to plan with.
ClockInfo measure_clock() {
  constexpr int kReadings = 4096;
  constexpr int kBatch = 64;
  std::int64_t smallest = INT64_MAX;
  std::int64_t last = monotonic_nanoseconds();
  for (int i = 0; i < kReadings; ++i) {
    const std::int64_t now = monotonic_nanoseconds();
    if (now > last) smallest = std::min(smallest, now - last);
    last = now;
  }
  std::array<double, 31> costs;
  for (double& cost : costs) {
    const std::int64_t begin = monotonic_nanoseconds();
    for (int i = 0; i < kBatch - 1; ++i) last = monotonic_nanoseconds();
    const std::int64_t end = monotonic_nanoseconds();
    cost = static_cast<double>(end - begin) / kBatch;
  }
  std::nth_element(costs.begin(), costs.begin() + costs.size() / 2, costs.end());
  return {1e-9 * static_cast<double>(smallest), 1e-9 * costs[costs.size() / 2]};
}

}  // namespace

ClockInfo clock_info() {
  static const ClockInfo info = measure_clock();
  return info;
}

}  // namespace aibench
