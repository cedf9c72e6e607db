// Puts threads that drive a GPU on the CPUs beside it.
#pragma once
#include <string>

namespace aibench::gpu {

// Binds the calling thread to those CPUs of the NUMA node that this process may use. False, and nothing is changed, where the
// node is unknown or none of its CPUs are allowed. `sys_root` is there for tests.
bool bind_to_numa_node(int node, const std::string& sys_root = "/sys");

}  // namespace aibench::gpu
