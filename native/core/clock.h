// CLOCK_MONOTONIC: the one clock of samples, windows and telemetry.
#pragma once
#include <time.h>

namespace aibench {

inline double monotonic_seconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

struct ClockInfo {
  double resolution_seconds;  // smallest step seen
  double overhead_seconds;    // median cost of one reading
};
// Measured once per process (a few hundred microseconds), then remembered.
ClockInfo clock_info();

}  // namespace aibench
