#include "core/thread_team.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "core/clock.h"
#include "core/cpu_relax.h"

namespace aibench {
namespace {

constexpr std::size_t kLine = 128;  // two lines: adjacent-line prefetchers pull pairs
constexpr int kMaxRounds = 16;      // dissemination barrier: ceil(log2(members))
constexpr double kSpinSeconds = 100e-6;

void bind_to(int cpu) {
#ifdef __linux__
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);  // a hint where a container forbids it
#endif
}

void bind_to_all([[maybe_unused]] const std::vector<int>& cpus) {
#ifdef __linux__
  const int capacity = cpus.back() + 1;
  cpu_set_t* set = CPU_ALLOC(capacity);
  const std::size_t bytes = CPU_ALLOC_SIZE(capacity);
  CPU_ZERO_S(bytes, set);
  for (int cpu : cpus) CPU_SET_S(static_cast<std::size_t>(cpu), bytes, set);
  pthread_setaffinity_np(pthread_self(), bytes, set);
  CPU_FREE(set);
#endif
}

struct alignas(kLine) PaddedFlag {
  std::atomic<std::uint32_t> value{0};
};

struct alignas(kLine) BarrierMember {
  PaddedFlag arrived[kMaxRounds];
  std::uint32_t episode = 0;
};

}  // namespace

struct ThreadTeam::State {
  int size = 1;
  bool oversubscribed = false;
  std::vector<int> cpus;
  std::vector<std::thread> workers;
  std::vector<BarrierMember> barrier;

  Function function = nullptr;
  void* context = nullptr;
  alignas(kLine) std::atomic<std::uint32_t> generation{0};
  alignas(kLine) std::atomic<int> running{0};
  alignas(kLine) std::atomic<bool> quit{false};

  void pause() const {
    if (oversubscribed) {
      sched_yield();
    } else {
      cpu_relax();
    }
  }

  // Spins for a short while, then sleeps. std::atomic::wait is a futex on Linux.
  void wait_for_work(std::uint32_t seen) {
    const double deadline = monotonic_seconds() + (oversubscribed ? 0 : kSpinSeconds);
    do {
      for (int i = 0; i < 64; ++i) {
        if (generation.load(std::memory_order_acquire) != seen) return;
        cpu_relax();
      }
    } while (monotonic_seconds() < deadline);
    generation.wait(seen, std::memory_order_acquire);
  }

  void work(int member) {
    bind_to(cpus[static_cast<std::size_t>(member) % cpus.size()]);
    for (std::uint32_t seen = 0;;) {
      while (generation.load(std::memory_order_acquire) == seen) wait_for_work(seen);
      ++seen;  // run() is not reentrant, so generations come one at a time
      if (quit.load(std::memory_order_relaxed)) return;
      function(context, member);
      running.fetch_sub(1, std::memory_order_release);
    }
  }
};

ThreadTeam::ThreadTeam(int threads) : state_(std::make_unique<State>()) {
  state_->size = threads < 1 ? 1 : threads;
  state_->cpus = allowed_cpus();
  state_->oversubscribed = static_cast<std::size_t>(state_->size) > state_->cpus.size();
  state_->barrier = std::vector<BarrierMember>(static_cast<std::size_t>(state_->size));
  for (int member = 1; member < state_->size; ++member) {
    state_->workers.emplace_back([state = state_.get(), member] { state->work(member); });
  }
}

ThreadTeam::~ThreadTeam() {
  state_->quit.store(true, std::memory_order_relaxed);
  state_->generation.fetch_add(1, std::memory_order_release);
  state_->generation.notify_all();
  for (std::thread& worker : state_->workers) worker.join();
}

int ThreadTeam::size() const { return state_->size; }
bool ThreadTeam::oversubscribed() const { return state_->oversubscribed; }
void ThreadTeam::bind_caller() { bind_to(state_->cpus.front()); }

void ThreadTeam::release_caller() { bind_to_all(state_->cpus); }

void ThreadTeam::run(Function fn, void* context) {
  State& s = *state_;
  if (s.size == 1) {
    fn(context, 0);
    return;
  }
  s.function = fn;
  s.context = context;
  s.running.store(s.size - 1, std::memory_order_relaxed);
  s.generation.fetch_add(1, std::memory_order_release);
  s.generation.notify_all();
  fn(context, 0);
  while (s.running.load(std::memory_order_acquire) != 0) s.pause();
}

// Dissemination barrier: in round r, member i tells member i + 2^r and hears from member i - 2^r. With two members that
// is one symmetric exchange of flags. Flags count episodes, so that none has to be reset.
void ThreadTeam::barrier(int member) {
  State& s = *state_;
  const std::uint32_t episode = ++s.barrier[static_cast<std::size_t>(member)].episode;
  for (int round = 0, distance = 1; distance < s.size; ++round, distance *= 2) {
    const int partner = (member + distance) % s.size;
    // A partner may be one episode ahead but never two, so "not behind" is the test.
    s.barrier[static_cast<std::size_t>(partner)].arrived[round].value.store(episode, std::memory_order_release);
    const auto& mine = s.barrier[static_cast<std::size_t>(member)].arrived[round].value;
    while (static_cast<std::int32_t>(mine.load(std::memory_order_acquire) - episode) < 0) s.pause();
  }
}

std::vector<int> allowed_cpus() {
  std::vector<int> cpus;
#ifdef __linux__
  // The mask of the main thread, not of the caller: a measuring thread is pinned to one CPU.
  for (int capacity = 1024; capacity <= (1 << 18) && cpus.empty(); capacity *= 4) {
    cpu_set_t* set = CPU_ALLOC(capacity);
    const std::size_t bytes = CPU_ALLOC_SIZE(capacity);
    CPU_ZERO_S(bytes, set);
    if (sched_getaffinity(getpid(), bytes, set) == 0) {
      for (int cpu = 0; cpu < capacity; ++cpu) {
        if (CPU_ISSET_S(static_cast<std::size_t>(cpu), bytes, set)) cpus.push_back(cpu);
      }
    }
    CPU_FREE(set);
  }
#endif
  if (cpus.empty()) {
    const unsigned count = std::thread::hardware_concurrency();
    for (unsigned cpu = 0; cpu < (count == 0 ? 1 : count); ++cpu) cpus.push_back(static_cast<int>(cpu));
  }
  return cpus;
}

}  // namespace aibench
