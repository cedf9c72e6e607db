// A stand-in for libnvidia-ml.so.1 that plays a script: the text file that lies beside it under the same name with
// ".script" added. Each copy of the library is a machine of its own. One line per key:
//   init 9                  nvmlInit_v2 returns 9
//   devices 2               default 1
//   handle E15              nvmlDeviceGetHandleByIndex_v2 returns 15
//   field83 1000 2000 E15   what successive calls of one device give; the last stays. E<code>: the call fails;
//                           F<code>: the call succeeds, the field's own return code does not; H<ms>: the call hangs for
//                           so long, then gives the value after it
// Other keys: driver (575.57.08) field74 field75 field76 field82 field83.1 (module) field91 field138 field139 field185 field185.2
// (memory) field186 field186.1 field202@0 field204@3 (of one link) field251 .. field271 total_energy power_usage temperature clock_sm
// clock_mem event_reasons throttle_reasons utilization enforced_limit management_limit mig virtualization capability ecc ecc_corrected pcie_tx
// pcie_rx. A key that is not in the script is NVML_ERROR_NOT_SUPPORTED; 1:field83 is that of device 1 alone.
//   narrow field252         answers in 32 bits, as fields do that are no counter
//   origin 123.4            CLOCK_MONOTONIC seconds, from which on
//   trace 0 100 1.5 300     the power takes this course: what `field83 @energy` and others then give, see fake_trace.h
//   fail nvmlDeviceGetName:999   that call returns that code and does nothing
//   down 1 1.5 15           all calls return 15 between so many seconds after the origin
// FAKE_NVML_OLD leaves out what old drivers lack; FAKE_NVML_BROKEN leaves out what is always needed.
#include <dlfcn.h>
#include <time.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "../telemetry/nvml_abi.h"
#include "fake_trace.h"

namespace {

using aibench::nvml::Return;

struct Sequence {
  std::vector<std::string> steps;
  std::size_t next = 0;
};
std::mutex lock;
std::map<std::string, std::vector<std::string>> script;
std::map<std::string, Sequence> playing;  // by device and key
int initialised = 0;

struct Answer {
  Return call = aibench::nvml::kNotSupported;
  Return field = aibench::nvml::kSuccess;
  double value = 0;
};

void load_script() {
  Dl_info self;
  dladdr(reinterpret_cast<void*>(&load_script), &self);
  std::ifstream file(std::string(self.dli_fname) + ".script");
  script.clear();
  playing.clear();
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key;
    words >> key;
    for (std::string word; words >> word;) script[key].push_back(word);
  }
}

double since_origin() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto origin = script.find("origin");
  if (origin == script.end()) return 0;
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec) - std::atof(origin->second[0].c_str());
}

// The line of this device alone, else that of all.
auto line_of(aibench::nvml::Device device, const std::string& key) {
  const auto own = script.find(std::to_string(reinterpret_cast<std::size_t>(device) - 1) + ":" + key);
  return own == script.end() ? script.find(key) : own;
}

// The code of an outage; 0 when there is none now.
Return outage(double time) {
  const auto down = script.find("down");
  if (down == script.end() || time < std::atof(down->second[0].c_str()) || time >= std::atof(down->second[1].c_str())) return 0;
  return std::atoi(down->second[2].c_str());
}

double first(const std::string& key, double otherwise) {
  const auto found = script.find(key);
  return found == script.end() || found->second.empty() ? otherwise : std::atof(found->second[0].c_str());
}

// The code of a call that the script makes fail; else 0.
Return ordered(const std::string& call) {
  const auto orders = script.find("fail");
  if (orders == script.end()) return 0;
  for (const std::string& order : orders->second) {
    if (order.rfind(call + ":", 0) == 0) return std::atoi(order.c_str() + call.size() + 1);
  }
  return 0;
}
Return told(const std::string& call) {
  const std::lock_guard<std::mutex> guard(lock);
  return ordered(call);
}
#define TOLD(call) \
  if (const Return code = told(#call); code != 0) return code

Answer play(aibench::nvml::Device device, const std::string& key) {
  long hang_ms = 0;
  Answer answer;
  {
    const std::lock_guard<std::mutex> guard(lock);
    if (initialised == 0) return {aibench::nvml::kUninitialized, 0, 0};
    const double time = since_origin();
    if (const Return code = outage(time); code != 0) return {code, 0, 0};
    const auto found = line_of(device, key);
    if (found == script.end()) return answer;
    if (found->second[0][0] == '@') {
      const auto trace = line_of(device, "trace");
      if (trace == script.end()) return answer;
      return {aibench::nvml::kSuccess, 0, 1e3 * fake::sensed(fake::Trace(trace->second), found->second, time)};  // mJ, mW
    }
    Sequence& sequence = playing[std::to_string(reinterpret_cast<std::size_t>(device)) + key];
    if (sequence.steps.empty()) sequence.steps = found->second;
    std::string step = sequence.steps[sequence.next];
    const auto advance = [&] {
      if (sequence.next + 1 < sequence.steps.size()) ++sequence.next;
    };
    if (step[0] == 'H') {
      hang_ms = std::atol(step.c_str() + 1);
      advance();
      step = sequence.steps[sequence.next];
    }
    advance();
    answer.call = aibench::nvml::kSuccess;
    if (step[0] == 'E') {
      answer.call = std::atoi(step.c_str() + 1);
    } else if (step[0] == 'F') {
      answer.field = std::atoi(step.c_str() + 1);
    } else {
      answer.value = std::atof(step.c_str());
    }
  }
  if (hang_ms > 0) {
    const timespec pause{hang_ms / 1000, hang_ms % 1000 * 1000000};
    nanosleep(&pause, nullptr);
  }
  return answer;
}

template <typename T>
Return give(aibench::nvml::Device device, const char* key, T* out) {
  const Answer answer = play(device, key);
  if (answer.call == aibench::nvml::kSuccess) *out = static_cast<T>(answer.value);
  return answer.call;
}

Return give_text(const std::string& text, char* out, unsigned length) {
  if (text.size() >= length) return 7;  // NVML_ERROR_INSUFFICIENT_SIZE
  std::memcpy(out, text.c_str(), text.size() + 1);
  return aibench::nvml::kSuccess;
}

}  // namespace

using Device = aibench::nvml::Device;

extern "C" {

Return nvmlInit_v2() {
  const std::lock_guard<std::mutex> guard(lock);
  load_script();
  if (const Return code = ordered("nvmlInit_v2"); code != 0) return code;
  const Return code = static_cast<Return>(first("init", 0));
  if (code == aibench::nvml::kSuccess) ++initialised;
  return code;
}
Return nvmlShutdown() {
  TOLD(nvmlShutdown);
  const std::lock_guard<std::mutex> guard(lock);
  if (initialised == 0) return aibench::nvml::kUninitialized;
  --initialised;
  return aibench::nvml::kSuccess;
}
#ifndef FAKE_NVML_BROKEN
Return nvmlDeviceGetCount_v2(unsigned* count) {
  TOLD(nvmlDeviceGetCount_v2);
  *count = static_cast<unsigned>(first("devices", 1));
  return aibench::nvml::kSuccess;
}
Return nvmlDeviceGetHandleByIndex_v2(unsigned index, Device* device) {
  TOLD(nvmlDeviceGetHandleByIndex_v2);
  *device = reinterpret_cast<Device>(static_cast<std::size_t>(index) + 1);
  const auto found = script.find("handle");
  return found == script.end() ? aibench::nvml::kSuccess : play(*device, "handle").call;
}
#endif
Return nvmlSystemGetDriverVersion(char* out, unsigned length) {
  TOLD(nvmlSystemGetDriverVersion);
  const auto found = script.find("driver");
  return give_text(found == script.end() ? "575.57.08" : found->second[0], out, length);
 }
Return nvmlDeviceGetName(Device device, char* out, unsigned length) {
  TOLD(nvmlDeviceGetName);
  return give_text("Fake GPU", out, length);
}
Return nvmlDeviceGetUUID(Device device, char* out, unsigned length) {
  TOLD(nvmlDeviceGetUUID);
  return give_text("GPU-00000000-0000-0000-0000-00000000000" + std::to_string(reinterpret_cast<std::size_t>(device)),
                   out, length);
}
Return nvmlDeviceGetMemoryInfo(Device device, aibench::nvml::Memory* memory) {
  TOLD(nvmlDeviceGetMemoryInfo);
  *memory = {16ull << 30, 15ull << 30, 1ull << 30};
  // In bytes, another at each asking where the script has several.
  return script.count("memory_used") == 0 ? aibench::nvml::kSuccess : give(device, "memory_used", &memory->used);
}
Return nvmlDeviceGetMigMode(Device device, unsigned* current, unsigned* pending) {
  TOLD(nvmlDeviceGetMigMode);
  *pending = 0;
  return give(device, "mig", current);
}
Return nvmlDeviceGetVirtualizationMode(Device device, int* mode) {
  TOLD(nvmlDeviceGetVirtualizationMode);
  return give(device, "virtualization", mode);
}
Return nvmlDeviceGetPowerManagementLimit(Device device, unsigned* out) {
  TOLD(nvmlDeviceGetPowerManagementLimit);
  return give(device, "management_limit", out);
}
// As the script has it: 86 for 8.6.
Return nvmlDeviceGetCudaComputeCapability(Device device, int* major, int* minor) {
  TOLD(nvmlDeviceGetCudaComputeCapability);
  int both = 0;
  const Return code = give(device, "capability", &both);
  *major = both / 10;
  *minor = both % 10;
  return code;
}
Return nvmlDeviceGetTotalEnergyConsumption(Device device, unsigned long long* out) {
  TOLD(nvmlDeviceGetTotalEnergyConsumption);
  return give(device, "total_energy", out);
}
Return nvmlDeviceGetPowerUsage(Device device, unsigned* out) {
  TOLD(nvmlDeviceGetPowerUsage);
  return give(device, "power_usage", out);
}
Return nvmlDeviceGetTemperature(Device device, int sensor, unsigned* out) {
  TOLD(nvmlDeviceGetTemperature);
  return give(device, "temperature", out);
}
Return nvmlDeviceGetClockInfo(Device device, int clock, unsigned* out) {
  TOLD(nvmlDeviceGetClockInfo);
  return give(device, clock == aibench::nvml::kClockSm ? "clock_sm" : "clock_mem", out);
}
Return nvmlDeviceGetCurrentClocksThrottleReasons(Device device, unsigned long long* out) {
  TOLD(nvmlDeviceGetCurrentClocksThrottleReasons);
  return give(device, "throttle_reasons", out);
}
Return nvmlDeviceGetTotalEccErrors(Device device, int type, int counter, unsigned long long* out) {
  TOLD(nvmlDeviceGetTotalEccErrors);
  if (counter != aibench::nvml::kEccVolatile) return aibench::nvml::kInvalidArgument;
  return give(device, type == aibench::nvml::kEccUncorrected ? "ecc" : "ecc_corrected", out);
}
Return nvmlDeviceGetPcieThroughput(Device device, int counter, unsigned* out) {
  TOLD(nvmlDeviceGetPcieThroughput);
  return give(device, counter == aibench::nvml::kPcieSent ? "pcie_tx" : "pcie_rx", out);
}
Return nvmlDeviceGetUtilizationRates(Device device, aibench::nvml::Utilization* out) {
  TOLD(nvmlDeviceGetUtilizationRates);
  out->memory = 0;
  return give(device, "utilization", &out->gpu);
}
#ifndef FAKE_NVML_OLD
Return nvmlDeviceGetEnforcedPowerLimit(Device device, unsigned* out) {
  TOLD(nvmlDeviceGetEnforcedPowerLimit);
  return give(device, "enforced_limit", out);
}
Return nvmlDeviceGetCurrentClocksEventReasons(Device device, unsigned long long* out) {
  TOLD(nvmlDeviceGetCurrentClocksEventReasons);
  return give(device, "event_reasons", out);
}
Return nvmlDeviceGetTemperatureV(Device device, aibench::nvml::Temperature* out) {
  TOLD(nvmlDeviceGetTemperatureV);
  if (out->version != aibench::nvml::kTemperatureVersion) return 25;  // NVML_ERROR_ARGUMENT_VERSION_MISMATCH
  return give(device, "temperature", &out->celsius);
}
Return nvmlDeviceGetFieldValues(Device device, int count, aibench::nvml::FieldValue* values) {
  TOLD(nvmlDeviceGetFieldValues);
  for (int i = 0; i < count; ++i) {
    // field83 for the GPU, field83.1 for the module; the sum over all links has the plain name too.
    const unsigned id = values[i].field_id, scope = values[i].scope_id;
    const bool of_link = id == aibench::nvml::kFieldNvlinkSentBytes || id == aibench::nvml::kFieldNvlinkReceivedBytes;
    const std::string suffix = of_link                                ? "@" + std::to_string(scope)
                               : scope == aibench::nvml::kScopeModule ? ".1"
                               : scope == aibench::nvml::kScopeMemory ? ".2"
                                                                      : "";
    const std::string key = "field" + std::to_string(id);
    const Answer answer = play(device, key + suffix);
    values[i].status = answer.call == aibench::nvml::kSuccess ? answer.field : answer.call;
    if (answer.call != aibench::nvml::kSuccess && answer.call != aibench::nvml::kNotSupported) return answer.call;
    const auto narrow = script.find("narrow");
    const bool is_narrow = narrow != script.end() && narrow->second[0] == key;
    const bool is_wide = !is_narrow && (id == aibench::nvml::kFieldTotalEnergy || (id >= 74 && id <= 76) || id == 138 ||
                                        id == 139 || of_link || (id >= 251 && id <= 271));
    if (is_wide) {
      values[i].value_type = aibench::nvml::kUnsignedLongLong;
      values[i].value.ull = static_cast<unsigned long long>(answer.value);
    } else {
      values[i].value_type = aibench::nvml::kUnsignedInt;
      values[i].value.ui = static_cast<unsigned>(answer.value);
    }
  }
  return aibench::nvml::kSuccess;
}
#endif

}  // extern "C"
