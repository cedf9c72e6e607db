// Ranks as threads.
#include "collective/rank_team.h"
#include "core/thread_team.h"

namespace aibench {
namespace {

class ThreadRanks final : public RankTeam {
 public:
  ThreadRanks(int ranks, GroupWatch* watch) : team_(ranks), watch_(watch) {}
  Status start() override {
    team_.bind_caller();
    return Status::success();
  }
  bool oversubscribed() const override { return team_.oversubscribed(); }
  Status run(Function fn, void* context) override {
    if (watch_->failed()) return watch_->reason();
    team_.run([&](int rank) {
      try {
        watch_->begin(rank);
        fn(context, rank);
      } catch (const GroupFailure&) {
        // the reason is on the board
      }
    });
    return watch_->reason();
  }

 private:
  ThreadTeam team_;
  GroupWatch* watch_;
};

}  // namespace

std::unique_ptr<RankTeam> make_thread_team(int ranks, GroupWatch* watch) {
  return std::make_unique<ThreadRanks>(ranks, watch);
}

}  // namespace aibench
