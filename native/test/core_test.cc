// The core: team and barrier under every size, the clock, caches and memory limits from trees made for the test, the
// choice of an ISA.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/available_memory.h"
#include "core/clock.h"
#include "core/cpu_features.h"
#include "core/dynamic_library.h"
#include "core/fibers.h"
#include "core/thread_team.h"
#include "core/timed_loop.h"
#include "core/work_shares.h"

namespace {

using namespace aibench;

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "FAILED: %s\n", what);
  std::exit(1);
}

void write(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

void test_team() {
  for (int size : {1, 2, 3, 5, 8}) {
    ThreadTeam team(size);
    std::vector<int> counts(static_cast<std::size_t>(size), 0);
    std::vector<int> snapshot(static_cast<std::size_t>(size), 0);
    for (int round = 0; round < 50; ++round) {
      team.run([&](int member) {
        ++counts[static_cast<std::size_t>(member)];
        team.barrier(member);
        int sum = 0;  // after the barrier everybody's write is seen by everybody
        for (int count : counts) sum += count;
        snapshot[static_cast<std::size_t>(member)] = sum;
        team.barrier(member);
      });
      for (int sum : snapshot) require(sum == size * (round + 1), "barrier: a member saw a stale value");
    }
    require(team.size() == size, "team size");
  }
}

// Every piece is taken once in every round, whoever takes it; a member that is late is helped.
void test_work_shares() {
  constexpr int kMembers = 3;
  constexpr std::uint32_t kPieces = 50;
  ThreadTeam team(kMembers);
  WorkShares shares(kMembers);
  std::atomic<int> taken[kMembers][kPieces] = {};
  for (int round = 1; round <= 100; ++round) {
    shares.begin();
    team.run([&](int member) { shares.run(member, kPieces, [&](int owner, std::uint32_t piece) { ++taken[owner][piece]; }); });
    for (auto& share : taken) {
      for (auto& count : share) require(count == round, "a piece was taken twice or not at all");
    }
  }
  std::atomic<int> left{static_cast<int>(kMembers * kPieces)}, own{0};
  shares.begin();
  team.run([&](int member) {
    shares.run(member, kPieces, [&](int owner, std::uint32_t) {
      if (member == 0) own += owner == 0;
      --left;
      while (member == 0 && left > 0) std::this_thread::yield();  // in its first piece until all others are done
    });
  });
  require(left == 0 && own <= 1, "a late member's pieces are taken by the others");
}

// Members of one thread go on in turns, keep their own state over a turn, and end at different times; what they throw they catch.
void test_fibers() {
  if (!aibench::Fibers::supported()) return;
  aibench::Fibers::give_way();  // outside of run(): nothing to give way to
  aibench::Fibers fibers(3);
  for (int repeat = 0; repeat < 3; ++repeat) {
    std::string order;
    fibers.run({7, 8, 9}, [](void* context, int member) {
      auto& seen = *static_cast<std::string*>(context);
      const double mine = member * 1.5;
      for (int turn = 0; turn < member - 6; ++turn) {
        seen += std::to_string(member);
        try {
          aibench::Fibers::give_way();
          if (turn == 0) throw std::runtime_error("caught on the stack of its own");
        } catch (const std::runtime_error&) {
          aibench::Fibers::give_way();
        }
      }
      require(mine == member * 1.5, "a fiber keeps what it had");
    }, &order);
    require(order == "789899", "turns");
  }
  std::string alone;
  fibers.run({1}, [](void* context, int) {
    aibench::Fibers::give_way();
    *static_cast<std::string*>(context) = "went on";
  }, &alone);
  require(alone == "went on", "one fiber alone");
}

void test_buffer() {
  AlignedBuffer buffer;
  require(buffer.allocate(3'000'001).ok() && buffer.size() == 3'000'001, "allocate");
  require(reinterpret_cast<std::uintptr_t>(buffer.as<char>()) % (2 << 20) == 0, "2 MiB alignment");
  for (std::size_t i = 0; i < buffer.size(); ++i) require(buffer.as<char>()[i] == 0, "zeroed");
  buffer.as<char>()[5] = 7;
  AlignedBuffer other = std::move(buffer);
  require(other.as<char>()[5] == 7 && buffer.size() == 0, "move");
  require(other.allocate(SIZE_MAX - 4096).code == "OUT_OF_MEMORY" && other.size() == 0, "absurd size");
}

void test_clock() {
  const ClockInfo clock = clock_info();
  require(clock.resolution_seconds > 0 && clock.resolution_seconds < 0.1, "resolution");
  require(clock.overhead_seconds > 0 && clock.overhead_seconds < 0.1, "overhead");
}

void test_caches(const std::filesystem::path& root) {
  const auto cpu = root / "devices/system/cpu" / ("cpu" + std::to_string(allowed_cpus().front())) / "cache";
  const auto add = [&](int index, const char* level, const char* type, const char* size, const char* shared) {
    const auto folder = cpu / ("index" + std::to_string(index));
    write(folder / "level", level);
    write(folder / "type", type);
    write(folder / "size", size);
    write(folder / "coherency_line_size", "64\n");
    write(folder / "ways_of_associativity", "8\n");
    write(folder / "shared_cpu_list", shared);
  };
  add(0, "1\n", "Data\n", "48K\n", "0,64\n");
  add(1, "2\n", "Unified\n", "0K\n", "0\n");  // a hypervisor's mistake: left out
  add(2, "3\n", "Unified\n", "32768K\n", "0-7,64-71\n");
  const std::vector<CpuCache> caches = cpu_caches(root.string());
  require(caches.size() == 2, "implausible cache is left out");
  require(caches[0].size_bytes == 48 << 10 && caches[0].type == "data" && caches[0].shared_by == 2, "L1");
  require(caches[1].size_bytes == 32 << 20 && caches[1].shared_by == 16 && caches[1].ways == 8, "L3");
  require(cpu_caches((root / "absent").string()).empty(), "no tree, no caches");
}

void test_memory(const std::filesystem::path& root) {
  write(root / "proc/meminfo", "MemTotal:  100 kB\nMemAvailable:  8388608 kB\n");
  write(root / "proc/self/cgroup", "0::/a/b\n");
  const auto available = [&] {
    return available_memory_bytes((root / "proc").string(), (root / "sys").string());
  };
  require(available() == std::uint64_t{8} << 30, "MemAvailable");
  write(root / "sys/fs/cgroup/a/memory.max", "1073741824\n");
  write(root / "sys/fs/cgroup/a/memory.current", "536870912\n");
  write(root / "sys/fs/cgroup/a/memory.stat", "anon 5\ninactive_file 268435456\n");
  require(available() == (std::uint64_t{768} << 20), "a parent's limit, its page cache counted as free");
  write(root / "sys/fs/cgroup/a/b/memory.max", "max\n");
  require(available() == (std::uint64_t{768} << 20), "max is no limit");
  write(root / "proc/self/cgroup", "5:cpu,memory:/v1\n");
  write(root / "sys/fs/cgroup/memory/v1/memory.limit_in_bytes", "1000\n");
  write(root / "sys/fs/cgroup/memory/v1/memory.usage_in_bytes", "400\n");
  require(available() == 600, "version 1");
  require(check_memory(1e18, "a test").code == "OUT_OF_MEMORY" && check_memory(1, "a test").ok(), "check_memory");
}

void test_isa() {
  require(isa_supported(Isa::kScalar), "scalar");
  Isa isa;
  unsetenv("AIBENCH_ISA");
  require(choose_isa("", {Isa::kScalar}, &isa).ok() && isa == Isa::kScalar, "the only one built");
  require(choose_isa("sse9", {Isa::kScalar}, &isa).code == "ISA_UNKNOWN", "unknown name");
  require(choose_isa("avx2", {Isa::kScalar}, &isa).code == "ISA_UNSUPPORTED", "not built");
  setenv("AIBENCH_ISA", "scalar", 1);
  require(choose_isa("", cpu_features().isas, &isa).ok() && isa == Isa::kScalar, "AIBENCH_ISA forces");
  setenv("AIBENCH_ISA", isa_name(cpu_features().isas.back()), 1);
  require(choose_isa("", {Isa::kScalar}, &isa).ok() && isa == Isa::kScalar, "AIBENCH_ISA is a bound, not a demand");
  setenv("AIBENCH_ISA", "neon9", 1);
  const Status status = choose_isa("", cpu_features().isas, &isa);
  require(status.code == "ISA_UNKNOWN" && status.message.find("neon9") != std::string::npos, "AIBENCH_ISA misspelt");
  unsetenv("AIBENCH_ISA");
}

void test_library() {
  DynamicLibrary library;
  require(library.open({"libaibench-absent.so.1"}).code == "LIBRARY_ABSENT", "absent library");
  require(library.symbol("x") == nullptr && !library.is_open(), "closed library");
}

// A problem of known length: spins for 20 microseconds per iteration.
class Spin final : public Problem {
 public:
  Status prepare() override { return Status::success(); }
  void run(std::uint64_t iterations) override {
    const double end = monotonic_seconds() + 20e-6 * static_cast<double>(iterations);
    while (monotonic_seconds() < end) {
    }
    if (stop != nullptr) stop->store(true);
  }
  Verification verify() override { return {"none", true, 0, 0}; }
  bool inject_fault(const std::string&) override { return false; }
  const char* fault_kinds() const override { return ""; }
  Work work() const override { return {}; }
  std::map<std::string, std::string> facts() const override { return {}; }
  int threads() const override { return 1; }
  std::atomic<bool>* stop = nullptr;
};

void test_timed_loop() {
  Spin spin;
  std::atomic<bool> stop{false};
  const TimedLoopOptions options{0.5, 1e-3, 0.02, 5, 1000};
  const TimedLoopResult result = run_timed_loop(spin, options, stop);
  require(result.complete, "complete");
  require(result.samples.size() >= 5 && result.samples.size() <= 1000, "number of samples");
  double sum = 0;
  for (double sample : result.samples) {
    require(sample >= 1e-3, "a sample is at least as long as asked");
    require(sample >= 20e-6 * static_cast<double>(result.iterations_per_sample), "iterations per sample");
    sum += sample;
  }
  require(sum >= 0.02 && result.window_end - result.window_start >= sum, "the window holds the samples");
  spin.stop = &stop;
  require(!run_timed_loop(spin, options, stop).complete, "stopped early");
}

}  // namespace

int main() {
  const auto root = std::filesystem::temp_directory_path() / ("aibench_core_test." + std::to_string(getpid()));
  test_team();
  test_work_shares();
  test_fibers();
  test_buffer();
  test_clock();
  test_caches(root / "caches");
  test_memory(root / "memory");
  test_isa();
  test_library();
  test_timed_loop();
  std::filesystem::remove_all(root);
  std::puts("core ok");
}
