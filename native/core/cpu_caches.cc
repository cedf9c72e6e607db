#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>

#include "core/cpu_features.h"
#include "core/thread_team.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace aibench {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// "32K", "32768K", "1M" in bytes; 0 when it is none of these.
long parse_size(const std::string& text) {
  char* end = nullptr;
  const long number = std::strtol(text.c_str(), &end, 10);
  if (end == text.c_str() || number <= 0) return 0;
  return number << (*end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0);
}

// Number of CPUs in a list such as "0-3,8".
int count_cpus(const std::string& list) {
  int count = 0;
  const char* p = list.c_str();
  while (*p != '\0') {
    char* end = nullptr;
    const long first = std::strtol(p, &end, 10);
    if (end == p) break;
    long last = first;
    if (*end == '-') last = std::strtol(end + 1, &end, 10);
    count += static_cast<int>(std::max(0L, last - first + 1));
    p = *end == ',' ? end + 1 : end;
    if (end == p && *end != ',') break;
  }
  return std::max(1, count);
}

// Wide enough for every CPU on the market; what lies outside is a hypervisor's mistake.
bool plausible(const CpuCache& cache) {
  const long lowest = cache.level == 1 ? 4L << 10 : cache.level == 2 ? 64L << 10 : 256L << 10;
  const long highest = cache.level == 1 ? 1L << 20 : cache.level == 2 ? 128L << 20 : 4L << 30;
  return cache.level >= 1 && cache.level <= 4 && cache.size_bytes >= lowest && cache.size_bytes <= highest;
}

std::vector<CpuCache> caches_from_sysfs(const std::string& sys_root) {
  std::vector<CpuCache> caches;
  const std::string cpu = sys_root + "/devices/system/cpu/cpu" + std::to_string(allowed_cpus().front()) + "/cache/index";
  for (int index = 0; index < 16; ++index) {
    const std::string base = cpu + std::to_string(index) + "/";
    CpuCache cache;
    cache.type = first_line(base + "type");
    if (cache.type.empty()) break;
    std::transform(cache.type.begin(), cache.type.end(), cache.type.begin(), [](char c) { return c | 0x20; });
    cache.level = std::atoi(first_line(base + "level").c_str());
    cache.size_bytes = parse_size(first_line(base + "size"));
    cache.line_bytes = std::atoi(first_line(base + "coherency_line_size").c_str());
    cache.ways = std::atoi(first_line(base + "ways_of_associativity").c_str());
    cache.shared_by = count_cpus(first_line(base + "shared_cpu_list"));
    if (plausible(cache)) caches.push_back(cache);
  }
  return caches;
}

// Leaf 4 (Intel) or 0x8000001d (AMD) describe caches alike: Intel SDM vol. 2A CPUID, AMD APM vol. 3 E.4.15.
std::vector<CpuCache> caches_from_cpuid() {
  std::vector<CpuCache> caches;
#if defined(__x86_64__)
  for (const std::uint32_t leaf : {0x8000001du, 4u}) {
    for (std::uint32_t index = 0; index < 16; ++index) {
      std::uint32_t a, b, c, d;
      if (__get_cpuid_count(leaf, index, &a, &b, &c, &d) == 0 || (a & 31) == 0) break;
      CpuCache cache;
      cache.type = (a & 31) == 1 ? "data" : (a & 31) == 2 ? "instruction" : "unified";
      cache.level = static_cast<int>((a >> 5) & 7);
      cache.line_bytes = static_cast<int>((b & 0xfff) + 1);
      cache.ways = static_cast<int>((b >> 22) + 1);
      cache.size_bytes = long{cache.ways} * static_cast<long>(((b >> 12) & 0x3ff) + 1) * cache.line_bytes *
                         (static_cast<long>(c) + 1);
      cache.shared_by = static_cast<int>(((a >> 14) & 0xfff) + 1);
      if (plausible(cache)) caches.push_back(cache);
    }
    if (!caches.empty()) break;
  }
#endif
  return caches;
}

}  // namespace

std::vector<CpuCache> cpu_caches(const std::string& sys_root) {
  std::vector<CpuCache> caches = caches_from_sysfs(sys_root);
  if (caches.empty() && sys_root == "/sys") caches = caches_from_cpuid();
  return caches;
}

CacheBudget cache_budget() {
  CacheBudget budget;
  for (const CpuCache& cache : cpu_caches()) {
    if (cache.type == "instruction") continue;
    // Hyper-threads share L1 and L2, but one measuring thread per core is the rule, so only L3 is divided.
    if (cache.level == 1) budget.l1 = cache.size_bytes;
    if (cache.level == 2) budget.l2 = cache.size_bytes;
    if (cache.level == 3) budget.l3_share = cache.size_bytes / std::max(1, cache.shared_by);
  }
  return budget;
}

}  // namespace aibench
