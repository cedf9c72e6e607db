#include "collective/group_watch.h"

#include <cstdio>
#include <cstring>

#include "core/clock.h"

namespace aibench {
namespace {

constexpr double kLookSeconds = 1e-3;

}  // namespace

void GroupWatch::begin(int rank) {
  alive_[rank].seconds.store(monotonic_seconds(), std::memory_order_relaxed);
  if (failed()) throw GroupFailure();
}

void GroupWatch::waiting(int rank, bool first) {
  if (failed()) throw GroupFailure();
  const double now = monotonic_seconds();
  Wait& wait = waits_[static_cast<std::size_t>(rank)];
  if (first) wait.began = now;
  if (now - wait.looked < kLookSeconds) return;
  wait.looked = now;
  alive_[rank].seconds.store(now, std::memory_order_relaxed);
  look(rank, now);
}

void GroupWatch::look(int rank, double now) {
  std::string how;
  const int dead = rank == 0 && dead_ != nullptr ? dead_(context_, &how) : -1;
  if (dead >= 0) fail("RANK_DIED", "rank " + std::to_string(dead) + " " + how);
  const double began = waits_[static_cast<std::size_t>(rank)].began;
  if (now - began < patience_) return;
  std::string silent;
  for (int other = 0; other < ranks_; ++other) {
    if (now - alive_[other].seconds.load(std::memory_order_relaxed) < 0.5 * patience_) continue;
    silent += (silent.empty() ? "" : ", ") + std::to_string(other);
  }
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.3g", patience_);
  if (silent.empty()) {
    if (now - began < 2 * patience_) return;  // a chain of waits: the rank at its end is named by its neighbour
    fail("RANKS_WAIT", "rank " + std::to_string(rank) + " and all others have waited for each other for " + seconds + " s");
  }
  fail("RANK_HANGS", "rank " + silent + " has not moved for " + seconds + " s while rank " + std::to_string(rank) +
                         " waits for it");
}

void GroupWatch::fail(const std::string& code, const std::string& message) {
  std::uint32_t fine = 0;
  if (board_->state.compare_exchange_strong(fine, 1, std::memory_order_acq_rel)) {
    std::snprintf(board_->code, sizeof board_->code, "%s", code.c_str());
    std::snprintf(board_->message, sizeof board_->message, "%s", message.c_str());
    board_->state.store(2, std::memory_order_release);
  }
  throw GroupFailure();
}

Status GroupWatch::reason() const {
  if (!failed()) return Status::success();
  const double deadline = monotonic_seconds() + 1;  // the writer may have died between 1 and 2
  while (board_->state.load(std::memory_order_acquire) != 2 && monotonic_seconds() < deadline) sched_yield();
  if (board_->state.load(std::memory_order_acquire) != 2) {
    return Status::failure("RANK_DIED", "a rank died while it reported a failure", "Run again.");
  }
  return Status::failure(board_->code, board_->message, "Run again; if it stays, see docs/collectives.md, \"When a rank fails\".");
}

}  // namespace aibench
