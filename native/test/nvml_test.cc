// NVML through stand-in libraries (fake_nvml*.cc): every way to answer, to lack and to fail.
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

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
    "field83.1 5000\nfield186.1 650000\nfield82 71\nfield74 123456789012\nfield75 7000\necc 3\nfield138 2048\nfield139 1024\nfield185.2 82000\nfield252 3000\n"
    "field253 4000\n";

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
  for (const char* driver : {"driver 590.10\n", "driver 565.57.01\n"}) {  // there these numbers mean something else
    const auto other = Nvml::open({machine("fake_nvml", std::string(kNewDriver) + driver)}, &absence);
    require(other != nullptr && value(*other, NvmlQuantity::kHardwareThermalTime) == -aibench::nvml::kNotSupported, driver);
  }
  require(value(*nvml, NvmlQuantity::kEccUncorrected) == 3, "uncorrected errors");
  require(value(*nvml, NvmlQuantity::kNvlinkTx) == 2048 && value(*nvml, NvmlQuantity::kNvlinkRx) == 1024, "NVLink");
  require(value(*nvml, NvmlQuantity::kUtilization, 7) == -2, "no such device");
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
  test_old_driver();
  test_field_that_is_not_supported_falls_back();
  test_absences();
  test_odd_machines();
  fs::remove_all(folder);
  std::puts("nvml_test: ok");
}
