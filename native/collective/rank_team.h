// Who the ranks are: threads of this process, or processes forked from it. Rank 0 is the caller in both.
#pragma once
#include <memory>
#include <string>

#include "collective/group_watch.h"
#include "core/status.h"

namespace aibench {

class RankTeam {
 public:
  using Function = void (*)(void* context, int rank);
  virtual ~RankTeam() = default;
  // Makes the ranks and pins them to the CPUs that this process may use, in order, round robin when there are more.
  virtual Status start() = 0;
  // More ranks than CPUs.
  virtual bool oversubscribed() const = 0;
  // How ranks that wait for each other do so.
  virtual Waiting waiting() const = 0;
  // Calls fn(context, rank) at every rank and returns when all are done, or with the reason of the group's failure.
  // Processes see `context` as it was at start(): what changes later belongs into shared memory.
  virtual Status run(Function fn, void* context) = 0;
  // Operating-system ids of the processes by rank; empty for threads.
  virtual std::string process_ids() const { return ""; }
};

std::unique_ptr<RankTeam> make_thread_team(int ranks, GroupWatch* watch);
// `control`: process_team_bytes() of zeroed memory that the processes will share.
std::unique_ptr<RankTeam> make_process_team(int ranks, GroupWatch* watch, char* control);
std::size_t process_team_bytes(int ranks);

}  // namespace aibench
