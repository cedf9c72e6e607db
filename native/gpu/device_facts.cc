#include "gpu/device_facts.h"

namespace aibench::gpu {

void device_facts(const Driver& driver, const std::vector<const DeviceInfo*>& devices, std::map<std::string, std::string>& facts) {
  std::string uuids, places, nodes;
  for (const DeviceInfo* one : devices) {
    const char* blank = uuids.empty() && places.empty() ? "" : " ";
    uuids += blank + one->uuid;
    places += blank + one->pci;
    nodes += blank + (one->numa_node < 0 ? std::string("-") : std::to_string(one->numa_node));
    if (!one->instance_uuid.empty()) facts["mig"] = "true";
  }
  const DeviceInfo& first = *devices.front();
  facts["deviceName"] = first.name;
  facts["deviceUuids"] = uuids;
  facts["devicePciBusIds"] = places;
  facts["numaNodes"] = nodes;
  facts["deviceMemoryBytes"] = std::to_string(first.memory_bytes);
  facts["multiprocessors"] = std::to_string(first.multiprocessors);
  facts["computeCapability"] = std::to_string(first.major) + "." + std::to_string(first.minor);
  facts["highestClockHz"] = std::to_string(static_cast<long long>(first.clock_hz));
  facts["driverVersion"] = driver.version_text();
  facts["driverLibrary"] = driver.library();
}

}  // namespace aibench::gpu
