// A collective among the threads or processes of this machine, as a Problem.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "collective/algorithm.h"
#include "core/problem.h"

namespace aibench {

struct CollectiveOptions {
  std::string collective = "allreduce";  // a name of algorithm.h
  std::string dtype = "f32";
  std::string op = "sum";   // where it reduces
  std::uint64_t bytes = 0;  // of the larger of a rank's two vectors; a multiple of the element size, 0 allowed
  int ranks = 1;
  std::uint64_t seed = 0;
  std::string algorithm;         // empty: by size and rank count
  std::string isa;               // empty: AIBENCH_ISA, else the best there is
  bool processes = false;        // ranks are processes, else threads
  bool private_buffers = false;  // ranks do not see each other's vectors, as with MPI
  bool in_place = false;         // the output overwrites the input (allreduce, broadcast, all-gather, reduce-scatter)
  bool per_call = false;         // OSU's method: barrier, one timed call; else calls back to back
  double patience_seconds = 30;  // a rank that has not moved for so long has failed
};

// Fails with BAD_OPTION, UNSUPPORTED_REDUCTION, ISA_UNKNOWN or ISA_UNSUPPORTED; allocates nothing yet. prepare() fails with
// OUT_OF_MEMORY, SHARED_MEMORY_FULL, SHARED_MEMORY_REFUSED or RANK_NOT_STARTED; later methods throw ProblemFailure with
// RANK_DIED, RANK_HANGS, RANKS_WAIT or RANK_MISMATCH, each naming the rank.
Status make_collective(const CollectiveOptions& options, std::unique_ptr<Problem>* problem);

// nccl-tests PERFORMANCE.md: bus bandwidth = algorithm bandwidth * this.
double bus_factor(Collective kind, int ranks);

}  // namespace aibench
