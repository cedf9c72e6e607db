// How long a cache line takes between every two CPUs, as a Problem.
#pragma once
#include <memory>

#include "core/problem.h"

namespace aibench {

// The first `cpus` CPUs that this process may use. One iteration is one round trip of a flag between every pair; a sample
// is the mean over pairs of half of it, and rank_seconds() has one entry per pair (0-1, 0-2, ..., 1-2, ...). Fails with
// BAD_OPTION for fewer than two CPUs or more than there are.
Status make_core_latency(int cpus, std::unique_ptr<Problem>* problem);

}  // namespace aibench
