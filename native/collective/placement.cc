#include "collective/placement.h"

#include <atomic>
#include <cstdint>

#include "collective/spin_wait.h"
#include "core/clock.h"

namespace aibench {

double one_way_seconds(ThreadTeam& team) {
  if (team.size() < 2 || team.oversubscribed()) return 0;
  constexpr std::uint32_t kRoundTrips = 500;  // per try: a clock reading is then 0.1 % of it
  constexpr int kTries = 10;
  struct alignas(128) Flag {
    std::atomic<std::uint32_t> value{0};
  };
  Flag ping, pong;
  double best = 0;
  team.run([&](int member) {
    if (member > 1) return;
    SpinWait spin(false);
    std::uint32_t sequence = 0;
    for (int attempt = 0; attempt < kTries; ++attempt) {
      const double begin = monotonic_seconds();
      for (std::uint32_t i = 0; i < kRoundTrips; ++i) {
        ++sequence;
        if (member == 0) {
          ping.value.store(sequence, std::memory_order_release);
          spin.until(pong.value, sequence);
        } else {
          spin.until(ping.value, sequence);
          pong.value.store(sequence, std::memory_order_release);
        }
      }
      const double seconds = (monotonic_seconds() - begin) / kRoundTrips / 2;
      if (member == 0 && (best == 0 || seconds < best)) best = seconds;
    }
  });
  return best;
}

}  // namespace aibench
