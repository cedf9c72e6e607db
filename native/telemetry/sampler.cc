#include "telemetry/sampler.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <system_error>
#include <thread>

#include "core/clock.h"
#include "core/wakeable_sleep.h"

namespace aibench {
namespace {

constexpr double kHangSeconds = 0.05;      // a read in hand for longer than this keeps nobody else waiting
constexpr double kWatchSeconds = 0.2;      // how often that is looked at: each look is a wake-up
constexpr double kSlowSeconds = 0.005;     // a read that takes this long ...
constexpr int kSlowStreak = 5;             // ... this often in a row moves away from the prompt ones
constexpr double kUntimelySeconds = 0.5;   // of an answer that took longer nobody knows when it was true
constexpr double kStopSeconds = 0.25;
constexpr double kPatientSeconds = 0.01;   // no shorter period: a tick of the scheduler later is early enough
constexpr double kTogetherFraction = 1.0 / 16;  // of its period by which a read may come early to share a wake-up
constexpr double kTogetherSeconds = 0.002;      // and at most that

using MonotonicTime = std::chrono::steady_clock::time_point;  // CLOCK_MONOTONIC in libstdc++ and libc++

MonotonicTime time_point(double monotonic_seconds) {
  return MonotonicTime(
      std::chrono::duration_cast<MonotonicTime::duration>(std::chrono::duration<double>(monotonic_seconds)));
}

double thread_cpu_seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Waits for the running thread's turn to end instead of interrupting it: half the cost of a wake-up next to a load, and
// nothing torn out of the cache in the middle of one. Later by one turn (some milliseconds), and the time stamps say so.
void be_patient() {
#ifdef SCHED_BATCH
  const sched_param none{};
  pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);  // a refusal costs nothing but the advantage
#endif
}

void name_this_thread() {
#ifdef __linux__
  pthread_setname_np(pthread_self(), "aibench-sampler");
#endif
  sigset_t all;  // signals are the main thread's business
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

struct Channel {
  explicit Channel(const ChannelOptions& options)
      : id(options.id), scale(options.scale), ring(options.capacity) {}
  const std::string id;
  const double scale;
  ReadingRing ring;
  std::atomic<std::uint64_t> failures{0};
  std::atomic<ReadFailure> last_failure{ReadFailure{}};
  std::uint64_t lost = 0;  // of the draining thread
};

struct Lane;

struct Task {
  std::unique_ptr<Sensor> sensor;
  std::vector<std::unique_ptr<Channel>> channels;
  std::vector<Outcome> outcomes;
  double period = 1;
  // Under the lock of the Core:
  double start = 0;
  std::uint64_t periods = 0;  // since start: deadlines are start + periods * period, so that equal paces stay together
  double busy_since = 0;      // 0: not being read
  int slow_streak = 0;
};

// What a lane looks through at each wake-up: side by side in one array, since beside a load none of it is in the cache.
struct Turn {
  Lane* lane = nullptr;
  double deadline = 0;  // infinity while it is being read
  double earliest = 0;  // may be read from then on, so that all that is nearly due shares one wake-up
  std::unique_ptr<Task> task;

  void begin_at(double time) {
    task->start = time;
    task->periods = 0;
    if (task->busy_since == 0) advance(0);
  }
  void advance(std::uint64_t by) {
    task->periods += by;
    deadline = task->start + static_cast<double>(task->periods) * task->period;
    earliest = deadline - std::min(kTogetherFraction * task->period, kTogetherSeconds);
  }
  void begin_read(double time) {
    task->busy_since = time;
    deadline = earliest = std::numeric_limits<double>::infinity();
  }
  void end_read() {
    task->busy_since = 0;
    advance(1);
  }
};

// One thread; the turns that point at it are its work.
struct Lane {
  enum Kind { kGroup, kSlow, kHung };
  Kind kind = kGroup;
  std::string group;
  WakeableSleep sleep;
  std::thread thread;
  bool quit = false;   // under the lock
  bool ended = false;  // under the lock; the last thing that its thread does
  clockid_t clock = 0;  // of its thread's CPU time, from when it runs until it has ended; under the lock
  bool has_clock = false;
  double final_cpu_seconds = 0;  // once it has ended

  // Asked for by who wants to know: a system call at each wake-up would be a good part of what it counts.
  double cpu_seconds() const {
    timespec t;
    if (ended || !has_clock || clock_gettime(clock, &t) != 0) return final_cpu_seconds;
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  }
  void take_clock() { has_clock = pthread_getcpuclockid(pthread_self(), &clock) == 0; }
};

}  // namespace

struct Sampler::Core : std::enable_shared_from_this<Sampler::Core> {
  mutable std::mutex lock;
  std::condition_variable lane_ended;
  std::vector<Turn> turns;  // as many as at the start
  std::vector<std::unique_ptr<Lane>> lanes;
  Lane watchdog;
  bool running = false;
  bool patient = false;  // no task is so fast that a tick of the scheduler matters
  double past_cpu_seconds = 0;  // of lanes that are gone
  std::atomic<std::uint64_t> overruns{0};

  // The rest is called with the lock held, unless it says otherwise.

  // nullptr when the operating system refuses another thread.
  Lane* add_lane(Lane::Kind kind, const std::string& group) {
    auto lane = std::make_unique<Lane>();
    lane->kind = kind;
    lane->group = group;
    try {
      lane->thread = std::thread([core = shared_from_this(), raw = lane.get()] { core->run_lane(raw); });
    } catch (const std::system_error&) {
      return nullptr;
    }
    lanes.push_back(std::move(lane));
    return lanes.back().get();
  }

  Lane* find_lane(Lane::Kind kind, const std::string& group) {
    for (const auto& lane : lanes) {
      if (lane->kind == kind && lane->group == group && !lane->quit) return lane.get();
    }
    return add_lane(kind, group);
  }

  void move(Turn* turn, Lane* lane) {
    turn->lane = lane;
    turn->task->slow_streak = 0;
    lane->sleep.wake();
  }

  // Takes the lock by itself.
  void run_lane(Lane* lane) {
    name_this_thread();
    if (patient) be_patient();
    std::vector<Turn*> due;
    due.reserve(turns.size());
    std::unique_lock<std::mutex> guard(lock);
    lane->take_clock();
    while (!lane->quit) {
      const std::uint32_t ticket = lane->sleep.ticket();
      double next = std::numeric_limits<double>::infinity();
      due.clear();
      const double now = monotonic_seconds();
      for (Turn& turn : turns) {
        if (turn.lane != lane) continue;
        if (turn.earliest <= now) due.push_back(&turn);
        next = std::min(next, turn.deadline);
      }
      if (due.empty()) {
        guard.unlock();
        lane->sleep.sleep_until(next, ticket);
        guard.lock();
        continue;
      }
      for (Turn* turn : due) {
        if (lane->quit || turn->lane != lane) continue;  // it was moved while this thread hung
        read(turn, lane, &guard);
      }
    }
    end(lane);
  }

  // Reads with the lock released, then takes it again.
  void read(Turn* turn, Lane* lane, std::unique_lock<std::mutex>* guard) {
    Task* const task = turn->task.get();
    const double begin = monotonic_seconds();
    const double late = begin - turn->deadline;
    if (late > task->period) {
      const auto missed = static_cast<std::uint64_t>(late / task->period);
      overruns.fetch_add(missed, std::memory_order_relaxed);
      turn->advance(missed);
    }
    turn->begin_read(begin);
    guard->unlock();
    task->sensor->read(&task->outcomes);
    const double after = monotonic_seconds();
    if (after - begin > kUntimelySeconds) {
      for (Outcome& outcome : task->outcomes) outcome = {std::numeric_limits<double>::quiet_NaN(), {ReadFailure::kLate, 0}};
    }
    for (std::size_t i = 0; i < task->channels.size(); ++i) {
      keep(task->channels[i].get(), task->outcomes[i], 0.5 * (begin + after));
    }
    guard->lock();
    turn->end_read();
    task->slow_streak = after - begin > kSlowSeconds ? task->slow_streak + 1 : 0;
    if (turn->lane != lane) {
      turn->lane->sleep.wake();  // a restart gave it to another thread, which waits for this read to end
    } else if (task->slow_streak >= kSlowStreak && lane->kind == Lane::kGroup && !lane->quit) {
      if (Lane* slow = find_lane(Lane::kSlow, lane->group); slow != nullptr) move(turn, slow);
    }
  }

  // Without the lock: the ring and the counters have one writer, whoever reads the task.
  static void keep(Channel* channel, const Outcome& outcome, double time) {
    const bool failed = outcome.failure.kind != ReadFailure::kNone;
    if (failed) {
      channel->failures.fetch_add(1, std::memory_order_relaxed);
      channel->last_failure.store(outcome.failure, std::memory_order_relaxed);
    }
    channel->ring.push({time, failed ? std::numeric_limits<double>::quiet_NaN() : outcome.value * channel->scale});
  }

  // Takes the lock by itself. When a read hangs, its thread keeps that task alone and a new one takes over the rest.
  void run_watchdog() {
    name_this_thread();
    be_patient();
    std::unique_lock<std::mutex> guard(lock);
    watchdog.take_clock();
    double next = monotonic_seconds();
    while (!watchdog.quit) {
      next = std::max(next + kWatchSeconds, monotonic_seconds());
      const std::uint32_t ticket = watchdog.sleep.ticket();
      guard.unlock();
      watchdog.sleep.sleep_until(next, ticket);
      guard.lock();
      const double now = monotonic_seconds();
      for (Turn& turn : turns) {
        const double since = turn.task->busy_since;
        if (since == 0 || now - since < kHangSeconds || turn.lane->kind == Lane::kHung) continue;
        isolate(turn.lane, &turn);
      }
    }
    end(&watchdog);
  }

  void isolate(Lane* lane, const Turn* hung) {
    const bool alone = std::none_of(turns.begin(), turns.end(),
                                    [&](const Turn& turn) { return turn.lane == lane && &turn != hung; });
    const Lane::Kind kind = lane->kind;
    lane->kind = Lane::kHung;
    if (alone) return;
    Lane* heir = nullptr;
    for (Turn& turn : turns) {
      if (turn.lane != lane || &turn == hung) continue;
      if (heir == nullptr) heir = find_lane(kind, lane->group);
      if (heir == nullptr) break;
      move(&turn, heir);
    }
    if (heir == nullptr) lane->kind = kind;  // nobody to take over: look again at the next round
  }

  void end(Lane* lane) {
    lane->final_cpu_seconds = thread_cpu_seconds();
    lane->ended = true;
    lane_ended.notify_all();
  }

  // Joins and forgets the threads that have ended.
  void collect() {
    for (auto& lane : lanes) {
      if (!lane->ended) continue;
      if (lane->thread.joinable()) lane->thread.join();  // it holds nothing that this thread waits for: see end()
      past_cpu_seconds += lane->final_cpu_seconds;
      lane.reset();
    }
    lanes.erase(std::remove(lanes.begin(), lanes.end(), nullptr), lanes.end());
  }
};

Sampler::Sampler(std::vector<SamplerTask> tasks) : core_(std::make_shared<Core>()) {
  double shortest = std::numeric_limits<double>::infinity();
  for (SamplerTask& from : tasks) {
    auto task = std::make_unique<Task>();
    task->sensor = std::move(from.sensor);
    task->period = from.period_seconds;
    shortest = std::min(shortest, task->period);
    task->outcomes.resize(from.channels.size());
    for (const ChannelOptions& options : from.channels) task->channels.push_back(std::make_unique<Channel>(options));
    core_->turns.push_back({nullptr, 0, 0, std::move(task)});
  }
  core_->patient = shortest >= kPatientSeconds;
}

Sampler::~Sampler() { stop(); }

Status Sampler::start() {
  const Status no_threads = Status::failure("NO_THREADS", "the operating system refused a thread for the sampler",
                                            "Raise the limit on processes (ulimit -u) or the container's pids limit.");
  Core& core = *core_;
  std::unique_lock<std::mutex> guard(core.lock);
  if (core.running) return Status::success();
  core.watchdog.quit = core.watchdog.ended = core.watchdog.has_clock = false;
  try {
    core.watchdog.thread = std::thread([core = core_] { core->run_watchdog(); });
  } catch (const std::system_error&) {
    return no_threads;
  }
  core.running = true;
  const double now = monotonic_seconds();
  for (Turn& turn : core.turns) {
    Lane* lane = core.find_lane(Lane::kGroup, turn.task->sensor->group());
    if (lane == nullptr) {
      guard.unlock();
      stop();
      return no_threads;
    }
    turn.begin_at(now);
    core.move(&turn, lane);
  }
  return Status::success();
}

void Sampler::stop() {
  Core& core = *core_;
  std::unique_lock<std::mutex> guard(core.lock);
  if (!core.running) return;
  core.running = false;
  core.watchdog.quit = true;
  core.watchdog.sleep.wake();
  for (const auto& lane : core.lanes) {
    lane->quit = true;
    lane->sleep.wake();
  }
  const auto all_ended = [&core] {
    return core.watchdog.ended &&
           std::all_of(core.lanes.begin(), core.lanes.end(), [](const auto& lane) { return lane->ended; });
  };
  core.lane_ended.wait_until(guard, time_point(monotonic_seconds() + kStopSeconds), all_ended);
  // The watchdog never reads, so it is on its way out even if the wait ran over.
  std::thread watchdog = std::move(core.watchdog.thread);
  std::vector<std::thread> hung;
  for (const auto& lane : core.lanes) {
    if (!lane->ended && lane->thread.joinable()) hung.push_back(std::move(lane->thread));
  }
  guard.unlock();
  watchdog.join();
  for (std::thread& thread : hung) thread.detach();  // it owns a share of the Core and ends when its read returns
  guard.lock();
  core.past_cpu_seconds += core.watchdog.final_cpu_seconds;
  core.watchdog.final_cpu_seconds = 0;
  core.collect();
}

std::vector<ChannelReadings> Sampler::drain() {
  std::vector<ChannelReadings> all;
  for (const Turn& turn : core_->turns) {
    for (const auto& channel : turn.task->channels) {
      all.push_back({channel->id, {}});
      channel->lost += channel->ring.drain(&all.back().readings);
    }
  }
  return all;
}

SamplerStats Sampler::stats() const {
  SamplerStats stats;
  const Core& core = *core_;
  for (const Turn& turn : core.turns) {
    for (const auto& channel : turn.task->channels) {
      stats.channels.push_back({channel->id, channel->ring.written(),
                                channel->failures.load(std::memory_order_relaxed), channel->lost,
                                describe(channel->last_failure.load(std::memory_order_relaxed))});
    }
  }
  stats.overruns = core.overruns.load(std::memory_order_relaxed);
  const std::lock_guard<std::mutex> guard(core.lock);
  stats.cpu_seconds = core.past_cpu_seconds + core.watchdog.cpu_seconds();
  for (const auto& lane : core.lanes) stats.cpu_seconds += lane->cpu_seconds();
  return stats;
}

}  // namespace aibench
