#include "core/wakeable_sleep.h"

#include <cmath>

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#else
#include <chrono>
#endif

namespace aibench {

#ifdef __linux__

void WakeableSleep::sleep_until(double monotonic_seconds, std::uint32_t ticket) {
  const bool endless = std::isinf(monotonic_seconds);
  if (endless) monotonic_seconds = 0;
  timespec end;
  end.tv_sec = static_cast<time_t>(monotonic_seconds);
  end.tv_nsec = static_cast<long>((monotonic_seconds - static_cast<double>(end.tv_sec)) * 1e9);
  // FUTEX_WAIT_BITSET takes an absolute time of CLOCK_MONOTONIC; FUTEX_WAIT would take a span.
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&wakes_), FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, ticket,
          endless ? nullptr : &end, nullptr, FUTEX_BITSET_MATCH_ANY);
}

void WakeableSleep::wake() {
  wakes_.fetch_add(1, std::memory_order_release);
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&wakes_), FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1 << 30, nullptr,
          nullptr, 0);
}

#else

void WakeableSleep::sleep_until(double monotonic_seconds, std::uint32_t ticket) {
  using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC in libc++
  std::unique_lock<std::mutex> guard(lock_);
  const auto was_woken = [&] { return wakes_.load(std::memory_order_relaxed) != ticket; };
  if (std::isinf(monotonic_seconds)) return woken_.wait(guard, was_woken);
  const auto since_start = std::chrono::duration<double>(monotonic_seconds);
  woken_.wait_until(guard, Clock::time_point(std::chrono::duration_cast<Clock::duration>(since_start)), was_woken);
}

void WakeableSleep::wake() {
  {
    const std::lock_guard<std::mutex> guard(lock_);
    wakes_.fetch_add(1, std::memory_order_release);
  }
  woken_.notify_all();
}

#endif

}  // namespace aibench
