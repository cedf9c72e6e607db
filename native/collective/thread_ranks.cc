// Ranks as threads; with more ranks than CPUs as user-level threads, of which each CPU's thread runs its share in turns.
#include <cstddef>
#include <vector>

#include "collective/rank_team.h"
#include "core/fibers.h"
#include "core/thread_team.h"

namespace aibench {
namespace {

class ThreadRanks final : public RankTeam {
 public:
  ThreadRanks(int ranks, GroupWatch* watch)
      : cpus_(static_cast<int>(allowed_cpus().size())),
        shared_(ranks > cpus_ && Fibers::supported()),
        ranks_(ranks),
        team_(shared_ ? cpus_ : ranks),
        watch_(watch) {
    if (!shared_) return;
    members_.resize(static_cast<std::size_t>(cpus_));
    for (int rank = 0; rank < ranks; ++rank) members_[static_cast<std::size_t>(rank % cpus_)].push_back(rank);
    for (const std::vector<int>& members : members_) fibers_.push_back(std::make_unique<Fibers>(members.size()));
  }
  Status start() override {
    team_.bind_caller();
    return Status::success();
  }
  bool oversubscribed() const override { return ranks_ > cpus_; }
  Waiting waiting() const override {
    return shared_ ? Waiting::kTakesTurns : team_.oversubscribed() ? Waiting::kYields : Waiting::kSpins;
  }
  Status run(Function fn, void* context) override {
    if (watch_->failed()) return watch_->reason();
    Call call{this, fn, context};
    if (!shared_) {
      team_.run([&](int rank) { run_rank(&call, rank); });
    } else {
      team_.run([&](int thread) {
        const auto t = static_cast<std::size_t>(thread);
        fibers_[t]->run(members_[t], run_rank, &call);
      });
    }
    return watch_->reason();
  }

 private:
  struct Call {
    ThreadRanks* self;
    Function function;
    void* context;
  };
  static void run_rank(void* context, int rank) {
    Call& call = *static_cast<Call*>(context);
    try {
      call.self->watch_->begin(rank);
      call.function(call.context, rank);
    } catch (const GroupFailure&) {
      // the reason is on the board
    }
  }

  const int cpus_;
  const bool shared_;  // CPUs' threads run several ranks each
  const int ranks_;
  ThreadTeam team_;
  GroupWatch* watch_;
  std::vector<std::vector<int>> members_;  // ranks by thread
  std::vector<std::unique_ptr<Fibers>> fibers_;
};

}  // namespace

std::unique_ptr<RankTeam> make_thread_team(int ranks, GroupWatch* watch) {
  return std::make_unique<ThreadRanks>(ranks, watch);
}

}  // namespace aibench
