// The sampler thread: pace, losses, failures, sensors that hang, and any order of calls. Times are checked only for
// what must hold however busy the machine is.
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <thread>

#include "core/clock.h"
#include "telemetry/sampler.h"

namespace {

namespace fs = std::filesystem;
using aibench::ChannelStats;
using aibench::Outcome;
using aibench::Reading;
using aibench::ReadingRing;
using aibench::Sampler;
using aibench::SamplerTask;

void require(bool condition, const std::string& what) {
  if (condition) return;
  std::fprintf(stderr, "FAILED: %s\n", what.c_str());
  std::exit(1);
}

void sleep_seconds(double seconds) {
  const timespec pause{static_cast<time_t>(seconds), static_cast<long>(1e9 * (seconds - std::floor(seconds)))};
  nanosleep(&pause, nullptr);
}

// Counts 1, 2, 3, ...; each read may take some time.
class CountingSensor final : public aibench::Sensor {
 public:
  explicit CountingSensor(double seconds = 0, const std::atomic<bool>* hang = nullptr) : seconds_(seconds), hang_(hang) {}
  const char* group() const override { return "test"; }
  void read(std::vector<Outcome>* outcomes) override {
    if (seconds_ > 0) sleep_seconds(seconds_);
    while (hang_ != nullptr && hang_->load()) sleep_seconds(0.005);
    for (Outcome& outcome : *outcomes) outcome = {static_cast<double>(++count_), {}};
  }

 private:
  double seconds_;
  const std::atomic<bool>* hang_;
  int count_ = 0;
};

SamplerTask task(std::unique_ptr<aibench::Sensor> sensor, const std::string& id, double period,
                 std::size_t capacity = 4096, double scale = 1) {
  SamplerTask t;
  t.sensor = std::move(sensor);
  t.channels = {{id, scale, capacity}};
  t.period_seconds = period;
  return t;
}

ChannelStats stats_of(const Sampler& sampler, const std::string& id) {
  for (const ChannelStats& channel : sampler.stats().channels) {
    if (channel.id == id) return channel;
  }
  require(false, "no channel " + id);
  return {};
}

std::vector<Reading> readings_of(Sampler& sampler, const std::string& id) {
  for (auto& channel : sampler.drain()) {
    if (channel.id == id) return channel.readings;
  }
  require(false, "no channel " + id);
  return {};
}

void test_parsers() {
  using namespace aibench;
  const auto none = [](double value) { return std::isnan(value); };
  require(parse_leading_number("45000\n") == 45000 && parse_leading_number("  0.52 0.58 0.59 2/300 1\n") == 0.52, "numbers");
  require(parse_leading_number("18446744073709551615\n") == 18446744073709551615.0, "64-bit counter");
  require(parse_leading_number("-5000\n") == -5000, "below zero");
  for (const char* text : {"", "\n", "max\n", "inf\n", "nan\n", "N/A", "<unknown>"}) {
    require(none(parse_leading_number(text)), std::string("no number in ") + text);
  }
  const char stat[] = "cpu  10 20 30 400 50 6 7 8 9 1\ncpu0 1 2 3 4 5 6 7 8 9 1\nctxt 1234\nprocs_running 2\n";
  require(parse_cpu_time(stat, CpuTimeField::kUser) == 30 && parse_cpu_time(stat, CpuTimeField::kSystem) == 30, "user");
  require(parse_cpu_time(stat, CpuTimeField::kIdle) == 400 && parse_cpu_time(stat, CpuTimeField::kIowait) == 50, "idle");
  require(parse_cpu_time(stat, CpuTimeField::kSteal) == 8 && parse_cpu_time(stat, CpuTimeField::kTotal) == 531, "total");
  require(none(parse_cpu_time("cpu  1 2 3 4\n", CpuTimeField::kSteal)), "a kernel without steal");
  require(none(parse_cpu_time("cpu0 1 2 3 4 5 6 7 8\n", CpuTimeField::kUser)), "no summary line");
  require(parse_keyed_number(stat, "ctxt") == 1234 && parse_keyed_number(stat, "procs_running") == 2, "keys");
  require(none(parse_keyed_number(stat, "procs")) && none(parse_keyed_number(stat, "intr")), "no such key");
  require(parse_keyed_number("MemTotal:   16 kB\nMemFree:\t12 kB\n", "MemFree") == 12, "key with a colon");
  require(none(parse_keyed_number("max 5", "ma")) && none(parse_keyed_number("quota max", "quota")), "not quite");
}

void test_ring() {
  ReadingRing ring(4);
  std::vector<Reading> out;
  require(ring.drain(&out) == 0 && out.empty(), "empty ring");
  for (int i = 0; i < 3; ++i) ring.push({double(i), double(10 * i)});
  require(ring.drain(&out) == 0 && out.size() == 3 && out[2].value == 20, "three readings");
  for (int i = 3; i < 13; ++i) ring.push({double(i), double(10 * i)});
  out.clear();
  require(ring.drain(&out) == 6 && out.size() == 4 && out[0].value == 90 && out[3].value == 120, "the last four of ten");

  // A reader that is overtaken all the time sees no torn reading, no reading twice, and counts what it missed.
  ReadingRing busy(8);
  constexpr std::uint64_t kPushes = 300000;
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (std::uint64_t i = 0; i < kPushes; ++i) busy.push({double(i), 2.0 * double(i)});
    done = true;
  });
  std::uint64_t lost = 0, seen = 0;
  double last = -1;
  for (bool finished = false; !finished;) {
    finished = done.load();
    out.clear();
    lost += busy.drain(&out);
    for (const Reading& reading : out) {
      require(reading.value == 2.0 * reading.time_seconds && reading.time_seconds > last, "torn or repeated reading");
      last = reading.time_seconds;
    }
    seen += out.size();
  }
  writer.join();
  require(seen + lost == kPushes, "every reading is either seen or counted as lost");
}

void test_pace() {
  std::vector<SamplerTask> tasks;
  tasks.push_back(task(std::make_unique<CountingSensor>(), "fast", 0.005, 4096, 0.5));
  tasks.push_back(task(std::make_unique<CountingSensor>(), "slow", 0.05));
  Sampler sampler(std::move(tasks));
  const double begin = aibench::monotonic_seconds();
  require(sampler.start().ok(), "start");
  sleep_seconds(0.5);
  sampler.stop();
  const double elapsed = aibench::monotonic_seconds() - begin;
  const std::vector<Reading> fast = readings_of(sampler, "fast");
  require(fast.size() >= 5 && static_cast<double>(fast.size()) <= elapsed / 0.005 + 1, "number of readings");
  double last = begin;
  for (std::size_t i = 0; i < fast.size(); ++i) {
    require(fast[i].value == 0.5 * static_cast<double>(i + 1), "scaled values in order");
    require(fast[i].time_seconds >= last && fast[i].time_seconds <= begin + elapsed, "times in order, in the window");
    last = fast[i].time_seconds;
  }
  const aibench::SamplerStats stats = sampler.stats();
  require(stats.cpu_seconds > 0 && stats.cpu_seconds < elapsed, "CPU time");
  require(stats_of(sampler, "fast").reads == fast.size() && stats_of(sampler, "fast").failures == 0, "counts");
  // Deadlines are absolute: readings and overruns together account for the time.
  const double accounted = static_cast<double>(fast.size() + stats.overruns) * 0.005;
  require(std::abs(accounted - elapsed) < 0.35 * elapsed + 0.05, "deadlines add up");
}

void test_capacity() {
  std::vector<SamplerTask> tasks;
  tasks.push_back(task(std::make_unique<CountingSensor>(), "c", 0.001, 10));
  Sampler sampler(std::move(tasks));
  require(sampler.start().ok(), "start");
  sleep_seconds(0.2);
  sampler.stop();
  const std::vector<Reading> readings = readings_of(sampler, "c");
  const ChannelStats stats = stats_of(sampler, "c");
  require(readings.size() == 10 && stats.lost == stats.reads - 10, "the newest are kept, the others counted");
  require(readings.back().value == static_cast<double>(stats.reads), "the newest are the newest");
}

void test_files() {
  const fs::path folder = fs::temp_directory_path() / ("aibench-sampler-" + std::to_string(getpid()));
  fs::create_directory(folder);
  const auto write = [&](const char* name, const std::string& text) { std::ofstream(folder / name) << text; };
  write("energy_uj", "123456\n");
  write("garbage", "<unsupported>\n");
  write("empty", "");
  std::string stat = "cpu  1 2 3 4 5 6 7 8 0 0\nintr";
  for (int i = 0; i < 20000; ++i) stat += " 0";  // longer than the first buffer
  write("stat", stat + "\nctxt 987\n");
  mkfifo((folder / "fifo").c_str(), 0600);
  const auto file = [&](const char* name, aibench::TextRule rule) {
    return aibench::make_file_sensor((folder / name).string(), {std::move(rule)});
  };
  std::vector<SamplerTask> tasks;
  tasks.push_back(task(file("energy_uj", {}), "energy", 0.01, 100, 1e-6));
  tasks.push_back(task(file("garbage", {}), "garbage", 0.01));
  tasks.push_back(task(file("empty", {}), "empty", 0.01));
  tasks.push_back(task(file("missing", {}), "missing", 0.01));
  tasks.push_back(task(file("fifo", {}), "fifo", 0.01));
  tasks.push_back(task(file(".", {}), "folder", 0.01));
  SamplerTask two;  // one read, two channels
  two.sensor = aibench::make_file_sensor(
      (folder / "stat").string(),
      {{aibench::TextRule::kCpuTime, aibench::CpuTimeField::kSteal, ""}, {aibench::TextRule::kKeyed, {}, "ctxt"}});
  two.channels = {{"steal", 0.01, 100}, {"ctxt", 1, 100}};
  two.period_seconds = 0.01;
  tasks.push_back(std::move(two));
  Sampler sampler(std::move(tasks));
  require(sampler.start().ok(), "start");
  sleep_seconds(0.15);
  sampler.stop();
  const auto all = sampler.drain();
  for (const auto& channel : all) require(!channel.readings.empty(), channel.id + ": no readings");
  for (const auto& channel : all) {
    const double value = channel.readings[0].value;
    const ChannelStats stats = stats_of(sampler, channel.id);
    if (channel.id == "energy") require(value == 123456 * 1e-6 && stats.last_error.empty(), "energy");
    if (channel.id == "steal") require(value == 8 * 0.01 && stats.failures == 0, "steal");
    if (channel.id == "ctxt") require(value == 987 && stats.failures == 0, "ctxt behind a long line");
    if (channel.id == "energy" || channel.id == "steal" || channel.id == "ctxt") continue;
    require(std::isnan(value) && stats.failures == stats.reads, channel.id + ": a failed read is NaN and is counted");
    require(!stats.last_error.empty(), channel.id + ": has an error");
    if (channel.id == "missing") require(stats.last_error.rfind("ENOENT", 0) == 0, "missing: " + stats.last_error);
    if (channel.id == "folder") require(stats.last_error.rfind("EISDIR", 0) == 0, "folder: " + stats.last_error);
    if (channel.id == "fifo") require(stats.last_error.rfind("ESPIPE", 0) == 0, "fifo: " + stats.last_error);
    if (channel.id == "garbage") require(stats.last_error == "the text holds no such number", "garbage");
  }
  fs::remove_all(folder);
}

void test_hanging_sensor() {
  static std::atomic<bool> hang{true};  // the thread of a hanging read outlives this function
  {
    std::vector<SamplerTask> tasks;
    tasks.push_back(task(std::make_unique<CountingSensor>(0, &hang), "hangs", 0.01));
    tasks.push_back(task(std::make_unique<CountingSensor>(), "well", 0.01));
    Sampler sampler(std::move(tasks));
    require(sampler.start().ok(), "start");
    sleep_seconds(1.0);
    require(stats_of(sampler, "hangs").reads == 0, "the hanging sensor has read nothing");
    require(stats_of(sampler, "well").reads >= 10, "the other goes on");
    hang = false;
    sleep_seconds(0.3);
    require(stats_of(sampler, "hangs").reads >= 2, "it goes on when the hang is over");
    hang = true;
    sleep_seconds(0.1);
    const double begin = aibench::monotonic_seconds();
    sampler.stop();
    require(aibench::monotonic_seconds() - begin < 5, "stop does not wait for a hanging read");
    const auto before = stats_of(sampler, "well").reads;
    require(sampler.start().ok(), "start again, the old read still in hand");
    sleep_seconds(0.3);
    require(stats_of(sampler, "well").reads > before, "the other goes on after a restart");
    hang = false;
    sleep_seconds(0.3);
    const auto readings = readings_of(sampler, "hangs");
    require(std::isnan(readings.at(0).value), "an answer after a second has no date, and so no value");
    double last = 0;
    for (const auto& reading : readings) {
      if (std::isnan(reading.value)) continue;
      require(reading.value > last, "one reader at a time");
      last = reading.value;
    }
    require(last > 0, "prompt answers count again");
    hang = true;
    sleep_seconds(0.05);
  }  // destroyed in the middle of a hang: the thread owns what it uses
  hang = false;
  sleep_seconds(0.1);
}

void test_slow_sensor() {
  std::vector<SamplerTask> tasks;
  tasks.push_back(task(std::make_unique<CountingSensor>(0.02), "slow", 0.02));
  tasks.push_back(task(std::make_unique<CountingSensor>(), "well", 0.005));
  Sampler sampler(std::move(tasks));
  require(sampler.start().ok(), "start");
  sleep_seconds(0.6);
  sampler.stop();
  const auto slow = readings_of(sampler, "slow");
  require(slow.size() >= 5, "slow sensor is read");
}

void test_any_order() {
  std::vector<SamplerTask> tasks;
  tasks.push_back(task(std::make_unique<CountingSensor>(), "c", 0.001));
  Sampler sampler(std::move(tasks));
  sampler.stop();
  require(sampler.drain().at(0).readings.empty() && sampler.stats().cpu_seconds == 0, "before the start");
  for (int i = 0; i < 20; ++i) {
    require(sampler.start().ok() && sampler.start().ok(), "start twice");
    sampler.drain();
    sampler.stop();
    sampler.stop();
    sampler.stats();
  }
  Sampler never_started({});
  Sampler empty({});
  require(empty.start().ok(), "nothing to sample");
  empty.drain();
}

}  // namespace

int main() {
  test_parsers();
  test_ring();
  test_pace();
  test_capacity();
  test_files();
  test_hanging_sensor();
  test_slow_sensor();
  test_any_order();
  std::puts("sampler_test: ok");
}
