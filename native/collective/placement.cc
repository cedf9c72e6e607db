#include "collective/placement.h"

#include <atomic>
#include <cstdint>

#include "collective/spin_wait.h"
#include "core/clock.h"

namespace aibench {

double one_way_seconds(ThreadTeam& team) {
  if (team.size() < 2 || team.oversubscribed()) return 0;
  constexpr std::uint32_t kRoundTrips = 200;  // per try: two clock readings are then below 1 % of it
  constexpr int kTries = 20;
  constexpr double kBudgetSeconds = 0.02;  // on a busy machine a try can take many time slices
  struct alignas(128) Flag {
    std::atomic<std::uint32_t> value{0};
  };
  Flag ping, pong;
  std::atomic<bool> done{false};
  double best = 0;
  const auto ask = [&] {
    SpinWait spin(false);
    std::uint32_t sequence = 0;
    const double deadline = monotonic_seconds() + kBudgetSeconds;
    for (int attempt = 0; attempt < kTries && monotonic_seconds() < deadline; ++attempt) {
      const double begin = monotonic_seconds();
      for (std::uint32_t i = 0; i < kRoundTrips; ++i) {
        ping.value.store(++sequence, std::memory_order_release);
        spin.until(pong.value, sequence);
      }
      const double seconds = (monotonic_seconds() - begin) / kRoundTrips / 2;
      if (best == 0 || seconds < best) best = seconds;
    }
    done.store(true, std::memory_order_relaxed);
    ping.value.store(sequence + 1, std::memory_order_release);
  };
  const auto answer = [&] {
    SpinWait spin(false);
    for (std::uint32_t sequence = 1;; ++sequence) {
      spin.until(ping.value, sequence);
      if (done.load(std::memory_order_relaxed)) return;
      pong.value.store(sequence, std::memory_order_release);
    }
  };
  team.run([&](int member) {
    if (member == 0) ask();
    if (member == 1) answer();
  });
  return best;
}

}  // namespace aibench
