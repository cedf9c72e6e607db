#include "mpi/mpi_world.h"

#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <utility>

#include "core/clock.h"
#include "core/thread_team.h"
#include "memory/counter_random.h"
#include "mpi/socket_job.h"

namespace aibench {
namespace {

MpiWorld* the_world = nullptr;

const char* environment(const char* name) { return std::getenv(name); }
std::string environment_text(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::uint64_t fingerprint(const std::string& text) {
  std::uint64_t hash = text.size();
  for (const char c : text) hash = mix64(hash * 31 + static_cast<unsigned char>(c));
  return hash;
}

// A process that leaves without MPI_Finalize ends with code 0 under MPICH, as if all were well (trap 5).
void at_exit() {
  if (the_world == nullptr || !the_world->active()) return;
  std::fprintf(stderr, "aibench: rank %d leaves the MPI job without finishing it; the job ends.\n", the_world->rank());
  usleep(200000);  // for the launcher to pass the sentence on: it may drop what comes with the end of the job
  the_world->abort(1);
}

}  // namespace

bool crowded(const std::vector<MpiRankInfo>& ranks, int count) {
  std::map<std::string, int> on_host;
  std::map<std::pair<std::string, std::uint64_t>, int> on_cpus;
  for (int rank = 0; rank < count && static_cast<std::size_t>(rank) < ranks.size(); ++rank) {
    const MpiRankInfo& info = ranks[static_cast<std::size_t>(rank)];
    if (++on_host[info.host] > info.host_cpus || ++on_cpus[{info.host, info.cpus}] > info.cpu_count) return true;
  }
  return false;
}

MpiWorld* MpiWorld::joined() { return the_world; }

Status MpiWorld::join(const std::string& build, MpiWorld** world) {
  if (the_world == nullptr) {
    auto* created = new MpiWorld;  // lives until the process ends, as MPI does
    Status status = created->open();
    if (!status.ok()) return status;
    created->thread_ = std::thread([created] { created->serve(); });
    created->run([&] { status = created->initialise(build); });
    the_world = created;
    if (created->active_) std::atexit(at_exit);
    if (!status.ok()) {
      if (status.code == "MPI_MISMATCH") created->finalize();  // each is alone: nobody waits for it
      return status;
    }
  }
  *world = the_world;
  return Status::success();
}

Status MpiWorld::open() {
  if (const JobFile job = job_file_of(environment); !job.path.empty()) {
    launch_ = {true, "job file", job.rank, job.size};
    return open_socket_job(job, &mpi_);
  }
  launch_ = mpi_launch(environment);
  const std::vector<std::string> names = mpi_library_names(environment_text("AIBENCH_MPI_LIB"), launch_);
  return open_mpi_library(names, environment_text("AIBENCH_MPI_SCOPE"), &mpi_);
}

Status MpiWorld::initialise(const std::string& build) {
  int provided = -1;
  const int rc = mpi_->Init_thread(nullptr, nullptr, mpi_->is.thread_funneled, &provided);
  if (rc != 0) {
    return Status::failure("MPI_INIT_FAILED", "MPI_Init_thread of " + mpi_->path + " fails with " + std::to_string(rc),
                           "See what MPI printed above; AIBENCH_MPI_SCOPE=global helps with old Open MPI.");
  }
  active_ = true;
  int size = 0;
  mpi_->Comm_rank(mpi_->is.world, &rank_);
  mpi_->Comm_size(mpi_->is.world, &size);
  if (launch_.present && launch_.size != size) {
    return Status::failure("MPI_MISMATCH",
                           "the launcher (" + launch_.launcher + ") started " + std::to_string(launch_.size) + " ranks, but " +
                               mpi_->path + " (" + mpi_->version + ") sees " + std::to_string(size) +
                               ": launcher and library are not of one MPI",
                           "Start with the launcher of that library, or name the launcher's with AIBENCH_MPI_LIB.");
  }
  MpiRankInfo self = {};
  char host[1024] = {};
  int length = 0;
  mpi_->Get_processor_name(host, &length);
  std::snprintf(self.host, sizeof self.host, "%s", host);
  self.process = getpid();
  self.build = fingerprint(build);
  self.cpu = -1;
  cpus_ = allowed_cpus();
  std::string cpu_list;
  for (const int cpu : cpus_) cpu_list += std::to_string(cpu) + ",";
  self.cpus = fingerprint(cpu_list);
  self.cpu_count = static_cast<std::int32_t>(cpus_.size());
  self.host_cpus = static_cast<std::int32_t>(sysconf(_SC_NPROCESSORS_ONLN));
  ranks_.assign(static_cast<std::size_t>(size), {});
  const auto share = [&] {
    mpi_->Allgather(&self, sizeof self, mpi_->is.byte, ranks_.data(), sizeof self, mpi_->is.byte, mpi_->is.world);
  };
  share();
  for (int other = 0; other < size; ++other) {
    if (ranks_[static_cast<std::size_t>(other)].build == ranks_[0].build) continue;
    return Status::failure("MPI_RANKS_DIFFER", "rank " + std::to_string(other) + " on " +
                                                   ranks_[static_cast<std::size_t>(other)].host +
                                                   " runs another build of aibench or another suite than rank 0",
                           "Install the same version on every host and give every rank the same command.");
  }
  // Where the launcher has not bound the ranks (MPICH does not), each gets a CPU of its own while there are enough.
  const std::vector<int> local = local_ranks();
  std::size_t place = 0;
  while (local[place] != rank_) ++place;
  const bool bound = self.cpu_count < self.host_cpus;
  if (!bound && place < cpus_.size() && local.size() <= cpus_.size()) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpus_[place], &set);
    if (sched_setaffinity(0, sizeof set, &set) == 0) self.cpu = cpus_[place];
  }
  share();
  return Status::success();
}

int MpiWorld::hosts(int ranks) const {
  std::set<std::string> names;
  for (int rank = 0; rank < ranks; ++rank) names.insert(ranks_[static_cast<std::size_t>(rank)].host);
  return static_cast<int>(names.size());
}

std::vector<int> MpiWorld::local_ranks() const {
  std::vector<int> local;
  for (int other = 0; other < size(); ++other) {
    if (std::strcmp(ranks_[static_cast<std::size_t>(other)].host, ranks_[static_cast<std::size_t>(rank_)].host) == 0) {
      local.push_back(other);
    }
  }
  return local;
}

MpiHandle MpiWorld::first_ranks(int ranks) {
  if (ranks >= size()) return mpi_->is.world;
  const auto [part, is_new] = parts_.try_emplace(ranks, MpiHandle{0});
  if (is_new) mpi_->Comm_split(mpi_->is.world, rank_ < ranks ? 0 : 1, rank_, &part->second);
  return part->second;
}

std::vector<int> MpiWorld::own_cpus(int ranks) const {
  std::size_t count = 0, place = 0;
  for (const int other : local_ranks()) {
    const auto index = static_cast<std::size_t>(other);
    if (other >= ranks || ranks_[index].cpus != ranks_[static_cast<std::size_t>(rank_)].cpus) continue;
    if (other == rank_) place = count;
    ++count;
  }
  if (count == 0) return cpus_;
  const std::size_t begin = place * cpus_.size() / count, end = (place + 1) * cpus_.size() / count;
  if (begin == end) return {cpus_[place % cpus_.size()]};
  return {cpus_.begin() + static_cast<std::ptrdiff_t>(begin), cpus_.begin() + static_cast<std::ptrdiff_t>(end)};
}

void MpiWorld::serve() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return work_ != nullptr || quit_; });
    if (work_ == nullptr) return;
    const std::function<void()>* work = work_;
    lock.unlock();
    busy_since_ = monotonic_seconds();
    (*work)();
    busy_since_ = 0;
    lock.lock();
    work_ = nullptr;
    changed_.notify_all();
  }
}

void MpiWorld::run(const std::function<void()>& work) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return work_ == nullptr; });
  work_ = &work;
  changed_.notify_all();
  changed_.wait(lock, [this, &work] { return work_ != &work; });
}

double MpiWorld::busy_seconds() const {
  const double since = busy_since_;
  return since == 0 ? 0 : monotonic_seconds() - since;
}

std::string MpiWorld::silent_ranks() const {
  std::string words = mpi_->lost == nullptr ? "" : mpi_->lost();
  for (const int other : local_ranks()) {
    const std::int64_t process = ranks_[static_cast<std::size_t>(other)].process;
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string line;
    std::getline(file, line);
    const std::size_t end = line.rfind(')');
    const char state = end == std::string::npos || end + 2 >= line.size() ? 'X' : line[end + 2];
    if (std::strchr("TtZX", state) == nullptr) continue;
    words += (words.empty() ? "" : ", ") + std::string("rank ") + std::to_string(other) + " (process " +
             std::to_string(process) + ") " + (state == 'X' || state == 'Z' ? "has died" : "is stopped");
  }
  return words;
}

void MpiWorld::finalize() {
  if (!active_.exchange(false)) return;
  run([this] { mpi_->Finalize(); });
  {
    std::lock_guard<std::mutex> lock(mutex_);
    quit_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void MpiWorld::abort(int wanted) {
  const int code = wanted == 0 ? 1 : wanted;  // MPICH would end the job as if all were well
  active_ = false;
  // The MPI thread may hang in a call. Abort is the one call that is worth making from elsewhere; whatever it does, the
  // launcher sees a rank that left with an error.
  std::thread([this, code] { mpi_->Abort(mpi_->is.world, code); }).detach();
  usleep(500000);
  _exit(code);
}

}  // namespace aibench
