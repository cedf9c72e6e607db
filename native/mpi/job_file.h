// Ranks that find each other without an MPI launcher: rank 0 writes where it listens into a file that all of them see, the others connect.
#pragma once
#include <string>
#include <vector>

#include "core/status.h"

namespace aibench {

struct JobFile {
  std::string path;
  int rank = -1, size = -1;
  double patience_seconds = 300;  // for all ranks to come
};

// What the environment says: AIBENCH_JOB_FILE, AIBENCH_JOB_RANK and AIBENCH_JOB_SIZE (or those of Open MPI's, Hydra's or Slurm's launcher),
// AIBENCH_JOB_PATIENCE. `path` is empty where there is no job file. `get` is getenv, another in tests.
JobFile job_file_of(const char* (*get)(const char*));

// Waits until all ranks are connected: rank 0 gets a socket for each of the others, by rank (its own place holds -1); they get one to rank 0.
// The file is written whole (a temporary one is renamed), readable by its owner only, and is gone when all have come. It holds a random
// token, without which nobody is let in. A file of an earlier job does no harm: nobody answers at the address in it, or not with its token;
// rank 0 replaces it and the others wait for the new one.
// Fails with JOB_FILE_BAD (environment or file system), JOB_RUNNING (another job uses the file), JOB_TIMEOUT, JOB_RANKS_DIFFER (two ranks of
// one number, or of another size).
Status meet_at_file(const JobFile& job, std::vector<int>* sockets);

}  // namespace aibench
