// What every record of work on GPUs says of them.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "gpu/devices.h"
#include "gpu/driver.h"

namespace aibench::gpu {

// deviceName, uuids and pciBusIds (blank between), driverVersion, ... of the devices in their order.
void device_facts(const Driver& driver, const std::vector<const DeviceInfo*>& devices, std::map<std::string, std::string>& facts);

}  // namespace aibench::gpu
