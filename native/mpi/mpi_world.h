// This process as one rank of an MPI job. All MPI calls are made on one thread that lives as long as the job: the level
// asked for is MPI_THREAD_FUNNELED, and node's event loop stays free.
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/status.h"
#include "mpi/mpi_library.h"

namespace aibench {

struct MpiRankInfo {
  char host[128];
  std::int64_t process;
  std::int32_t cpu;          // that the MPI thread is pinned to, -1: left to the launcher
  std::uint64_t build;       // fingerprint of what must be the same at every rank
  std::uint64_t cpus;        // fingerprint of the CPUs that it may use
  std::int32_t cpu_count;    // how many those are
  std::int32_t host_cpus;    // that its host has
};

// Whether on some host of the first `count` ranks there are more of them than CPUs, or more that may use the same CPUs than there are
// of those.
bool crowded(const std::vector<MpiRankInfo>& ranks, int count);

class MpiWorld {
 public:
  // Opens the library, or meets at a job file, and joins the job. Fails as open_mpi_library and meet_at_file do, with MPI_INIT_FAILED, with MPI_MISMATCH when the
  // library sees another number of ranks than the launcher started, and with MPI_RANKS_DIFFER when ranks run another build.
  // One per process; a second call returns the first.
  static Status join(const std::string& build, MpiWorld** world);
  static MpiWorld* joined();

  const MpiLibrary& mpi() const { return *mpi_; }
  int rank() const { return rank_; }
  int size() const { return static_cast<int>(ranks_.size()); }
  const std::vector<MpiRankInfo>& ranks() const { return ranks_; }
  const MpiLaunch& launch() const { return launch_; }
  bool oversubscribed() const { return oversubscribed(size()); }
  // Of the first `ranks` alone.
  bool oversubscribed(int ranks) const { return crowded(ranks_, ranks); }
  std::vector<int> local_ranks() const;
  // On how many hosts the first `ranks` ranks are.
  int hosts(int ranks) const;
  // The communicator of the first `ranks` ranks; what the others get must not be used. Every rank calls it, on the MPI thread, in the
  // same order.
  MpiHandle first_ranks(int ranks);
  // Of the CPUs that the launcher gave this rank, those that no other of the first `ranks` ranks takes; where there are fewer CPUs than
  // ranks, one.
  std::vector<int> own_cpus(int ranks) const;

  // Runs `work` on the MPI thread and returns when it is done.
  void run(const std::function<void()>& work);
  // Seconds that the work under way has taken so far, 0 when there is none.
  double busy_seconds() const;
  // Which ranks of this host have stopped or gone, in words; empty when all run.
  std::string silent_ranks() const;

  // Leaves the job in order: every rank must call it.
  void finalize();
  // Ends the whole job at once with `code`.
  [[noreturn]] void abort(int code);
  bool active() const { return active_.load(); }

 private:
  MpiWorld() = default;
  Status open();
  Status initialise(const std::string& build);
  void serve();

  const MpiLibrary* mpi_ = nullptr;
  MpiLaunch launch_;
  int rank_ = 0;
  std::vector<MpiRankInfo> ranks_;
  std::vector<int> cpus_;  // that this rank may use
  std::map<int, MpiHandle> parts_;  // communicators by their number of ranks
  std::atomic<bool> active_{false};

  std::thread thread_;
  std::mutex mutex_;  // guards the next three
  std::condition_variable changed_;
  const std::function<void()>* work_ = nullptr;
  bool quit_ = false;
  std::atomic<double> busy_since_{0};
};

}  // namespace aibench
