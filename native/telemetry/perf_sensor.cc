#ifdef __linux__
#include <linux/perf_event.h>
#include <sys/syscall.h>
#endif
#include <errno.h>
#include <unistd.h>

#include <cstring>
#include <limits>

#include "telemetry/sensor.h"

namespace aibench {
namespace {

// The counter's file descriptor, or -errno. System-wide on one CPU, since a power counter belongs to no process.
int open_counter(const PerfEvent& event) {
#ifdef __linux__
  perf_event_attr attributes;
  std::memset(&attributes, 0, sizeof attributes);
  attributes.size = sizeof attributes;
  attributes.type = event.type;
  attributes.config = event.config;
  const long fd = syscall(SYS_perf_event_open, &attributes, -1, event.cpu, -1, PERF_FLAG_FD_CLOEXEC);
  return fd < 0 ? -errno : static_cast<int>(fd);
#else
  (void)event;
  return -ENOSYS;
#endif
}

class PerfSensor final : public Sensor {
 public:
  explicit PerfSensor(const PerfEvent& event) : event_(event) {}
  ~PerfSensor() override {
    if (fd_ >= 0) close(fd_);
  }
  PerfSensor(const PerfSensor&) = delete;
  PerfSensor& operator=(const PerfSensor&) = delete;

  const char* group() const override { return "perf"; }

  void read(std::vector<Outcome>* outcomes) override {
    Outcome outcome;
    const int error = count(&outcome.value);
    if (error != 0) {
      outcome.value = std::numeric_limits<double>::quiet_NaN();
      outcome.failure = {ReadFailure::kErrno, error};
    }
    for (Outcome& each : *outcomes) each = outcome;
  }

 private:
  int count(double* value) {
    if (fd_ < 0) {
      fd_ = open_counter(event_);
      if (fd_ < 0) return -fd_;
    }
    std::uint64_t raw = 0;
    const ssize_t length = ::read(fd_, &raw, sizeof raw);
    if (length < 0) return errno;
    if (length != static_cast<ssize_t>(sizeof raw)) return ENODEV;  // 0 bytes: the event is in error, its CPU went away
    *value = static_cast<double>(raw);
    return 0;
  }

  const PerfEvent event_;
  int fd_ = -1;
};

}  // namespace

std::unique_ptr<Sensor> make_perf_sensor(const PerfEvent& event) { return std::make_unique<PerfSensor>(event); }

ReadFailure probe_perf_event(const PerfEvent& event) {
  const int fd = open_counter(event);
  if (fd < 0) return {ReadFailure::kErrno, -fd};
  close(fd);
  return {};
}

}  // namespace aibench
