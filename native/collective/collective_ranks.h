// What each rank of a CollectiveProblem does, and the memory through which rank 0 tells the others. A rank may be a process
// that saw this object as it was when it was forked: what changes afterwards lies in shared memory.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "collective/algorithm.h"
#include "collective/collective_problem.h"
#include "collective/pattern.h"
#include "collective/rank_team.h"
#include "collective/shared_memory.h"
#include "core/aligned_buffer.h"

namespace aibench {

class CollectiveRanks {
 public:
  enum class Action : int { kPrepare, kRun, kVerify, kUnwrite, kFlip, kLeaveOut, kOneWay, kCopy };
  struct Task {
    Action action;
    std::uint64_t iterations;
    std::uint64_t serial;  // of the batch
    int rank;              // whom a fault concerns, or the far end of a round trip
    std::size_t at;        // element
    int bit;               // kFlip: which; kCopy: 0 plain, 1 around the caches, 2 two streams at once; kRun: `rank` says that it makes another call
    bool refill;           // in place: the input is written anew before the first call
  };
  // One per rank: what it answers.
  struct alignas(128) Answer {
    double begin;
    double end;
    double value;
    std::uint64_t wrong;
    std::uint64_t fingerprint;  // of the call it is about to make
    std::uint64_t serial;
    bool out_of_memory;
  };

  CollectiveRanks(const CollectiveOptions& options, const Reduction& reduction, const CollectiveAlgorithm& algorithm,
                  const Pattern& pattern, std::size_t count, bool streaming);
  ~CollectiveRanks();

  // Makes the ranks and their memory.
  Status start();
  // Every rank does `task`; afterwards answer() holds what each said. Throws ProblemFailure.
  void perform(const Task& task);
  const Answer& answer(int rank) const { return answers_[rank]; }

  bool oversubscribed() const { return team_ && team_->oversubscribed(); }
  std::string process_ids() const { return team_ ? team_->process_ids() : ""; }
  std::size_t domains() const { return communicator_ ? communicator_->domains().size() : 1; }
  std::size_t bytes_allocated() const { return bytes_allocated_; }
  // Bytes that kCopy copies at each rank.
  std::size_t copy_bytes() const { return copy_bytes_; }

 private:
  void act(int rank);
  void prepare(int rank);
  void run(int rank);
  void copy(int rank);
  void agree(int rank);
  void place_buffers(int rank, char* memory);
  void unwrite_one_line(int rank);
  std::size_t buffer_bytes() const;
  CollectiveCall call() const { return {reduction_, send_.data(), receive_.data(), count_, streaming_}; }

  const CollectiveOptions options_;
  const Reduction& reduction_;
  const CollectiveAlgorithm& algorithm_;
  const Pattern pattern_;
  const std::size_t count_;
  const bool streaming_;
  const int ranks_;
  std::size_t send_count_, receive_count_, copy_bytes_;
  std::size_t bytes_allocated_ = 0;

  SharedMemory shared_;
  Task* task_ = nullptr;
  Answer* answers_ = nullptr;
  std::unique_ptr<GroupWatch> watch_;
  std::unique_ptr<Communicator> communicator_;
  std::vector<AlignedBuffer> private_;  // by rank
  std::vector<const void*> send_;       // by rank
  std::vector<void*> receive_;
  std::vector<void*> scratch_;          // what copies write
  std::unique_ptr<RankTeam> team_;      // last: its ranks use all of the above
};

}  // namespace aibench
