// Reads sensors on their own clock, on threads of its own, and keeps the readings until they are drained.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/status.h"
#include "telemetry/ring.h"
#include "telemetry/sensor.h"

namespace aibench {

struct ChannelOptions {
  std::string id;
  double scale = 1;           // multiplies the raw number
  std::size_t capacity = 1;   // readings kept until drained
};

// One sensor, its channels in the order of the sensor's outcomes, and how often to read it.
struct SamplerTask {
  std::unique_ptr<Sensor> sensor;
  std::vector<ChannelOptions> channels;
  double period_seconds = 1;
};

struct ChannelStats {
  std::string id;
  std::uint64_t reads = 0;
  std::uint64_t failures = 0;
  std::uint64_t lost = 0;
  std::string last_error;
};

struct SamplerStats {
  std::vector<ChannelStats> channels;
  std::uint64_t overruns = 0;  // deadlines that were missed by more than one period
  double cpu_seconds = 0;      // of the sampler's threads
};

struct ChannelReadings {
  std::string id;
  std::vector<Reading> readings;  // times are CLOCK_MONOTONIC seconds, half-way between before and after the read
};

// Deadlines are absolute (start + k * period, CLOCK_MONOTONIC), so lateness does not add up; a deadline missed by more
// than one period is counted and skipped, never made up for by a burst. What is due within a sixteenth of its period is
// read in the same wake-up, since a wake-up costs more than a read. Sensors of one group share a thread. A sensor
// that is slow again and again moves to a thread for slow ones; when one hangs, the others of its thread go on on a
// new one within about a quarter of a second. Nothing is pinned and no thread spins. Where no period is under 10 ms the
// threads wait for their turn (SCHED_BATCH) and do not interrupt what is being measured.
//
// start, drain, stats and stop belong to one thread, in any order and any number of times.
class Sampler {
 public:
  explicit Sampler(std::vector<SamplerTask> tasks);
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  // Fails with NO_THREADS when the operating system refuses one.
  Status start();
  // Waits for reads in hand for a quarter of a second; a thread in a read that hangs is left to end by itself.
  void stop();
  std::vector<ChannelReadings> drain();
  SamplerStats stats() const;

 private:
  struct Core;  // outlives the Sampler while a thread hangs
  std::shared_ptr<Core> core_;
};

}  // namespace aibench
