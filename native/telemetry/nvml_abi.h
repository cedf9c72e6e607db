// The part of NVML's binary interface that is used, declared by hand so that no header or toolkit is needed to build.
// Numbers and layouts from nvml.h as generated into go-nvml 13.3.29 (pkg/nvml/nvml.h, const.go, types_gen.go); they
// have been stable since the driver that introduced each.
#pragma once
#include <cstddef>
#include <string>

namespace aibench::nvml {

using Return = int;
using Device = struct DeviceHandle*;

inline constexpr Return kSuccess = 0;
inline constexpr Return kUninitialized = 1;
inline constexpr Return kInvalidArgument = 2;
inline constexpr Return kNotSupported = 3;
inline constexpr Return kNoPermission = 4;
inline constexpr Return kDriverNotLoaded = 9;
inline constexpr Return kFunctionNotFound = 13;
inline constexpr Return kLibRmVersionMismatch = 18;
inline constexpr Return kUnknown = 999;

// nvmlDeviceGetFieldValues
inline constexpr unsigned kFieldTotalEnergy = 83;      // NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION, mJ since driver load
inline constexpr unsigned kFieldPowerAverage = 185;    // NVML_FI_DEV_POWER_AVERAGE, mW
inline constexpr unsigned kFieldPowerInstant = 186;    // NVML_FI_DEV_POWER_INSTANT, mW
// Counters of time held back, ns.
inline constexpr unsigned kFieldPowerPolicy = 74;      // NVML_FI_DEV_PERF_POLICY_POWER
inline constexpr unsigned kFieldThermalPolicy = 75;    // NVML_FI_DEV_PERF_POLICY_THERMAL: slowed down by software, for heat
inline constexpr unsigned kFieldSyncBoost = 76;        // NVML_FI_DEV_PERF_POLICY_SYNC_BOOST: as slow as the slowest of its group
// NVML_FI_DEV_CLOCKS_EVENT_REASON_SW_THERM_SLOWDOWN and, next to it, _HW_THERM_SLOWDOWN and _HW_POWER_BRAKE_SLOWDOWN have moved:
// nvml.h of CUDA 12.8 (driver 570) has none of them and power smoothing at 251, that of 12.9 and 13.0 (575 to 580) has them at 251
// to 253, which is what nvidia-smi 580.65 asks for, that of 13.1 to 13.3 (590 to 610) at 269 to 271 and power smoothing at 251 again.
// The first of the three numbers; 0 where no header says it.
constexpr unsigned first_slowdown_field(int driver_major) {
  if (driver_major >= 575 && driver_major < 590) return 251;
  return driver_major >= 590 && driver_major < 620 ? 269 : 0;
}
inline constexpr unsigned kFieldMemoryTemperature = 82;  // NVML_FI_DEV_MEMORY_TEMP, degrees Celsius
inline constexpr unsigned kFieldNvlinkTx = 138;        // NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_TX, KiB, scope: link
inline constexpr unsigned kFieldNvlinkRx = 139;        // NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_RX
inline constexpr unsigned kFieldNvlinkLinks = 91;      // NVML_FI_DEV_NVLINK_LINK_COUNT
inline constexpr unsigned kFieldNvlinkSentBytes = 202;      // NVML_FI_DEV_NVLINK_COUNT_XMIT_BYTES, scope: one link (NVLink 5)
inline constexpr unsigned kFieldNvlinkReceivedBytes = 204;  // NVML_FI_DEV_NVLINK_COUNT_RCV_BYTES
inline constexpr unsigned kMostLinks = 64;             // a GPU of 2026 has 18
inline constexpr unsigned kAllLinks = 0xffffffff;      // as the scope of a link counter: the sum over the links
inline constexpr unsigned kScopeGpu = 0;               // NVML_POWER_SCOPE_GPU
inline constexpr unsigned kScopeModule = 1;            // NVML_POWER_SCOPE_MODULE: on a superchip the CPU with the GPU
inline constexpr unsigned kScopeMemory = 2;            // NVML_POWER_SCOPE_MEMORY
inline constexpr int kEccCorrected = 0;                // NVML_MEMORY_ERROR_TYPE_CORRECTED
inline constexpr int kEccUncorrected = 1;              // NVML_MEMORY_ERROR_TYPE_UNCORRECTED
inline constexpr int kEccVolatile = 0;                 // NVML_VOLATILE_ECC: since the driver was loaded
enum ValueType : int {
  kDouble = 0,
  kUnsignedInt = 1,
  kUnsignedLong = 2,
  kUnsignedLongLong = 3,
  kSignedLongLong = 4,
  kSignedInt = 5,
  kUnsignedShort = 6
};
union Value {
  double d;
  int si;
  unsigned ui;
  unsigned long ul;
  unsigned long long ull;
  long long sll;
  unsigned short us;
};
struct FieldValue {
  unsigned field_id;
  unsigned scope_id;
  long long timestamp;  // microseconds since 1970
  long long latency_usec;
  ValueType value_type;
  Return status;  // of this field alone
  Value value;
};
static_assert(sizeof(FieldValue) == 40 && offsetof(FieldValue, value) == 32);

struct Utilization {
  unsigned gpu;  // percent
  unsigned memory;
};
struct Memory {
  unsigned long long total, free, used;
};
inline constexpr int kClockSm = 1;
inline constexpr int kClockMemory = 2;
inline constexpr int kPcieSent = 0;      // NVML_PCIE_UTIL_TX_BYTES
inline constexpr int kPcieReceived = 1;  // NVML_PCIE_UTIL_RX_BYTES
inline constexpr int kTemperatureGpu = 0;
// nvmlTemperature_v1_t, driver 570 on; `version` carries the struct's size and its number.
struct Temperature {
  unsigned version;
  int sensor;
  int celsius;
};
inline constexpr unsigned kTemperatureVersion = sizeof(Temperature) | (1u << 24);
inline constexpr unsigned kMigEnabled = 1;
constexpr int kVgpu = 2;  // NVML_GPU_VIRTUALIZATION_MODE_VGPU
inline constexpr unsigned kTextBytes = 96;  // NVML_DEVICE_NAME_V2_BUFFER_SIZE, NVML_DEVICE_UUID_V2_BUFFER_SIZE

}  // namespace aibench::nvml

namespace aibench {

// "NVML_ERROR_GPU_IS_LOST"; with its number when NVML added it after this list.
std::string nvml_error_name(int code);

}  // namespace aibench
