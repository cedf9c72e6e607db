// Collectives among processes: right results, and a group that ends within a stated time, with the rank's name, when one of
// its ranks is killed, hangs or makes another call; nothing is left behind.
#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "collective/algorithm.h"
#include "collective/collective_problem.h"
#include "core/clock.h"
#include "core/timed_loop.h"

namespace {

using aibench::CollectiveAlgorithm;
using aibench::CollectiveOptions;
using aibench::Problem;

void require(bool condition, const std::string& what) {
  if (condition) return;
  std::fprintf(stderr, "FAILED: %s\n", what.c_str());
  std::exit(1);
}

int shared_memory_files() {
  DIR* folder = opendir("/dev/shm");
  int count = 0;
  while (const dirent* entry = folder != nullptr ? readdir(folder) : nullptr) {
    count += std::strstr(entry->d_name, "aibench") != nullptr;
  }
  if (folder != nullptr) closedir(folder);
  return count;
}

std::unique_ptr<Problem> prepared(const CollectiveOptions& options) {
  std::unique_ptr<Problem> problem;
  const aibench::Status made = aibench::make_collective(options, &problem);
  require(made.ok(), options.algorithm + ": make: " + made.message);
  const aibench::Status status = problem->prepare();
  require(status.ok(), options.algorithm + ": prepare: " + status.message);
  return problem;
}

std::vector<pid_t> processes_of(const Problem& problem) {
  std::vector<pid_t> ids;
  std::stringstream list(problem.facts().at("rankProcesses"));
  for (std::string id; std::getline(list, id, ',');) ids.push_back(std::atoi(id.c_str()));
  return ids;
}

bool alive(pid_t process) { return kill(process, 0) == 0; }

CollectiveOptions four(const char* algorithm) {
  CollectiveOptions options;
  options.algorithm = algorithm;
  options.bytes = 40000;
  options.ranks = 4;
  options.seed = 3;
  options.processes = true;
  options.patience_seconds = 0.5;
  return options;
}

void test_every_algorithm() {
  for (const CollectiveAlgorithm* const* row = aibench::collective_algorithms(); *row != nullptr; ++row) {
    for (const int ranks : {1, 2, 3, 5}) {
      for (const std::uint64_t count : {0, 3, 70001}) {
        for (const bool private_buffers : {false, true}) {
          if (private_buffers && (*row)->shared_buffers) continue;
          CollectiveOptions options = four((*row)->name);
          options.collective = aibench::collective_name((*row)->kind);
          options.bytes = 4 * count;
          options.ranks = ranks;
          options.private_buffers = private_buffers;
          options.patience_seconds = 30;
          const std::string name = options.collective + " " + options.algorithm + " " + std::to_string(ranks) +
                                   " processes, " + std::to_string(options.bytes) + " B";
          const std::unique_ptr<Problem> problem = prepared(options);
          problem->run(5);
          require(problem->verify().passed, name);
          if (problem->work().bytes == 0) continue;
          for (const char* kind : {"flip", "skipped-rank", "stale-chunk"}) {
            require(problem->inject_fault(kind) && !problem->verify().passed, name + ": " + kind + " went unnoticed");
            problem->run(1);
            require(problem->verify().passed, name + ": run after " + kind);
          }
        }
      }
    }
  }
}

template <typename F>
aibench::Status failure_of(F&& call) {
  try {
    call();
  } catch (const aibench::ProblemFailure& failure) {
    return failure.status;
  }
  return aibench::Status::success();
}

// What `damage` does to the ranks must end the group within `seconds`, naming rank 2.
template <typename F>
void expect_end(const char* algorithm, const char* code, double seconds, F&& damage) {
  const std::unique_ptr<Problem> problem = prepared(four(algorithm));
  problem->run(3);
  const std::vector<pid_t> processes = processes_of(*problem);
  damage(*problem, processes);
  const double begin = aibench::monotonic_seconds();
  const aibench::Status status = failure_of([&] {
    for (int i = 0; i < 1000000; ++i) problem->run(50);
  });
  const double took = aibench::monotonic_seconds() - begin;
  require(status.code == code, std::string(algorithm) + ": wanted " + code + ", got " + status.code + ": " + status.message);
  require(status.message.find("rank 2") != std::string::npos, std::string(algorithm) + ": " + status.message);
  require(took < seconds, std::string(code) + " took " + std::to_string(took) + " s");
  for (std::size_t rank = 1; rank < processes.size(); ++rank) require(!alive(processes[rank]), "a rank outlives its group");
  require(!failure_of([&] { problem->verify(); }).ok(), "a failed group goes on");
}

void test_failures() {
  for (const char* algorithm : {"mailbox", "direct", "combining", "staged", "ring"}) {
    expect_end(algorithm, "RANK_DIED", 5, [](Problem&, const std::vector<pid_t>& ids) { kill(ids[2], SIGKILL); });
  }
  for (const char* algorithm : {"direct", "combining", "ring"}) {
    expect_end(algorithm, "RANK_HANGS", 8, [](Problem&, const std::vector<pid_t>& ids) { kill(ids[2], SIGSTOP); });
  }
  const std::unique_ptr<Problem> problem = prepared(four("staged"));
  problem->run(1);
  bool named = false;
  const aibench::Status status = failure_of([&] {
    for (int i = 0; i < 20; ++i) problem->inject_fault("mismatch");
  });
  for (int rank = 0; rank < 4; ++rank) named |= status.message.find("rank " + std::to_string(rank) + " ") == 0;
  require(status.code == "RANK_MISMATCH" && named, "mismatch: " + status.code + " " + status.message);
}

// A parent that dies at once, without any cleaning up, takes its ranks with it and leaves no shared memory.
void test_killed_parent() {
  int pipe_ends[2];
  require(pipe(pipe_ends) == 0, "pipe");
  const pid_t parent = fork();
  if (parent == 0) {
    const std::unique_ptr<Problem> problem = prepared(four("direct"));
    problem->run(1);
    const std::string ids = problem->facts().at("rankProcesses");
    if (write(pipe_ends[1], ids.c_str(), ids.size()) < 0) _exit(1);
    raise(SIGKILL);
  }
  close(pipe_ends[1]);
  char ids[256] = {};
  require(read(pipe_ends[0], ids, sizeof ids - 1) > 0, "ids of the ranks");
  close(pipe_ends[0]);
  waitpid(parent, nullptr, 0);
  std::stringstream list(ids);
  for (std::string id; std::getline(list, id, ',');) {
    const double deadline = aibench::monotonic_seconds() + 5;
    while (alive(std::atoi(id.c_str())) && aibench::monotonic_seconds() < deadline) usleep(1000);
    require(!alive(std::atoi(id.c_str())), "rank " + id + " outlives its parent");
  }
}

void test_timed() {
  CollectiveOptions options = four("");
  options.ranks = 2;
  options.patience_seconds = 30;
  const std::unique_ptr<Problem> problem = prepared(options);
  const std::atomic<bool> stop{false};
  const aibench::TimedLoopResult result = aibench::run_timed_loop(*problem, {0.02, 1e-3, 0.02, 5, 1000}, stop);
  require(result.complete && problem->verify().passed, "after the timed loop");
  require(problem->measure_ceilings().count("algorithm_bandwidth_bound") == 1, "ceilings between processes");
}

// Sixteen ranks with fewer elements than ranks, on however few CPUs, by what runs when nothing is said.
void test_many() {
  for (const std::uint64_t count : {7, 4099}) {
    for (const bool private_buffers : {false, true}) {
      CollectiveOptions options = four("");
      options.bytes = 4 * count;
      options.ranks = 16;
      options.private_buffers = private_buffers;
      options.patience_seconds = 30;
      const std::unique_ptr<Problem> problem = prepared(options);
      problem->run(3);
      require(problem->verify().passed, "16 processes, " + std::to_string(options.bytes) + " B");
    }
  }
}

void test_too_large() {
  CollectiveOptions options = four("");
  options.bytes = std::uint64_t{1} << 42;
  std::unique_ptr<Problem> problem;
  require(aibench::make_collective(options, &problem).ok(), "make");
  const std::string code = problem->prepare().code;
  require(code == "OUT_OF_MEMORY" || code == "SHARED_MEMORY_FULL", "4 TiB: " + code);
}

void run_tests() {
  const int before = shared_memory_files();
  test_every_algorithm();
  test_failures();
  test_killed_parent();
  test_timed();
  test_many();
  test_too_large();
  require(shared_memory_files() == before, "something is left in /dev/shm");
}

}  // namespace

int main() {
  // Not on the main thread: rank 0 pins itself, and the main thread's mask is what says which CPUs there are.
  std::thread(run_tests).join();
  std::puts("collective_process_test: ok");
}
