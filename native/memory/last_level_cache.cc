#include "memory/last_level_cache.h"

#include "core/cpu_features.h"
#include "core/thread_team.h"

namespace aibench {

std::uint64_t last_level_cache_bytes() {
  constexpr std::uint64_t kUnknown = 32u << 20;
  CpuCache last;
  for (const CpuCache& cache : cpu_caches()) {
    if (cache.type != "instruction" && cache.level >= last.level) last = cache;
  }
  if (last.size_bytes <= 0) return kUnknown;
  const std::uint64_t cpus = allowed_cpus().size();
  const std::uint64_t shared_by = last.shared_by > 0 ? static_cast<std::uint64_t>(last.shared_by) : 1;
  return static_cast<std::uint64_t>(last.size_bytes) * ((cpus + shared_by - 1) / shared_by);
}

}  // namespace aibench
