// What OpenCL sees on this machine.
#pragma once
#include <string>
#include <vector>

#include "core/status.h"
#include "opencl/opencl_library.h"

namespace aibench::opencl {

struct DeviceInfo {
  Platform platform = nullptr;
  Device device = nullptr;
  int index = 0;  // over all platforms, in the order of the loader
  std::string platform_name, platform_version, name, vendor, driver_version, version;
  std::string type;       // gpu, cpu, accelerator, other
  bool software = false;  // it computes on the host's CPU: no other hardware is measured
  bool compiler = false;  // it compiles OpenCL C; an FPGA with fixed kernels may not
  bool f16 = false, f64 = false;
  std::uint64_t memory_bytes = 0;          // all of it; OpenCL does not say what is free
  std::uint64_t max_allocation_bytes = 0;  // of one buffer
  std::uint32_t compute_units = 0;
  double clock_hz = 0;
};

// Fails with OPENCL_NO_PLATFORM, OPENCL_NO_DEVICE, OPENCL_FAILED. May take seconds: drivers are loaded by the first call.
Status list_devices(const OpenclLibrary& library, std::vector<DeviceInfo>* devices);

// The device of that index; a negative index is the first that is not software, else the first.
Status choose_device(const OpenclLibrary& library, int index, DeviceInfo* device);

}  // namespace aibench::opencl
