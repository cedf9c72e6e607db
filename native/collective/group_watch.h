// What ends a group whose ranks cannot go on: one of them has died, hangs, or was called with other arguments. The first
// rank that notices writes why, where all can read it; every wait of every rank then ends with GroupFailure.
#pragma once
#include <atomic>
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include "collective/spin_wait.h"
#include "core/status.h"

namespace aibench {

// Thrown by waits of a group that has failed; the reason is in its GroupWatch.
struct GroupFailure : std::exception {
  const char* what() const noexcept override { return "the group of ranks has failed"; }
};

// Lives in the memory that the ranks share; one AliveMark per rank behind it.
struct GroupBoard {
  std::atomic<std::uint32_t> state{0};  // 0 fine, 1 somebody writes the reason, 2 it is written
  char code[48];
  char message[400];
};
struct alignas(128) AliveMark {
  std::atomic<double> seconds{0};  // CLOCK_MONOTONIC when the rank was last seen waiting or beginning
};

class GroupWatch : public Watch {
 public:
  // Who of the ranks has died, or -1; fills how ("was killed by signal 9"). Called by rank 0 about every millisecond.
  using Dead = int (*)(void* context, std::string* how);

  GroupWatch(GroupBoard* board, AliveMark* alive, int ranks, double patience_seconds, Dead dead = nullptr,
             void* context = nullptr)
      : board_(board), alive_(alive), ranks_(ranks), patience_(patience_seconds), dead_(dead), context_(context),
        waits_(static_cast<std::size_t>(ranks)) {}

  void set_dead(Dead dead, void* context) {
    dead_ = dead;
    context_ = context;
  }
  void waiting(int rank, bool first) override;
  // A rank begins a piece of work: it is alive.
  void begin(int rank);
  // Writes the reason, unless there is one, and throws GroupFailure.
  [[noreturn]] void fail(const std::string& code, const std::string& message);
  bool failed() const { return board_->state.load(std::memory_order_acquire) != 0; }
  Status reason() const;
  double patience() const { return patience_; }

 private:
  void look(int rank, double now);

  GroupBoard* board_;
  AliveMark* alive_;
  int ranks_;
  double patience_;
  Dead dead_;
  void* context_;
  // Of each rank, in its own process: when its wait began and when it last looked around.
  struct alignas(128) Wait {
    double began = 0, looked = 0;
  };
  std::vector<Wait> waits_;
};

}  // namespace aibench
