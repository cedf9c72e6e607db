// Load-to-use latency: every load's address is the value of the load before it.
#pragma once
#include <cstdint>
#include <memory>

#include "core/problem.h"

namespace aibench {

struct PointerChaseOptions {
  std::uint64_t bytes;  // footprint; rounded down to whole cache lines, at least two
  std::uint64_t seed = 0;
};

// Fails with BAD_OPTION; allocates nothing yet.
Status make_pointer_chase(const PointerChaseOptions& options, std::unique_ptr<Problem>* problem);

}  // namespace aibench
