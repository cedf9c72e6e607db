// STREAM (McCalpin): sustainable bandwidth of four simple kernels over arrays far larger than the caches, as a Problem.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "core/problem.h"

namespace aibench {

struct StreamOptions {
  std::string kernel;              // copy, scale, add, triad
  std::uint64_t bytes_per_array;   // a multiple of 8
  int threads = 1;
  std::uint64_t seed = 0;
  std::string isa;                 // empty: AIBENCH_ISA, else the best there is
};

// Fails with BAD_OPTION, ISA_UNKNOWN or ISA_UNSUPPORTED; allocates nothing yet.
Status make_stream(const StreamOptions& options, std::unique_ptr<Problem>* problem);

}  // namespace aibench
