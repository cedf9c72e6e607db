// NVIDIA's management library, opened at run time. Thread-safe once open.
#pragma once
#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "core/dynamic_library.h"
#include "telemetry/nvml_abi.h"
#include "telemetry/sensor.h"

namespace aibench {

// In NVML's own units: energy mJ since driver load, power mW (instant; powerAverage over about a second), temperature
// degrees Celsius, clocks MHz, throttleReasons a bit mask, utilization percent of time with a kernel running, times held
// back ns, eccUncorrected errors since driver load, NVLink KiB over all links.
enum class NvmlQuantity {
  kEnergy,
  kPower,
  kPowerAverage,
  kTemperature,
  kSmClock,
  kMemoryClock,
  kThrottleReasons,
  kUtilization,
  kModuleEnergy,
  kModulePower,
  kMemoryPower,
  kMemoryTemperature,
  kPowerCapTime,
  kThermalTime,
  kHardwareThermalTime,
  kPowerBrakeTime,
  kSyncBoostTime,
  kEccUncorrected,
  kEccCorrected,
  kNvlinkTx,
  kNvlinkRx,
  kPcieTx,
  kPcieRx
};
inline constexpr int kNvmlQuantities = 23;
const char* nvml_quantity_name(NvmlQuantity quantity);
bool parse_nvml_quantity(const std::string& name, NvmlQuantity* quantity);

// Why there is no NVML to ask.
struct NvmlAbsence {
  std::string status;  // absent, unsupported, denied: those of NvmlProbe in src/native/types.ts
  std::string reason;
  std::string remedy;
  nvml::Return code = nvml::kUninitialized;
};

struct NvmlQuantityState {
  bool ok = false;
  std::string reason;  // which call answers, or the call and the error that it gave
};

struct NvmlDeviceInfo {
  int index = 0;
  std::string name;
  std::string uuid;
  double memory_bytes = 0;
  double memory_used_bytes = 0;  // at the time of asking, by all processes; NaN where the device does not say
  std::array<NvmlQuantityState, kNvmlQuantities> quantities;
  double power_limit_watts = 0;  // NaN where the device does not say
  bool mig_enabled = false;
  bool is_vgpu = false;  // a share of a GPU that a hypervisor hands out
  int compute_major = 0;  // 8 and 6 for 8.6; 0 and 0 where the device does not say
  int compute_minor = 0;
};

class Nvml {
 public:
  // Opens the first of `libraries` that loads, initialises it and takes the device handles. nullptr, with *absence
  // filled in, when any of that fails.
  static std::shared_ptr<Nvml> open(const std::vector<std::string>& libraries, NvmlAbsence* absence);
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  const std::string& library() const;
  const std::string& driver_version() const { return driver_version_; }
  // Asks every device for every quantity.
  std::vector<NvmlDeviceInfo> devices();
  // One reading. Quantities that NVML offers in several ways are resolved at the first reading, per device: later
  // readings use the way that answered.
  nvml::Return read(int device, NvmlQuantity quantity, double* value);

 private:
  struct Symbols;
  // One way to get a quantity; `ask` gives kFunctionNotFound when the library lacks the call.
  struct Way {
    NvmlQuantity quantity;
    const char* name;
    nvml::Return (*ask)(const Symbols&, nvml::Device, double*);
  };
  static const Way kWays[];

  struct Handle {
    nvml::Device device;
    nvml::Return status;  // of getting the handle
    std::array<std::atomic<const Way*>, kNvmlQuantities> ways{};
  };

  Nvml();
  // The error to report where no way answers is that of the first one that the library has.
  nvml::Return resolve(Handle& handle, NvmlQuantity quantity, double* value, const char** way);

  DynamicLibrary library_;
  std::unique_ptr<Symbols> symbols_;
  std::string driver_version_;
  std::vector<std::unique_ptr<Handle>> handles_;
  bool initialised_ = false;
};

// `nvml` may be null: then every read fails with `absence`.
std::unique_ptr<Sensor> make_nvml_sensor(std::shared_ptr<Nvml> nvml, nvml::Return absence, int device,
                                         NvmlQuantity quantity);

}  // namespace aibench
