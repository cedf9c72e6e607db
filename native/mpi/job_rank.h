// What one rank of a job does for a collective: the same at rank 0 and at those that follow it, for MPI's own collectives and for those of GPUs.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gpu/work_options.h"
#include "mpi/mpi_world.h"

namespace aibench {

// Sent by rank 0 before each step; plain bytes between ranks of one build.
struct MpiCommand {
  enum Kind : std::int32_t { kPrepare, kRun, kVerify, kUnwrite, kFlip, kLeaveOut, kDamage, kCeilings, kPlacement, kRelease, kEnd };
  enum Engine : std::int32_t { kMpi, kNccl, kRccl, kProduct };  // kProduct: no collective, rows of a matrix product
  std::int32_t kind;
  std::uint64_t problem;  // whose command it is: numbers from 1 on
  // The collective, for kPrepare.
  std::int32_t engine, collective;
  char dtype[8];
  char op[8];
  std::uint64_t bytes;
  std::uint64_t seed;
  std::int32_t in_place, per_call;
  std::int32_t ranks;  // so many take part, from rank 0 on
  // Of a product.
  std::uint64_t m, n, k;
  std::int32_t threads;  // of each rank; 0: one per CPU of its own
  char fault[16];        // for kDamage
  // As CollectiveRanks::Task.
  std::uint64_t iterations, serial, at;
  std::int32_t rank, bit, refill;
  std::int32_t exit_code;  // for kEnd
};

// What each rank answers.
struct MpiAnswer {
  double seconds;
  std::uint64_t wrong;
  std::uint64_t fingerprint;
  std::uint64_t batches, disagreements;  // of a GPU's two clocks
  // Of a product: error and tolerance of its verification, or its two ceilings. For kPlacement: seconds of a message one way (0: this
  // rank did not time it), bytes per second of a copy.
  double values[2];
  std::int32_t threads;                  // of a product
  std::int32_t ok;                       // 0: it failed, as these say
  char code[32], message[400], remedy[200];
};
MpiAnswer answer_of(const Status& status);

class JobRank {
 public:
  virtual ~JobRank() = default;
  // Does the command; the answer goes to rank 0 by the caller. On the MPI thread.
  virtual MpiAnswer perform(const MpiCommand& command) = 0;
  // For the record; of rank 0.
  virtual std::map<std::string, std::string> facts() const { return {}; }
};

// The rank of the problem in hand, kept alike on all ranks: a problem's kPrepare ends what the one before it holds, and so does its own
// kRelease, everywhere at once, since the end of a communicator of GPUs is a collective, too. On the MPI thread.
class JobRankHolder {
 public:
  // `libraries`: of each GPU vendor, for the engines kNccl and kRccl.
  JobRankHolder(MpiWorld& world, std::vector<gpu::GpuLibraries> libraries) : world_(world), libraries_(std::move(libraries)) {}
  void set_libraries(std::vector<gpu::GpuLibraries> libraries) { libraries_ = std::move(libraries); }
  MpiAnswer perform(const MpiCommand& command);
  // nullptr where the rank is another problem's.
  const JobRank* of(std::uint64_t problem) const { return problem == problem_ ? rank_.get() : nullptr; }
  void clear() { rank_.reset(); }

 private:
  MpiWorld& world_;
  std::vector<gpu::GpuLibraries> libraries_;
  std::unique_ptr<JobRank> rank_;
  std::uint64_t problem_ = 0;
};

// Every rank says what it is about to call: a rank with another count would make a library hang or write wild. False: nobody may call.
// Among the first `ranks` ranks.
bool ranks_agree(MpiWorld& world, int ranks, std::uint64_t fingerprint);

}  // namespace aibench
