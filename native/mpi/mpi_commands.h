// How rank 0 moves the others: it sends each command to all, every rank does its part, and the answers come together.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mpi/job_rank.h"
#include "mpi/mpi_world.h"

namespace aibench {

// For MpiCommand::problem.
std::uint64_t next_mpi_problem();

// For rank 0: the answers of the first `ranks` ranks, or one that says that the job has ended. `libraries` are those of the problem's
// GPUs; `facts` gets what rank 0 says of itself when it is prepared.
std::vector<MpiAnswer> perform_at_all(MpiWorld& world, const MpiCommand& command, int ranks, const gpu::GpuLibraries& libraries,
                                      std::map<std::string, std::string>* facts);

// For the other ranks: does what rank 0 commands until it says that the job ends; returns the exit code it gives. Sleeps
// while there is nothing to do.
// `libraries`: of each GPU vendor on this host.
int follow_mpi_commands(MpiWorld& world, const std::vector<gpu::GpuLibraries>& libraries);

// For rank 0: tells the others to leave with `exit_code`.
void end_mpi_followers(MpiWorld& world, int exit_code);

// How many ranks a problem takes that asks for `wanted` (0: all). Fails with BAD_OPTION.
Status choose_mpi_ranks(const MpiWorld& world, int wanted, int* ranks);

}  // namespace aibench
