// How much memory a process may still take before something has to give.
#pragma once
#include <cstdint>
#include <string>

#include "core/status.h"

namespace aibench {

// The smaller of MemAvailable (/proc/meminfo) and what the cgroups (v2 and v1) above this process leave, bytes.
// `proc_root` and `sys_root` are parameters so that tests can bring their own trees. 0 when nothing is known.
std::uint64_t available_memory_bytes(const std::string& proc_root = "/proc", const std::string& sys_root = "/sys");

// OUT_OF_MEMORY, naming the bytes needed and there, when `bytes` do not fit with 2 % to spare; success when they do or
// when nothing is known. Touches no memory.
Status check_memory(double bytes, const std::string& what);

}  // namespace aibench
