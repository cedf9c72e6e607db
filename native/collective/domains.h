// Which ranks share a last-level cache.
#pragma once
#include <string>
#include <vector>

namespace aibench {

// Domain of each rank, by the CPU that it is pinned to (round robin over the CPUs of this process): ranks with the same
// number share a last-level cache. One domain where the system does not say. AIBENCH_RANKS_PER_DOMAIN=2 cuts ranks into
// domains of two instead, for tests on machines with one cache.
std::vector<int> cache_domains(int ranks, const std::string& sys_root = "/sys");

}  // namespace aibench
