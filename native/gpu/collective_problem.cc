#include "gpu/collective_problem.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <optional>

#include "collective/collective_problem.h"
#include "core/available_memory.h"
#include "core/thread_team.h"
#include "gemm/random_fill.h"
#include "gpu/collective_rank.h"
#include "gpu/device_facts.h"
#include "gpu/timer.h"

namespace aibench::gpu {
namespace {

class GpuCollectiveProblem final : public Problem {
 public:
  GpuCollectiveProblem(const GpuCollectiveOptions& options, CollectivePlan plan) : options_(options), plan_(std::move(plan)), ranks_(plan_.ranks) {}

  ~GpuCollectiveProblem() override {
    for (std::size_t i = 0; i < communicators_.size(); ++i) {
      if (communicators_[i] == nullptr || !ranks_of_[i]->use().ok()) continue;
      static_cast<void>(library_->call().destroy(communicators_[i]));
    }
  }

  Status prepare() override {
    team_.emplace(std::min<int>(8, static_cast<int>(allowed_cpus().size())));
    Status status = Driver::open(*options_.vendor, options_.driver, &driver_);
    if (status.ok()) status = CollectiveLibrary::open(*driver_, options_.library, &library_);
    if (status.ok()) status = check_memory(static_cast<double>(plan_.count * plan_.element_bytes), "a rank's vector on the host");
    for (int rank = 0; rank < ranks_ && status.ok(); ++rank) {
      ranks_of_.push_back(std::make_unique<CollectiveRank>(plan_, rank));
      status = ranks_of_.back()->open(driver_, options_.devices[static_cast<std::size_t>(rank)]);
    }
    if (!status.ok()) return status;
    communicators_.assign(ranks_of_.size(), nullptr);
    status = library_->check("ncclCommInitAll", library_->call().init_all(communicators_.data(), ranks_, options_.devices.data()));
    is_ready_ = status.ok();
    return status;
  }

  void run(std::uint64_t iterations) override { static_cast<void>(run_timed(iterations)); }

  // From the first device's begin to the last one's end, held against the wall clock.
  double run_timed(std::uint64_t iterations) override {
    calls_ += iterations;
    const double begin = monotonic_seconds();
    for (const auto& rank : ranks_of_) {
      require(rank->use());
      require(rank->context().mark_begin());
    }
    for (std::uint64_t i = 0; i < iterations; ++i) {
      require(call());
      if (options_.per_call) wait();
    }
    for (const auto& rank : ranks_of_) {
      require(rank->use());
      require(rank->context().mark_end());
    }
    seconds_.assign(ranks_of_.size(), 0);
    for (std::size_t i = 0; i < ranks_of_.size(); ++i) {
      require(ranks_of_[i]->use());
      require(ranks_of_[i]->context().marked_seconds(&seconds_[i]));
    }
    const double wall = monotonic_seconds() - begin;
    return timer_.judge(*std::max_element(seconds_.begin(), seconds_.end()), wall);
  }

  std::vector<double> rank_seconds() const override { return seconds_; }

  Verification verify() override {
    // In place only the first call after the input was written can be checked.
    if (options_.in_place && calls_ != 1) once_more();
    std::atomic<std::uint64_t> wrong{0};
    std::vector<unsigned char> host;
    const std::size_t received = plan_.received();
    for (int rank = 0; rank < ranks_; ++rank) {
      if (received == 0 || !plan_.pattern.takes_part(rank)) continue;
      require(of(rank).download(&host));
      team_->run([&](int member) {
        const auto members = static_cast<std::size_t>(team_->size()), me = static_cast<std::size_t>(member);
        const std::size_t first = received * me / members, last = received * (me + 1) / members;
        wrong.fetch_add(plan_.pattern.wrong_received(rank, host.data(), first, last - first), std::memory_order_relaxed);
      });
    }
    const auto error = static_cast<double>(wrong.load());
    // What comes next has to write all of it again.
    require(refill());
    return {options_.in_place ? "every element of every rank, bit for bit (in place: after one call on fresh input)"
                              : "every element of every rank, bit for bit",
            error == 0, error, 0};
  }

  bool inject_fault(const std::string& kind) override {
    if (plan_.received() == 0 || (kind != "flip" && kind != "skipped-rank")) return false;
    once_more();
    const std::uint64_t place = random_bits(options_.seed, 70 + faults_++);
    int damaged = static_cast<int>(place % static_cast<std::uint64_t>(ranks_));
    if (!plan_.pattern.takes_part(damaged)) damaged %= 2;
    const std::size_t at = (place >> 16) % plan_.received();
    const int absent = plan_.pattern.visible_rank(damaged, at);
    std::vector<unsigned char> host;
    for (int rank = 0; rank < ranks_; ++rank) {
      if (!plan_.pattern.takes_part(rank) || (kind == "flip" && rank != damaged)) continue;
      require(of(rank).download(&host));
      if (kind == "flip") host[at * plan_.element_bytes] ^= 1;
      else plan_.pattern.leave_out(absent, rank, host.data());
      require(of(rank).upload(host));
    }
    return true;
  }
  const char* fault_kinds() const override { return "flip,skipped-rank"; }

  Work work() const override {
    const auto elements = static_cast<double>(plan_.count);
    return {reduces(plan_.kind) ? (ranks_ - 1) * elements : 0, elements * static_cast<double>(plan_.element_bytes), 1};
  }

  std::map<std::string, std::string> facts() const override {
    std::map<std::string, std::string> facts = {{"collective", collective_name(plan_.kind)},
                                                {"dtype", plan_.dtype},
                                                {"ranks", std::to_string(ranks_)},
                                                {"rankKind", "GPUs of one process"},
                                                {"algorithm", "the library's choice"},
                                                {"inPlace", options_.in_place ? "true" : "false"},
                                                {"method", options_.per_call ? "one call, then a wait" : "calls back to back"},
                                                {"messageBytes", std::to_string(plan_.count * plan_.element_bytes)}};
    char factor[32];
    std::snprintf(factor, sizeof factor, "%.17g", bus_factor(plan_.kind, ranks_));
    facts["busFactor"] = factor;
    if (reduces(plan_.kind)) facts["op"] = options_.op;
    if (!is_ready_) return facts;
    std::vector<const DeviceInfo*> devices;
    for (const auto& rank : ranks_of_) devices.push_back(&rank->context().device());
    device_facts(*driver_, devices, facts);
    facts["library"] = library_->path();
    facts["libraryVersion"] = library_->version();
    facts["timedBatches"] = std::to_string(timer_.samples());
    facts["timerDisagreements"] = std::to_string(timer_.disagreements());
    return facts;
  }
  int threads() const override { return ranks_; }

 private:
  const CollectiveRank& of(int rank) const { return *ranks_of_[static_cast<std::size_t>(rank)]; }

  Status refill() {
    for (const auto& rank : ranks_of_) {
      if (Status status = rank->refill(); !status.ok()) return status;
    }
    calls_ = 0;
    return Status::success();
  }

  void once_more() {
    require(refill());
    require(call());
    calls_ = 1;
    wait();
  }

  void wait() const {
    for (const auto& rank : ranks_of_) {
      require(rank->use());
      require(rank->context().wait());
    }
  }

  Status call() {
    Status status = Status::success();
    for (int phase = 0; phase < plan_.phases() && status.ok(); ++phase) status = group(phase);
    return status;
  }

  Status group(int phase) {
    Status status = library_->check("ncclGroupStart", library_->call().group_begin());
    if (!status.ok()) return status;
    for (std::size_t i = 0; i < ranks_of_.size() && status.ok(); ++i) {
      status = ranks_of_[i]->use();
      if (status.ok()) status = ranks_of_[i]->ask(*library_, communicators_[i], phase);
    }
    const Status ended = library_->check("ncclGroupEnd", library_->call().group_end());
    return status.ok() ? ended : status;
  }

  const GpuCollectiveOptions options_;
  const CollectivePlan plan_;
  const int ranks_;
  std::optional<ThreadTeam> team_;
  std::shared_ptr<Driver> driver_;
  std::shared_ptr<CollectiveLibrary> library_;
  std::vector<std::unique_ptr<CollectiveRank>> ranks_of_;
  std::vector<Communicator> communicators_;
  std::vector<double> seconds_;
  Timer timer_;
  std::uint64_t faults_ = 0;
  std::uint64_t calls_ = 0;  // since the input was written
  bool is_ready_ = false;
};

}  // namespace

Status create_gpu_collective(const GpuCollectiveOptions& options, std::unique_ptr<Problem>* problem) {
  CollectivePlan plan;
  const int ranks = static_cast<int>(options.devices.size());
  if (Status status = CollectivePlan::make(options.collective, options.dtype, options.op, options.bytes, ranks, options.in_place, options.seed, &plan);
      !status.ok()) {
    return status;
  }
  *problem = std::make_unique<GpuCollectiveProblem>(options, std::move(plan));
  return Status::success();
}

}  // namespace aibench::gpu
