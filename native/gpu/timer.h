// Times work on a device by its events and holds that against the wall clock: an event that covers only part of the work (as
// some libraries' do) would make a rate of fantasy.
#pragma once
#include <algorithm>
#include <cstdint>

#include "core/clock.h"
#include "gpu/context.h"

namespace aibench::gpu {

class Timer {
 public:
  // `enqueue()` puts the work on the context's stream and returns a Status. The seconds by the events; where they and the wall
  // clock differ by more than launching and waiting explain, the longer of the two. Throws ProblemFailure.
  template <typename Enqueue>
  double time(const Context& context, Enqueue&& enqueue) {
    const double begin = monotonic_seconds();
    require(context.mark_begin());
    require(enqueue());
    require(context.mark_end());
    double events = 0;
    require(context.marked_seconds(&events));
    return judge(events, monotonic_seconds() - begin);
  }
  // The seconds that count of a batch that took so long by its events and so long by the wall clock.
  double judge(double events, double wall) {
    ++samples_;
    if (wall <= events * (1 + kShare) + kOverheadSeconds && events <= wall * (1 + kClockShare) + kClockSeconds) return events;
    ++disagreements_;
    return std::max(wall, events);
  }
  // Where events cannot be believed from the start. Throws ProblemFailure.
  template <typename Enqueue>
  double time_by_wall(const Context& context, Enqueue&& enqueue) {
    const double begin = monotonic_seconds();
    require(enqueue());
    require(context.wait());
    ++samples_;
    return monotonic_seconds() - begin;
  }
  std::uint64_t samples() const { return samples_; }
  std::uint64_t disagreements() const { return disagreements_; }

 private:
  static constexpr double kShare = 0.05, kOverheadSeconds = 200e-6;  // launching the first and waiting for the last
  static constexpr double kClockShare = 1e-3, kClockSeconds = 5e-6;  // two clocks; an event's resolution is 0.5 us
  std::uint64_t samples_ = 0, disagreements_ = 0;
};

}  // namespace aibench::gpu
