// Collectives over the ranks of a job, MPI's own or those of GPUs, as a Problem on rank 0; the other ranks follow its commands.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "core/problem.h"
#include "gpu/work_options.h"
#include "mpi/mpi_world.h"

namespace aibench {

struct MpiCollectiveOptions {
  std::string collective = "allreduce";
  std::string dtype = "f32";
  std::string op = "sum";
  std::uint64_t bytes = 0;
  std::uint64_t seed = 0;
  bool in_place = false;
  bool per_call = false;
  int ranks = 0;  // of MPI's own: the first so many of the job; 0: all
  // MPI's own where it is empty; nccl, rccl: one GPU per rank, with the libraries of rank 0's host.
  std::string engine;
  gpu::GpuLibraries libraries;
};

// For rank 0. Fails with BAD_OPTION, UNSUPPORTED_REDUCTION or MPI_ABSENT (a job without MPI has no collectives of MPI's).
Status make_mpi_collective(MpiWorld& world, const MpiCollectiveOptions& options, std::unique_ptr<Problem>* problem);

}  // namespace aibench
