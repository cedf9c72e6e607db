// A sleep until a point in time that another thread can cut short.
#pragma once
#include <atomic>
#include <cstdint>

#ifndef __linux__
#include <condition_variable>
#include <mutex>
#endif

namespace aibench {

// On Linux one futex and nothing else: beside a load that fills the caches, the code and the two locks of a condition
// variable cost a good part of what the wake-up itself costs.
class WakeableSleep {
 public:
  // To be taken before the caller looks for a reason not to sleep: no wake() from then on is missed.
  std::uint32_t ticket() const { return wakes_.load(std::memory_order_acquire); }
  // CLOCK_MONOTONIC seconds; infinity for no end. Returns at once if wake() was called since the ticket was taken, and now and
  // then for no reason at all.
  void sleep_until(double monotonic_seconds, std::uint32_t ticket);
  // Any thread.
  void wake();

 private:
  std::atomic<std::uint32_t> wakes_{0};
#ifndef __linux__
  std::mutex lock_;
  std::condition_variable woken_;
#endif
};

}  // namespace aibench
