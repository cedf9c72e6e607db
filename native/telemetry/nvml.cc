#include <cstdlib>
#include <limits>

#include "telemetry/nvml_symbols.h"

namespace aibench {
namespace {

using nvml::Device;
using nvml::Return;

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

constexpr const char* kQuantityNames[kNvmlQuantities] = {"energy",  "power",       "powerAverage",    "temperature",
                                                         "smClock", "memoryClock", "throttleReasons", "utilization",
                                                         "moduleEnergy", "modulePower", "memoryPower", "memoryTemperature",
                                                         "powerCapTime", "thermalTime", "hardwareThermalTime",
                                                         "powerBrakeTime", "syncBoostTime", "eccUncorrected", "eccCorrected",
                                                         "nvlinkTx", "nvlinkRx", "pcieTx", "pcieRx"};

std::string failed(const char* call, Return code) {
  return std::string(call) + " failed: " + nvml_error_name(code);
}

NvmlAbsence absence_of(const char* call, Return code) {
  const std::string reason = failed(call, code);
  if (code == nvml::kNoPermission) {
    return {"denied", reason, "Give this user access to the /dev/nvidia* devices, or run as a user who has it.", code};
  }
  if (code == nvml::kDriverNotLoaded) {
    return {"absent", reason, "Load the NVIDIA kernel driver (modprobe nvidia); without a GPU there is nothing to do.",
            code};
  }
  if (code == nvml::kLibRmVersionMismatch) {
    return {"unsupported", reason,
            "The library and the loaded kernel driver are of different versions: reboot, or reload the driver.", code};
  }
  return {"unsupported", reason, "See whether nvidia-smi works on this machine; it uses the same library.", code};
}

}  // namespace

const char* nvml_quantity_name(NvmlQuantity quantity) { return kQuantityNames[static_cast<int>(quantity)]; }

bool parse_nvml_quantity(const std::string& name, NvmlQuantity* quantity) {
  for (int i = 0; i < kNvmlQuantities; ++i) {
    if (name == kQuantityNames[i]) {
      *quantity = static_cast<NvmlQuantity>(i);
      return true;
    }
  }
  return false;
}

// In order of preference within a quantity.
const Nvml::Way Nvml::kWays[] = {
    {NvmlQuantity::kEnergy, "field 83 (total energy)",
     [](const Symbols& s, Device d, double* v) { return s.field(d, nvml::kFieldTotalEnergy, v); }},
    {NvmlQuantity::kEnergy, "nvmlDeviceGetTotalEnergyConsumption",
     [](const Symbols& s, Device d, double* v) { return Symbols::ask<unsigned long long>(s.total_energy, v, d); }},
    {NvmlQuantity::kPower, "field 186 (power instant)",
     [](const Symbols& s, Device d, double* v) { return s.field(d, nvml::kFieldPowerInstant, v); }},
    // Instantaneous before Ampere and on GA100, an average over a second on the others.
    {NvmlQuantity::kPower, "nvmlDeviceGetPowerUsage",
     [](const Symbols& s, Device d, double* v) { return Symbols::ask<unsigned>(s.power_usage, v, d); }},
    {NvmlQuantity::kPowerAverage, "field 185 (power average)",
     [](const Symbols& s, Device d, double* v) { return s.field(d, nvml::kFieldPowerAverage, v); }},
    {NvmlQuantity::kTemperature, "nvmlDeviceGetTemperatureV",
     [](const Symbols& s, Device d, double* v) {
       if (s.temperature_v == nullptr) return nvml::kFunctionNotFound;
       nvml::Temperature raw{nvml::kTemperatureVersion, nvml::kTemperatureGpu, 0};
       const Return code = s.temperature_v(d, &raw);
       if (code == nvml::kSuccess) *v = raw.celsius;
       return code;
     }},
    {NvmlQuantity::kTemperature, "nvmlDeviceGetTemperature",
     [](const Symbols& s, Device d, double* v) {
       return Symbols::ask<unsigned>(s.temperature, v, d, nvml::kTemperatureGpu);
     }},
    {NvmlQuantity::kSmClock, "nvmlDeviceGetClockInfo(SM)",
     [](const Symbols& s, Device d, double* v) { return Symbols::ask<unsigned>(s.clock, v, d, nvml::kClockSm); }},
    {NvmlQuantity::kMemoryClock, "nvmlDeviceGetClockInfo(MEM)",
     [](const Symbols& s, Device d, double* v) { return Symbols::ask<unsigned>(s.clock, v, d, nvml::kClockMemory); }},
    {NvmlQuantity::kThrottleReasons, "nvmlDeviceGetCurrentClocksEventReasons",
     [](const Symbols& s, Device d, double* v) { return Symbols::ask<unsigned long long>(s.event_reasons, v, d); }},
    {NvmlQuantity::kThrottleReasons, "nvmlDeviceGetCurrentClocksThrottleReasons",
     [](const Symbols& s, Device d, double* v) { return Symbols::ask<unsigned long long>(s.throttle_reasons, v, d); }},
    {NvmlQuantity::kUtilization, "nvmlDeviceGetUtilizationRates",
     [](const Symbols& s, Device d, double* v) {
       if (s.utilization == nullptr) return nvml::kFunctionNotFound;
       nvml::Utilization raw{};
       const Return code = s.utilization(d, &raw);
       if (code == nvml::kSuccess) *v = raw.gpu;
       return code;
     }},
    {NvmlQuantity::kModuleEnergy, "field 83 (total energy, module)",
     [](const Symbols& s, Device d, double* v) { return s.field(d, nvml::kFieldTotalEnergy, v, nvml::kScopeModule); }},
    {NvmlQuantity::kModulePower, "field 186 (power instant, module)",
     [](const Symbols& s, Device d, double* v) { return s.field(d, nvml::kFieldPowerInstant, v, nvml::kScopeModule); }},
    {NvmlQuantity::kMemoryPower, "field 186 (power instant, memory)",
     [](const Symbols& s, Device d, double* v) { return s.field(d, nvml::kFieldPowerInstant, v, nvml::kScopeMemory); }},
    {NvmlQuantity::kMemoryPower, "field 185 (power average, memory)",
     [](const Symbols& s, Device d, double* v) { return s.field(d, nvml::kFieldPowerAverage, v, nvml::kScopeMemory); }},
    {NvmlQuantity::kMemoryTemperature, "field 82 (memory temperature)",
     [](const Symbols& s, Device d, double* v) { return s.field(d, nvml::kFieldMemoryTemperature, v); }},
    {NvmlQuantity::kPowerCapTime, "field 74 (power policy)",
     [](const Symbols& s, Device d, double* v) { return s.field(d, nvml::kFieldPowerPolicy, v); }},
    {NvmlQuantity::kThermalTime, "field 75 (thermal policy)",
     [](const Symbols& s, Device d, double* v) { return s.field(d, nvml::kFieldThermalPolicy, v); }},
    {NvmlQuantity::kThermalTime, "field 251 or 269 (software thermal slowdown)",
     [](const Symbols& s, Device d, double* v) { return s.slowdown(d, 0, v); }},
    {NvmlQuantity::kHardwareThermalTime, "field 252 or 270 (hardware thermal slowdown)",
     [](const Symbols& s, Device d, double* v) { return s.slowdown(d, 1, v); }},
    {NvmlQuantity::kPowerBrakeTime, "field 253 or 271 (power brake)",
     [](const Symbols& s, Device d, double* v) { return s.slowdown(d, 2, v); }},
    {NvmlQuantity::kSyncBoostTime, "field 76 (sync boost)",
     [](const Symbols& s, Device d, double* v) { return s.field(d, nvml::kFieldSyncBoost, v); }},
    {NvmlQuantity::kEccUncorrected, "nvmlDeviceGetTotalEccErrors(uncorrected)",
     [](const Symbols& s, Device d, double* v) { return s.ecc(d, nvml::kEccUncorrected, v); }},
    {NvmlQuantity::kEccCorrected, "nvmlDeviceGetTotalEccErrors(corrected)",
     [](const Symbols& s, Device d, double* v) { return s.ecc(d, nvml::kEccCorrected, v); }},
    {NvmlQuantity::kNvlinkTx, "field 138 (NVLink data sent)",
     [](const Symbols& s, Device d, double* v) { return s.field(d, nvml::kFieldNvlinkTx, v, nvml::kAllLinks); }},
    {NvmlQuantity::kNvlinkTx, "field 202 of each link (NVLink 5 bytes sent)",
     [](const Symbols& s, Device d, double* v) { return s.over_links(d, nvml::kFieldNvlinkSentBytes, v); }},
    {NvmlQuantity::kNvlinkRx, "field 139 (NVLink data received)",
     [](const Symbols& s, Device d, double* v) { return s.field(d, nvml::kFieldNvlinkRx, v, nvml::kAllLinks); }},
    {NvmlQuantity::kNvlinkRx, "field 204 of each link (NVLink 5 bytes received)",
     [](const Symbols& s, Device d, double* v) { return s.over_links(d, nvml::kFieldNvlinkReceivedBytes, v); }},
    {NvmlQuantity::kPcieTx, "nvmlDeviceGetPcieThroughput(sent)",
     [](const Symbols& s, Device d, double* v) { return s.pcie(d, nvml::kPcieSent, v); }},
    {NvmlQuantity::kPcieRx, "nvmlDeviceGetPcieThroughput(received)",
     [](const Symbols& s, Device d, double* v) { return s.pcie(d, nvml::kPcieReceived, v); }},
};

Nvml::Nvml() : symbols_(std::make_unique<Symbols>()) {}

Nvml::~Nvml() {
  if (initialised_) symbols_->shutdown();
}

const std::string& Nvml::library() const { return library_.path().empty() ? library_.name() : library_.path(); }

std::shared_ptr<Nvml> Nvml::open(const std::vector<std::string>& libraries, NvmlAbsence* absence) {
  std::shared_ptr<Nvml> self(new Nvml);
  if (const Status status = self->library_.open(libraries); !status.ok()) {
    const bool broken = status.code == "LIBRARY_BROKEN";
    *absence = {broken ? "unsupported" : "absent", status.message,
                broken ? "Reinstall the NVIDIA driver's libraries; those on this machine do not load."
                       : "Install the NVIDIA driver, or in a container start it with --gpus all; without a GPU there "
                         "is nothing to do.",
                nvml::kUninitialized};
    return nullptr;
  }
  Symbols& symbols = *self->symbols_;
  if (const char* missing = symbols.bind(self->library_); missing != nullptr) {
    *absence = {"unsupported", self->library() + " has no symbol " + missing,
                "Install an NVIDIA driver of this decade; this library is too old or is not NVML.",
                nvml::kFunctionNotFound};
    return nullptr;
  }
  if (const Return code = symbols.init(); code != nvml::kSuccess) {
    *absence = absence_of("nvmlInit_v2", code);
    return nullptr;
  }
  self->initialised_ = true;
  char text[nvml::kTextBytes] = {};
  if (symbols.driver_version != nullptr && symbols.driver_version(text, sizeof text) == nvml::kSuccess) {
    text[sizeof text - 1] = '\0';
    self->driver_version_ = text;
    symbols.driver_major = std::atoi(text);
  }
  unsigned count = 0;
  if (const Return code = symbols.device_count(&count); code != nvml::kSuccess) {
    *absence = absence_of("nvmlDeviceGetCount_v2", code);
    return nullptr;
  }
  for (unsigned index = 0; index < count; ++index) {
    auto handle = std::make_unique<Handle>();
    handle->status = symbols.device_by_index(index, &handle->device);
    self->handles_.push_back(std::move(handle));
  }
  return self;
}

Return Nvml::resolve(Handle& handle, NvmlQuantity quantity, double* value, const char** way) {
  Return first_error = nvml::kFunctionNotFound;
  for (const Way& candidate : kWays) {
    if (candidate.quantity != quantity) continue;
    if (*way == nullptr) *way = candidate.name;
    const Return code = candidate.ask(*symbols_, handle.device, value);
    if (code == nvml::kSuccess) {
      *way = candidate.name;
      handle.ways[static_cast<std::size_t>(quantity)].store(&candidate, std::memory_order_relaxed);
      return code;
    }
    if (first_error == nvml::kFunctionNotFound && code != nvml::kFunctionNotFound) {
      first_error = code;
      *way = candidate.name;
    }
  }
  return first_error;
}

Return Nvml::read(int device, NvmlQuantity quantity, double* value) {
  *value = kNothing;
  if (device < 0 || static_cast<std::size_t>(device) >= handles_.size()) return nvml::kInvalidArgument;
  Handle& handle = *handles_[static_cast<std::size_t>(device)];
  if (handle.status != nvml::kSuccess) return handle.status;
  const Way* way = handle.ways[static_cast<std::size_t>(quantity)].load(std::memory_order_relaxed);
  if (way != nullptr) return way->ask(*symbols_, handle.device, value);
  const char* name = nullptr;
  return resolve(handle, quantity, value, &name);
}

std::vector<NvmlDeviceInfo> Nvml::devices() {
  std::vector<NvmlDeviceInfo> devices;
  const Symbols& s = *symbols_;
  for (std::size_t i = 0; i < handles_.size(); ++i) {
    Handle& handle = *handles_[i];
    NvmlDeviceInfo info;
    info.index = static_cast<int>(i);
    info.power_limit_watts = kNothing;
    if (handle.status != nvml::kSuccess) {
      for (NvmlQuantityState& state : info.quantities) {
        state.reason = failed("nvmlDeviceGetHandleByIndex_v2", handle.status);
      }
      devices.push_back(std::move(info));
      continue;
    }
    char text[nvml::kTextBytes] = {};
    if (s.name != nullptr && s.name(handle.device, text, sizeof text - 1) == nvml::kSuccess) info.name = text;
    if (s.uuid != nullptr && s.uuid(handle.device, text, sizeof text - 1) == nvml::kSuccess) info.uuid = text;
    nvml::Memory memory{};
    info.memory_used_bytes = kNothing;
    if (s.memory != nullptr && s.memory(handle.device, &memory) == nvml::kSuccess) {
      info.memory_bytes = static_cast<double>(memory.total);
      info.memory_used_bytes = static_cast<double>(memory.used);
    }
    double milliwatts = kNothing;
    if (Symbols::ask<unsigned>(s.enforced_power_limit, &milliwatts, handle.device) != nvml::kSuccess) {
      Symbols::ask<unsigned>(s.management_power_limit, &milliwatts, handle.device);
    }
    info.power_limit_watts = milliwatts * 1e-3;
    unsigned current = 0, pending = 0;
    info.mig_enabled = s.mig_mode != nullptr && s.mig_mode(handle.device, &current, &pending) == nvml::kSuccess &&
                       current == nvml::kMigEnabled;
    int mode = 0;
    info.is_vgpu = s.virtualization != nullptr && s.virtualization(handle.device, &mode) == nvml::kSuccess && mode == nvml::kVgpu;
    int major = 0, minor = 0;
    if (s.compute_capability != nullptr && s.compute_capability(handle.device, &major, &minor) == nvml::kSuccess) {
      info.compute_major = major;
      info.compute_minor = minor;
    }
    for (int q = 0; q < kNvmlQuantities; ++q) {
      double value = kNothing;
      const char* way = nullptr;
      const Return code = resolve(handle, static_cast<NvmlQuantity>(q), &value, &way);
      info.quantities[static_cast<std::size_t>(q)] = {code == nvml::kSuccess,
                                                      code == nvml::kSuccess ? way : failed(way, code)};
    }
    devices.push_back(std::move(info));
  }
  return devices;
}

}  // namespace aibench
