// The few calls of MPI that coordinate ranks, over the sockets of a job file: for collectives of GPUs where no MPI is installed. Bytes only; no
// collective of MPI is measured with it.
#pragma once
#include "core/status.h"
#include "mpi/job_file.h"
#include "mpi/mpi_library.h"

namespace aibench {

// Meets the other ranks (meet_at_file) and gives a table of calls for them; once per process. A rank that leaves ends those that follow; rank 0
// stays in the call that waits for it, and MpiLibrary::lost says which it was.
Status open_socket_job(const JobFile& job, const MpiLibrary** library);

}  // namespace aibench
