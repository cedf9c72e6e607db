// Allreduce among the threads of this process, as a Problem.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "core/problem.h"

namespace aibench {

struct AllreduceOptions {
  std::string dtype = "f32";
  std::string op = "sum";
  std::uint64_t bytes = 0;  // each rank's vector; a multiple of the element size, 0 allowed
  int ranks = 1;
  std::uint64_t seed = 0;
  std::string algorithm;  // empty: by size and rank count
  std::string isa;        // empty: AIBENCH_ISA, else the best there is
};

// Fails with BAD_OPTION, UNSUPPORTED_REDUCTION, ISA_UNKNOWN or ISA_UNSUPPORTED; allocates nothing yet.
Status make_allreduce(const AllreduceOptions& options, std::unique_ptr<Problem>* problem);

}  // namespace aibench
