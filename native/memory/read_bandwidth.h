// How fast a team of threads reads a working set that it reads again and again: the rungs of the bandwidth ladder from L1 to
// memory, as a Problem.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "core/problem.h"

namespace aibench {

struct ReadBandwidthOptions {
  std::uint64_t bytes = 0;  // of all threads together
  int threads = 1;
  std::uint64_t seed = 0;
  std::string isa;  // empty: AIBENCH_ISA, else the best there is
};

// Fails with BAD_OPTION (fewer than 256 bytes per thread), ISA_UNKNOWN, ISA_UNSUPPORTED; allocates nothing yet.
Status make_read_bandwidth(const ReadBandwidthOptions& options, std::unique_ptr<Problem>* problem);

}  // namespace aibench
