// What the sampler reads: one Sensor is one read (a file, an NVML field) that answers one or more channels.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "telemetry/parse.h"

namespace aibench {

// Why a read brought no number. Small enough to be handed between threads as one word.
struct ReadFailure {
  enum Kind : std::int32_t { kNone, kErrno, kNotANumber, kNvml, kAmdSmi, kLevelZero, kLate };
  Kind kind = kNone;
  std::int32_t code = 0;
};
// "EACCES: Permission denied", "the text holds no such number", "NVML_ERROR_GPU_IS_LOST"; empty for kNone.
std::string describe(const ReadFailure& failure);
// "EACCES"; "errno 123" for one that reads of sensors are not known to give.
std::string errno_name(int code);

struct Outcome {
  double value = 0;  // NaN where failure.kind is not kNone
  ReadFailure failure;
};

class Sensor {
 public:
  virtual ~Sensor() = default;
  // Reads now, one outcome per channel. Called by one thread at a time; may block, and then keeps only that thread.
  virtual void read(std::vector<Outcome>* outcomes) = 0;
  // Sensors of one group start out on one thread.
  virtual const char* group() const = 0;
};

// How a channel finds its number in a file.
struct TextRule {
  enum Kind { kLeadingNumber, kCpuTime, kKeyed };
  Kind kind = kLeadingNumber;
  CpuTimeField field = CpuTimeField::kTotal;
  std::string key;
};

// A file of /proc or /sys, opened at the first read, kept open and read from its start each time. A file that goes away
// stays away: another device may have got its name.
std::unique_ptr<Sensor> make_file_sensor(const std::string& path, std::vector<TextRule> rules);

// The product of the numbers in two such files, read one right after the other; NaN where one of them gives none.
std::unique_ptr<Sensor> make_product_sensor(const std::string& path, const std::string& other_path);

// A counter of the kernel's perf subsystem, system-wide on one CPU.
struct PerfEvent {
  std::uint32_t type = 0;
  std::uint64_t config = 0;
  int cpu = 0;
};
// Opened at the first read, counts from then on; the raw count, without its scale. Fails with ENOSYS where there is no perf.
std::unique_ptr<Sensor> make_perf_sensor(const PerfEvent& event);
// Whether it can be opened: kNone, or the errno.
ReadFailure probe_perf_event(const PerfEvent& event);

}  // namespace aibench
