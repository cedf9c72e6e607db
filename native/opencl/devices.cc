#include "opencl/devices.h"

#include <utility>

namespace aibench::opencl {
namespace {

// What `read(size, value, size_ret)` gives as text; empty where the driver refuses.
template <typename Read>
std::string text_of(Read read) {
  std::size_t bytes = 0;
  if (read(0, nullptr, &bytes) != kSuccess || bytes == 0) return {};
  std::string text(bytes, '\0');
  if (read(bytes, text.data(), nullptr) != kSuccess) return {};
  text.resize(text.find('\0') == std::string::npos ? text.size() : text.find('\0'));
  return text;
}

template <typename T>
T value_of(const OpenclLibrary& library, Device device, Uint what) {
  T value{};
  return library.clGetDeviceInfo(device, what, sizeof value, &value, nullptr) == kSuccess ? value : T{};
}

const char* type_name(DeviceType type) {
  if ((type & kTypeGpu) != 0) return "gpu";
  if ((type & kTypeAccelerator) != 0) return "accelerator";
  return (type & kTypeCpu) != 0 ? "cpu" : "other";
}

// The name stands between spaces: cl_khr_fp16 is not cl_khr_fp16_something.
bool has_extension(const std::string& extensions, const char* name) {
  return (" " + extensions + " ").find(std::string(" ") + name + " ") != std::string::npos;
}

DeviceInfo describe(const OpenclLibrary& library, Platform platform, Device device) {
  const auto of_platform = [&](Uint what) {
    return text_of([&](std::size_t size, void* value, std::size_t* used) {
      return library.clGetPlatformInfo(platform, what, size, value, used);
    });
  };
  const auto of_device = [&](Uint what) {
    return text_of([&](std::size_t size, void* value, std::size_t* used) {
      return library.clGetDeviceInfo(device, what, size, value, used);
    });
  };
  DeviceInfo info;
  info.platform = platform;
  info.device = device;
  info.platform_name = of_platform(kPlatformName);
  info.platform_version = of_platform(kPlatformVersion);
  info.name = of_device(kInfoName);
  info.vendor = of_device(kInfoVendor);
  info.driver_version = of_device(kInfoDriverVersion);
  info.version = of_device(kInfoVersion);
  const auto type = value_of<DeviceType>(library, device, kInfoType);
  info.type = type_name(type);
  // Mesa's software rasteriser calls itself a GPU in some versions.
  info.software = info.type == "cpu" || info.name.find("llvmpipe") != std::string::npos;
  info.compiler = value_of<Bool>(library, device, kInfoCompilerAvailable) != 0;
  const std::string extensions = of_device(kInfoExtensions);
  info.f16 = has_extension(extensions, "cl_khr_fp16");
  info.f64 = has_extension(extensions, "cl_khr_fp64");
  info.memory_bytes = value_of<Ulong>(library, device, kInfoGlobalMemory);
  info.max_allocation_bytes = value_of<Ulong>(library, device, kInfoMaxAllocation);
  info.compute_units = value_of<Uint>(library, device, kInfoComputeUnits);
  info.clock_hz = 1e6 * value_of<Uint>(library, device, kInfoClockMegahertz);
  return info;
}

}  // namespace

Status list_devices(const OpenclLibrary& library, std::vector<DeviceInfo>* devices) {
  Uint count = 0;
  Int code = library.clGetPlatformIDs(0, nullptr, &count);
  if (code == kPlatformNotFound || (code == kSuccess && count == 0)) {
    return Status::failure("OPENCL_NO_PLATFORM", library.file.path() + " knows no platform: no driver has a file in /etc/OpenCL/vendors",
                           "Install the OpenCL driver of the device (for a CPU on Debian and Ubuntu: apt-get install pocl-opencl-icd).");
  }
  std::vector<Platform> platforms(count);
  if (code == kSuccess) code = library.clGetPlatformIDs(count, platforms.data(), nullptr);
  if (code != kSuccess) return call_status(code, "clGetPlatformIDs");
  std::string failures;
  for (const Platform platform : platforms) {
    Uint here = 0;
    code = library.clGetDeviceIDs(platform, kTypeAll, 0, nullptr, &here);
    std::vector<Device> found(code == kSuccess ? here : 0);
    if (!found.empty()) code = library.clGetDeviceIDs(platform, kTypeAll, here, found.data(), nullptr);
    if (code != kSuccess && code != kDeviceNotFound) failures += (failures.empty() ? "; clGetDeviceIDs: " : ", ") + error_text(code);
    if (code != kSuccess) continue;
    for (const Device device : found) {
      if (value_of<Bool>(library, device, kInfoAvailable) == 0) continue;
      DeviceInfo info = describe(library, platform, device);
      info.index = static_cast<int>(devices->size());
      devices->push_back(std::move(info));
    }
  }
  if (!devices->empty()) return Status::success();
  return Status::failure("OPENCL_NO_DEVICE", "OpenCL has " + std::to_string(count) + " platform(s) and no device that is available" + failures,
                         "See `clinfo`; the user may lack the right to /dev/dri or /dev/kfd (groups video, render).");
}

Status choose_device(const OpenclLibrary& library, int index, DeviceInfo* device) {
  std::vector<DeviceInfo> devices;
  const Status status = list_devices(library, &devices);
  if (!status.ok()) return status;
  if (index >= static_cast<int>(devices.size())) {
    return Status::failure("DEVICE_UNKNOWN", "there is no opencl:" + std::to_string(index),
                           "Choose opencl:0 to opencl:" + std::to_string(devices.size() - 1) + "; see `aibench list devices`.");
  }
  std::size_t chosen = index < 0 ? 0 : static_cast<std::size_t>(index);
  for (std::size_t i = devices.size(); index < 0 && i-- > 0;) {
    if (!devices[i].software) chosen = i;
  }
  *device = devices[chosen];
  return status;
}

}  // namespace aibench::opencl
