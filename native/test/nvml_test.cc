// NVML through stand-in libraries (fake_nvml*.cc): every way to answer, to lack and to fail.
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "telemetry/nvml.h"

namespace {

namespace fs = std::filesystem;
using aibench::Nvml;
using aibench::NvmlAbsence;
using aibench::NvmlDeviceInfo;
using aibench::NvmlQuantity;

void require(bool condition, const std::string& what) {
  if (condition) return;
  std::fprintf(stderr, "FAILED: %s\n", what.c_str());
  std::exit(1);
}

fs::path fakes;   // where this test and the fake libraries were built
fs::path folder;  // a copy of a fake library per scenario
int scenarios = 0;

std::string machine(const std::string& library, const std::string& script) {
  const fs::path copy = folder / (library + std::to_string(++scenarios) + ".so");
  fs::copy_file(fakes / (library + ".so"), copy);
  std::ofstream(copy.string() + ".script") << script;
  return copy.string();
}

const aibench::NvmlQuantityState& state(const NvmlDeviceInfo& device, NvmlQuantity quantity) {
  return device.quantities[static_cast<std::size_t>(quantity)];
}

double value(Nvml& nvml, NvmlQuantity quantity, int device = 0) {
  double v = 0;
  const int code = nvml.read(device, quantity, &v);
  require((code == 0) == !std::isnan(v), "a failed read gives no number");
  return code == 0 ? v : -code;
}

const char kNewDriver[] =
    "devices 2\nfield83 1000 2500 E15 400\nfield185 290000\nfield186 301000 F3 305000\ntemperature 61\n"
    "clock_sm 1980\nclock_mem 2619\nevent_reasons 4\nutilization 97\nenforced_limit 700000\nmig 0\n"
    "field83.1 5000\nfield186.1 650000\nfield82 71\nfield74 123456789012\nfield75 7000\nfield76 8000\necc 3\necc_corrected 12\n"
    "field138 2048\nfield139 1024\nfield185.2 82000\nfield252 3000\nfield253 4000\npcie_tx 51000\npcie_rx 640\n";

void test_new_driver() {
  NvmlAbsence absence;
  const auto nvml = Nvml::open({"libno-such-thing.so.1", machine("fake_nvml", kNewDriver)}, &absence);
  require(nvml != nullptr, "opens the second name: " + absence.reason);
  require(nvml->driver_version() == "575.57.08", "driver version");
  const auto devices = nvml->devices();
  require(devices.size() == 2, "two devices");
  require(devices[1].name == "Fake GPU" && devices[1].uuid.back() == '2' && devices[1].index == 1, "second device");
  require(devices[0].memory_bytes == 17179869184.0 && devices[0].power_limit_watts == 700, "memory and limit");
  require(!devices[0].mig_enabled, "no MIG");
  for (const auto& quantity : devices[0].quantities) require(quantity.ok, "answers: " + quantity.reason);
  require(state(devices[0], NvmlQuantity::kEnergy).reason == "field 83 (total energy)", "way to the energy");
  require(value(*nvml, NvmlQuantity::kEnergy) == 2500, "second energy");
  require(value(*nvml, NvmlQuantity::kEnergy) == -15, "GPU is lost");
  require(value(*nvml, NvmlQuantity::kEnergy) == 400, "counter that went backwards is handed on as it is");
  require(value(*nvml, NvmlQuantity::kEnergy, 1) == 2500, "devices play on their own");
  require(value(*nvml, NvmlQuantity::kPower) == -3, "field with a return code of its own");
  require(value(*nvml, NvmlQuantity::kPower) == 305000, "power after that");
  require(value(*nvml, NvmlQuantity::kPowerAverage) == 290000, "average power");
  require(value(*nvml, NvmlQuantity::kTemperature) == 61, "temperature");
  require(value(*nvml, NvmlQuantity::kSmClock) == 1980 && value(*nvml, NvmlQuantity::kMemoryClock) == 2619, "clocks");
  require(value(*nvml, NvmlQuantity::kThrottleReasons) == 4, "reasons");
  require(value(*nvml, NvmlQuantity::kUtilization) == 97, "utilization");
  require(value(*nvml, NvmlQuantity::kModuleEnergy) == 5000 && value(*nvml, NvmlQuantity::kModulePower) == 650000, "module");
  require(value(*nvml, NvmlQuantity::kMemoryTemperature) == 71, "memory temperature");
  require(value(*nvml, NvmlQuantity::kPowerCapTime) == 123456789012 && value(*nvml, NvmlQuantity::kThermalTime) == 7000,
          "times held back");
  require(value(*nvml, NvmlQuantity::kHardwareThermalTime) == 3000 && value(*nvml, NvmlQuantity::kPowerBrakeTime) == 4000,
          "slowdowns by hardware");
  require(value(*nvml, NvmlQuantity::kMemoryPower) == 82000, "memory power, by the second way");
  require(value(*nvml, NvmlQuantity::kSyncBoostTime) == 8000, "sync boost");
  require(value(*nvml, NvmlQuantity::kEccUncorrected) == 3, "uncorrected errors");
  require(value(*nvml, NvmlQuantity::kEccCorrected) == 12, "corrected errors");
  require(value(*nvml, NvmlQuantity::kPcieTx) == 51000 && value(*nvml, NvmlQuantity::kPcieRx) == 640, "PCIe, each direction");
  require(value(*nvml, NvmlQuantity::kNvlinkTx) == 2048 && value(*nvml, NvmlQuantity::kNvlinkRx) == 1024, "NVLink");
  require(value(*nvml, NvmlQuantity::kUtilization, 7) == -2, "no such device");
}

// Numbers that have moved between drivers: read where a header says what they are, in 64 bits, and nowhere else.
void test_slowdown_counters() {
  NvmlAbsence absence;
  const auto slowed = [&absence](const std::string& script) {
    const auto nvml = Nvml::open({machine("fake_nvml", script)}, &absence);
    require(nvml != nullptr, "opens: " + absence.reason);
    return std::vector<double>{value(*nvml, NvmlQuantity::kThermalTime), value(*nvml, NvmlQuantity::kHardwareThermalTime),
                               value(*nvml, NvmlQuantity::kPowerBrakeTime)};
  };
  const std::string both = "field251 1000\nfield252 2000\nfield253 3000\nfield269 4000\nfield270 5000\nfield271 6000\n";
  const double no = -aibench::nvml::kNotSupported;
  require(slowed("driver 575.57.08\n" + both) == std::vector<double>{1000, 2000, 3000}, "575: 251 to 253");
  require(slowed("driver 580.173.02\n" + both) == std::vector<double>{1000, 2000, 3000}, "580: 251 to 253");
  require(slowed("driver 590.44.01\n" + both) == std::vector<double>{4000, 5000, 6000}, "590: 269 to 271");
  require(slowed("driver 610.10\n" + both) == std::vector<double>{4000, 5000, 6000}, "610: 269 to 271");
  for (const char* driver : {"driver 570.211.01\n", "driver 565.57.01\n", "driver 720.1\n", "driver next\n"}) {
    require(slowed(driver + both) == std::vector<double>{no, no, no}, std::string("no header says it: ") + driver);
  }
  require(slowed("field75 70\n" + both)[0] == 70, "the number that never moved comes first");
  require(slowed("narrow field252\n" + both) == std::vector<double>{1000, no, 3000}, "32 bits are another field");
}

void test_nvlink_by_link() {
  NvmlAbsence absence;
  const auto nvml = Nvml::open({machine("fake_nvml", "field91 4\nfield202@0 1024\nfield202@1 2048\nfield202@3 1024\nfield204@1 F15\n")},
                               &absence);
  require(nvml != nullptr, "opens: " + absence.reason);
  require(value(*nvml, NvmlQuantity::kNvlinkTx) == 4, "bytes of the links that count, in KiB");
  require(value(*nvml, NvmlQuantity::kNvlinkRx) == -aibench::nvml::kNotSupported, "no link counts");
  const auto without = Nvml::open({machine("fake_nvml", "field202@0 1024\n")}, &absence);
  require(without != nullptr && value(*without, NvmlQuantity::kNvlinkTx) == -aibench::nvml::kNotSupported, "no links");
}

void test_old_driver() {
  NvmlAbsence absence;
  const auto nvml = Nvml::open({machine("fake_nvml_old", "total_energy 77\npower_usage 250000\ntemperature 55\nclock_sm "
                                                         "1400\nthrottle_reasons 1\nmanagement_limit 300000\nmig 1\n")},
                               &absence);
  require(nvml != nullptr, "opens: " + absence.reason);
  const NvmlDeviceInfo device = nvml->devices().at(0);
  require(state(device, NvmlQuantity::kEnergy).reason == "nvmlDeviceGetTotalEnergyConsumption", "energy by the call");
  require(state(device, NvmlQuantity::kPower).reason == "nvmlDeviceGetPowerUsage", "power by the call");
  require(state(device, NvmlQuantity::kThrottleReasons).reason == "nvmlDeviceGetCurrentClocksThrottleReasons", "reasons");
  require(state(device, NvmlQuantity::kTemperature).ok, "temperature");
  require(!state(device, NvmlQuantity::kPowerAverage).ok, "no average");
  require(state(device, NvmlQuantity::kPowerAverage).reason ==
              "field 185 (power average) failed: NVML_ERROR_FUNCTION_NOT_FOUND", "why there is no average");
  require(state(device, NvmlQuantity::kMemoryClock).reason ==
              "nvmlDeviceGetClockInfo(MEM) failed: NVML_ERROR_NOT_SUPPORTED", "why there is no memory clock");
  require(device.power_limit_watts == 300 && device.mig_enabled, "limit by the other call, MIG on");
}

void test_field_that_is_not_supported_falls_back() {
  NvmlAbsence absence;
  const auto nvml = Nvml::open({machine("fake_nvml", "field83 F3\ntotal_energy 5\nfield186 F4\n")}, &absence);
  require(nvml != nullptr, "opens");
  const NvmlDeviceInfo device = nvml->devices().at(0);
  require(state(device, NvmlQuantity::kEnergy).reason == "nvmlDeviceGetTotalEnergyConsumption", "energy falls back");
  require(state(device, NvmlQuantity::kPower).reason == "field 186 (power instant) failed: NVML_ERROR_NO_PERMISSION",
          "the first error is the one that is told");
  require(std::isnan(device.power_limit_watts), "no limit");
}

void test_absences() {
  const auto absent = [](const std::vector<std::string>& libraries) {
    NvmlAbsence absence;
    require(Nvml::open(libraries, &absence) == nullptr, "must not open");
    require(!absence.reason.empty() && !absence.remedy.empty(), "reason and remedy");
    return absence;
  };
  require(absent({"libno-such-thing.so.1"}).status == "absent", "no library");
  require(absent({}).status == "absent", "no names");
  const NvmlAbsence broken = absent({machine("fake_nvml_broken", "")});
  require(broken.status == "unsupported" && broken.reason.find("nvmlDeviceGetCount_v2") != std::string::npos,
          "missing symbol is named: " + broken.reason);
  require(absent({machine("fake_nvml", "init 9\n")}).status == "absent", "driver not loaded");
  require(absent({machine("fake_nvml", "init 4\n")}).status == "denied", "no permission");
  const NvmlAbsence mismatch = absent({machine("fake_nvml", "init 18\n")});
  require(mismatch.status == "unsupported" && mismatch.reason == "nvmlInit_v2 failed: NVML_ERROR_LIB_RM_VERSION_MISMATCH",
          "mismatch");
  std::ofstream(folder / "not-elf.so") << "not a library";
  require(absent({(folder / "not-elf.so").string()}).status == "unsupported", "a file that does not load");
}

void test_odd_machines() {
  NvmlAbsence absence;
  const auto none = Nvml::open({machine("fake_nvml", "devices 0\n")}, &absence);
  require(none != nullptr && none->devices().empty(), "no devices");
  const auto lost = Nvml::open({machine("fake_nvml", "handle E15\n")}, &absence);
  require(lost != nullptr, "opens with a lost device");
  require(lost->devices().at(0).quantities[0].reason == "nvmlDeviceGetHandleByIndex_v2 failed: NVML_ERROR_GPU_IS_LOST",
          "lost device");
  require(value(*lost, NvmlQuantity::kPower) == -15, "read of a lost device");
  require(aibench::nvml_error_name(999) == "NVML_ERROR_UNKNOWN" && aibench::nvml_error_name(500) == "NVML error 500",
          "names of errors");
}

}  // namespace

int main(int, char** argv) {
  fakes = fs::absolute(argv[0]).parent_path();
  if (!fs::exists(fakes / "fake_nvml.so")) fakes = fakes.parent_path() / "Release";  // where cmake-js puts libraries
  folder = fs::temp_directory_path() / ("aibench-nvml-" + std::to_string(getpid()));
  fs::create_directory(folder);
  test_new_driver();
  test_slowdown_counters();
  test_nvlink_by_link();
  test_old_driver();
  test_field_that_is_not_supported_falls_back();
  test_absences();
  test_odd_machines();
  fs::remove_all(folder);
  std::puts("nvml_test: ok");
}
