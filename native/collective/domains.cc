#include "collective/domains.h"

#include <cstdlib>
#include <fstream>
#include <map>

#include "core/thread_team.h"

namespace aibench {
namespace {

// The list of CPUs behind the last cache level of `cpu`, which names the cache; empty where the system does not say.
std::string last_level_sharers(int cpu, const std::string& sys_root) {
  std::string sharers;
  for (int index = 0; index < 8; ++index) {
    std::ifstream file(sys_root + "/devices/system/cpu/cpu" + std::to_string(cpu) + "/cache/index" +
                       std::to_string(index) + "/shared_cpu_list");
    std::string list;
    if (!std::getline(file, list)) break;
    sharers = list;
  }
  return sharers;
}

}  // namespace

std::vector<int> cache_domains(int ranks, const std::string& sys_root) {
  std::vector<int> domains;
  const char* forced = std::getenv("AIBENCH_RANKS_PER_DOMAIN");
  const int per_domain = forced != nullptr ? std::atoi(forced) : 0;
  const std::vector<int> cpus = allowed_cpus();
  std::map<std::string, int> numbers;
  for (int rank = 0; rank < ranks; ++rank) {
    if (per_domain > 0) {
      domains.push_back(rank / per_domain);
      continue;
    }
    const std::string sharers = last_level_sharers(cpus[static_cast<std::size_t>(rank) % cpus.size()], sys_root);
    domains.push_back(numbers.try_emplace(sharers, static_cast<int>(numbers.size())).first->second);
  }
  return domains;
}

}  // namespace aibench
