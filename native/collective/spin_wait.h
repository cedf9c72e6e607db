// Waiting for another rank's flag: a short spin, then the CPU is offered to whoever else wants it, and somebody looks
// whether the other rank is still there. With more ranks than CPUs the rank waited for may be the one that this wait keeps
// from running: every failed look then gives its turn to the thread's other ranks, or the CPU away.
#pragma once
#include <sched.h>

#include <atomic>
#include <cstdint>

#include "core/cpu_relax.h"
#include "core/fibers.h"

namespace aibench {

// Looks after a rank that waits longer than a spin.
class Watch {
 public:
  virtual ~Watch() = default;
  // Called between looks at the flag, with `first` when this wait has just become long; throws GroupFailure to end it.
  virtual void waiting(int rank, bool first) = 0;
};

enum class Waiting {
  kSpins,       // a CPU per rank
  kTakesTurns,  // ranks of one CPU are fibers of one thread
  kYields       // ranks of one CPU are threads or processes
};

class SpinWait {
 public:
  explicit SpinWait(Waiting waiting, Watch* watch = nullptr, int rank = 0)
      : waiting_(waiting), spins_left_(waiting == Waiting::kYields ? 0 : kSpins), watch_(watch), rank_(rank) {}

  // Returns when `flag` has reached `value`, counted modulo 2^32; what was written before it was stored is visible.
  void until(const std::atomic<std::uint32_t>& flag, std::uint32_t value) {
    bool first = true;
    while (!reached(flag, value)) {
      if (waiting_ == Waiting::kTakesTurns) Fibers::give_way();
      if (spins_left_ > 0) {
        --spins_left_;
        if (waiting_ == Waiting::kSpins) cpu_relax();
      } else {
        sched_yield();
        if (waiting_ == Waiting::kYields && reached(flag, value)) return;
        if (watch_ != nullptr) watch_->waiting(rank_, first);
        first = false;
      }
    }
  }

 private:
  static bool reached(const std::atomic<std::uint32_t>& flag, std::uint32_t value) {
    return static_cast<std::int32_t>(flag.load(std::memory_order_acquire) - value) >= 0;
  }

  // Some 2 milliseconds: longer than a piece of any message takes. Where other processes want the CPU, a rank that gives it away for
  // less gets it back a time slice later, and the others wait for it meanwhile.
  static constexpr int kSpins = 100000;
  Waiting waiting_;
  int spins_left_;
  Watch* watch_;
  int rank_;
};

}  // namespace aibench
