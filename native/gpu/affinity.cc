#include "gpu/affinity.h"

#ifdef __linux__
#include <sched.h>
#endif
#include <cstdlib>
#include <fstream>

#include "core/thread_team.h"

namespace aibench::gpu {

bool bind_to_numa_node(int node, const std::string& sys_root) {
#ifdef __linux__
  if (node < 0) return false;
  std::ifstream file(sys_root + "/devices/system/node/node" + std::to_string(node) + "/cpulist");
  cpu_set_t wanted;
  CPU_ZERO(&wanted);
  for (std::string range; std::getline(file, range, ',');) {
    const int first = std::atoi(range.c_str());
    const std::size_t dash = range.find('-');
    const int last = dash == std::string::npos ? first : std::atoi(range.c_str() + dash + 1);
    for (int cpu = first; cpu <= last && cpu < CPU_SETSIZE; ++cpu) CPU_SET(static_cast<unsigned>(cpu), &wanted);
  }
  cpu_set_t chosen;
  CPU_ZERO(&chosen);
  for (const int cpu : allowed_cpus()) {
    if (cpu < CPU_SETSIZE && CPU_ISSET(static_cast<unsigned>(cpu), &wanted)) CPU_SET(static_cast<unsigned>(cpu), &chosen);
  }
  return CPU_COUNT(&chosen) > 0 && sched_setaffinity(0, sizeof chosen, &chosen) == 0;
#else
  static_cast<void>(node);
  static_cast<void>(sys_root);
  return false;
#endif
}

}  // namespace aibench::gpu
