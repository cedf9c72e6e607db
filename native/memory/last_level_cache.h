// The size beyond which data cannot stay on the chip.
#pragma once
#include <cstdint>

namespace aibench {

// Bytes of last-level cache that the CPUs of this process reach together: the size of one instance times the number
// of instances that these CPUs need. 32 MiB where nothing reports a cache.
std::uint64_t last_level_cache_bytes();

}  // namespace aibench
