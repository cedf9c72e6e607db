// A collective among the GPUs of this machine, by NCCL or RCCL in one process, as a Problem. Message sizes, patterns and
// verification are those of the CPU's collectives (collective/pattern.h).
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/problem.h"
#include "gpu/work_options.h"

namespace aibench::gpu {

struct GpuCollectiveOptions : GpuWork {
  std::vector<std::string> library;  // names to try
  // devices: one rank each
  std::string collective, dtype, op = "sum";
  std::uint64_t bytes = 0;  // of the larger of a rank's two vectors
  bool in_place = false;
  bool per_call = false;  // waits for each call, else calls back to back
};

// Fails with BAD_OPTION; opens nothing. prepare() fails with the codes of Driver::open, CollectiveLibrary::open and Context::open.
Status create_gpu_collective(const GpuCollectiveOptions& options, std::unique_ptr<Problem>* problem);

}  // namespace aibench::gpu
