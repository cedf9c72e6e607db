// The GPUs that a driver lists, with what is needed to name them, to place them and to find their sensors.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/status.h"
#include "gpu/driver.h"

namespace aibench::gpu {

struct DeviceInfo {
  int index = 0;
  std::string name;
  std::string uuid;           // of the board, as NVML and nvidia-smi write it; empty where the driver does not say
  std::string instance_uuid;  // of the MIG instance that this device is; empty where it is a whole GPU
  std::string pci;            // 0000:1b:00.0
  int numa_node = -1;         // -1: unknown, or a machine without NUMA
  std::uint64_t memory_bytes = 0;
  std::uint64_t free_bytes = 0;  // 0 where it was not asked
  int multiprocessors = 0;
  int major = 0, minor = 0;  // compute capability; for AMD gfx942 is 9.4
  double clock_hz = 0;       // highest
  double memory_clock_hz = 0;
  int bus_width_bits = 0;
  std::uint64_t l2_bytes = 0;
  std::uint64_t last_cache_bytes = 0;  // of what lies before memory: L2, or AMD's Infinity Cache behind it
  bool ecc = false;
  bool integrated = false;
};

// Everything but free_bytes; creates no context. `sys_root` is there for tests.
Status describe_device(const Driver& driver, int index, DeviceInfo* info, const std::string& sys_root = "/sys");

}  // namespace aibench::gpu
