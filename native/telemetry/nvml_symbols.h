// The calls of NVML that are used, and what takes more than one of them. Of nvml.cc alone.
#pragma once
#include <type_traits>

#include "core/dynamic_library.h"
#include "telemetry/nvml.h"

namespace aibench {

// Names as the driver exports them: the header's nvmlInit and others are macros for the _v2 symbols.
struct Nvml::Symbols {
  using Device = nvml::Device;
  using Return = nvml::Return;
  template <typename... Arguments>
  using Call = Return (*)(Arguments...);

  // Without these there is nothing to ask.
  Call<> init = nullptr;
  Call<> shutdown = nullptr;
  Call<unsigned*> device_count = nullptr;
  Call<unsigned, Device*> device_by_index = nullptr;
  // Each of these may be missing from an older library, or from a newer one that dropped it.
  Call<char*, unsigned> driver_version = nullptr;
  Call<Device, char*, unsigned> name = nullptr;
  Call<Device, char*, unsigned> uuid = nullptr;
  Call<Device, nvml::Memory*> memory = nullptr;
  Call<Device, unsigned*, unsigned*> mig_mode = nullptr;
  Call<Device, int*> virtualization = nullptr;
  Call<Device, int*, int*> compute_capability = nullptr;
  Call<Device, unsigned*> enforced_power_limit = nullptr;
  Call<Device, unsigned*> management_power_limit = nullptr;
  Call<Device, int, nvml::FieldValue*> field_values = nullptr;
  Call<Device, unsigned long long*> total_energy = nullptr;
  Call<Device, unsigned*> power_usage = nullptr;
  Call<Device, int, unsigned*> temperature = nullptr;
  Call<Device, nvml::Temperature*> temperature_v = nullptr;
  Call<Device, int, unsigned*> clock = nullptr;
  Call<Device, unsigned long long*> event_reasons = nullptr;
  Call<Device, unsigned long long*> throttle_reasons = nullptr;
  Call<Device, nvml::Utilization*> utilization = nullptr;
  Call<Device, int, int, unsigned long long*> ecc_errors = nullptr;
  Call<Device, int, unsigned*> pcie_throughput = nullptr;
  int driver_major = 0;

  // The name of the first required symbol that is missing; nullptr when all are there.
  const char* bind(const DynamicLibrary& library) {
    const auto take = [&library](auto* target, const char* symbol) {
      *target = library.function<std::remove_pointer_t<decltype(target)>>(symbol);
      return *target == nullptr ? symbol : nullptr;
    };
    take(&driver_version, "nvmlSystemGetDriverVersion");
    take(&name, "nvmlDeviceGetName");
    take(&uuid, "nvmlDeviceGetUUID");
    take(&memory, "nvmlDeviceGetMemoryInfo");
    take(&mig_mode, "nvmlDeviceGetMigMode");
    take(&virtualization, "nvmlDeviceGetVirtualizationMode");
    take(&compute_capability, "nvmlDeviceGetCudaComputeCapability");
    take(&enforced_power_limit, "nvmlDeviceGetEnforcedPowerLimit");
    take(&management_power_limit, "nvmlDeviceGetPowerManagementLimit");
    take(&field_values, "nvmlDeviceGetFieldValues");
    take(&total_energy, "nvmlDeviceGetTotalEnergyConsumption");
    take(&power_usage, "nvmlDeviceGetPowerUsage");
    take(&temperature, "nvmlDeviceGetTemperature");
    take(&temperature_v, "nvmlDeviceGetTemperatureV");
    take(&clock, "nvmlDeviceGetClockInfo");
    take(&event_reasons, "nvmlDeviceGetCurrentClocksEventReasons");
    take(&throttle_reasons, "nvmlDeviceGetCurrentClocksThrottleReasons");
    take(&utilization, "nvmlDeviceGetUtilizationRates");
    take(&ecc_errors, "nvmlDeviceGetTotalEccErrors");
    take(&pcie_throughput, "nvmlDeviceGetPcieThroughput");
    const char* missing = take(&init, "nvmlInit_v2");
    if (missing == nullptr) missing = take(&shutdown, "nvmlShutdown");
    if (missing == nullptr) missing = take(&device_count, "nvmlDeviceGetCount_v2");
    if (missing == nullptr) missing = take(&device_by_index, "nvmlDeviceGetHandleByIndex_v2");
    return missing;
  }

  // Calls function(device, arguments..., &value) if the library has it.
  template <typename T, typename Function, typename... Arguments>
  static Return ask(Function function, double* value, Device device, Arguments... arguments) {
    if (function == nullptr) return nvml::kFunctionNotFound;
    T raw{};
    const Return code = function(device, arguments..., &raw);
    if (code == nvml::kSuccess) *value = static_cast<double>(raw);
    return code;
  }

  static Return number(const nvml::FieldValue& answer, double* value) {
    if (answer.status != nvml::kSuccess) return answer.status;
    switch (answer.value_type) {
      case nvml::kDouble: *value = answer.value.d; break;
      case nvml::kUnsignedInt: *value = answer.value.ui; break;
      case nvml::kUnsignedLong: *value = static_cast<double>(answer.value.ul); break;
      case nvml::kUnsignedLongLong: *value = static_cast<double>(answer.value.ull); break;
      case nvml::kSignedLongLong: *value = static_cast<double>(answer.value.sll); break;
      case nvml::kSignedInt: *value = answer.value.si; break;
      case nvml::kUnsignedShort: *value = answer.value.us; break;
      default: return nvml::kUnknown;
    }
    return nvml::kSuccess;
  }

  static nvml::FieldValue question(unsigned id, unsigned scope) {
    nvml::FieldValue asked{};
    asked.field_id = id;
    asked.scope_id = scope;
    asked.status = nvml::kUnknown;
    return asked;
  }

  // The call can succeed while the field in it failed: each has a return code of its own.
  Return field(Device device, unsigned id, double* value, unsigned scope = nvml::kScopeGpu,
               nvml::ValueType* type = nullptr) const {
    if (field_values == nullptr) return nvml::kFunctionNotFound;
    nvml::FieldValue answer = question(id, scope);
    if (const Return code = field_values(device, 1, &answer); code != nvml::kSuccess) return code;
    if (type != nullptr) *type = answer.value_type;
    return number(answer, value);
  }

  // One of the three counters whose numbers have moved: 0 heat, by software, 1 heat, by hardware, 2 power brake. An answer of 32
  // bits is another field, whatever the driver's version says: such a counter of ns would start again every four seconds.
  Return slowdown(Device device, unsigned which, double* value) const {
    const unsigned first = nvml::first_slowdown_field(driver_major);
    if (first == 0) return nvml::kNotSupported;
    nvml::ValueType type = nvml::kDouble;
    double answer = 0;
    if (const Return code = field(device, first + which, &answer, nvml::kScopeGpu, &type); code != nvml::kSuccess) return code;
    if (type != nvml::kUnsignedLongLong && type != nvml::kSignedLongLong) return nvml::kNotSupported;
    *value = answer;
    return nvml::kSuccess;
  }

  // NVLink 5 counts bytes per link: their sum over the links that count, in KiB as the field for all links of older ones.
  Return over_links(Device device, unsigned id, double* value) const {
    double links = 0;
    if (const Return code = field(device, nvml::kFieldNvlinkLinks, &links); code != nvml::kSuccess) return code;
    const unsigned count = static_cast<unsigned>(links);
    if (count == 0 || count > nvml::kMostLinks) return nvml::kNotSupported;
    nvml::FieldValue answers[nvml::kMostLinks];
    for (unsigned link = 0; link < count; ++link) answers[link] = question(id, link);
    if (const Return code = field_values(device, static_cast<int>(count), answers); code != nvml::kSuccess) return code;
    double bytes = 0;
    Return first_error = nvml::kNotSupported;
    bool counts = false;
    for (unsigned link = 0; link < count; ++link) {
      double of_link = 0;
      const Return code = number(answers[link], &of_link);
      if (code == nvml::kSuccess) bytes += of_link;
      if (code == nvml::kSuccess) counts = true;
      if (code != nvml::kSuccess && link == 0) first_error = code;
    }
    if (!counts) return first_error;
    *value = bytes / 1024;
    return nvml::kSuccess;
  }

  Return pcie(Device device, int direction, double* value) const {
    return ask<unsigned>(pcie_throughput, value, device, direction);
  }

  Return ecc(Device device, int type, double* value) const {
    return ask<unsigned long long>(ecc_errors, value, device, type, nvml::kEccVolatile);
  }
};

}  // namespace aibench
