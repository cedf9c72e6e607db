#include "collective/core_latency.h"

#include <algorithm>
#include <cstdio>

#include "collective/communicator.h"
#include "collective/group_watch.h"
#include "collective/shared_memory.h"
#include "core/thread_team.h"

namespace aibench {
namespace {

constexpr double kPatienceSeconds = 30;

class CoreLatencyProblem final : public Problem {
 public:
  explicit CoreLatencyProblem(int cpus) : cpus_(cpus) {}

  Status prepare() override {
    if (Status status = memory_.map(Communicator::bytes(cpus_, 0) + sizeof(GroupBoard) + sizeof(AliveMark) * static_cast<std::size_t>(cpus_ + 1), false);
        !status.ok()) {
      return status;
    }
    char* at = memory_.data();
    auto* alive = reinterpret_cast<AliveMark*>(at);
    for (int i = 0; i < cpus_; ++i) new (alive + i) AliveMark;
    at += sizeof(AliveMark) * static_cast<std::size_t>(cpus_);
    auto* board = new (at) GroupBoard;
    at += (sizeof(GroupBoard) + 127) / 128 * 128;
    watch_ = std::make_unique<GroupWatch>(board, alive, cpus_, kPatienceSeconds);
    team_ = std::make_unique<ThreadTeam>(cpus_);
    team_->bind_caller();
    communicator_ = std::make_unique<Communicator>(cpus_, 0, at, Waiting::kSpins, watch_.get());
    team_->run([this](int rank) { communicator_->attach(rank); });
    const auto pairs = static_cast<std::size_t>(cpus_) * static_cast<std::size_t>(cpus_ - 1) / 2;
    seconds_.assign(pairs, 0);
    arrived_.assign(pairs, 0);
    return Status::success();
  }

  void run(std::uint64_t iterations) override {
    wanted_ = iterations;
    team_->run([this, iterations](int rank) {
      std::size_t pair = 0;
      for (int from = 0; from < cpus_; ++from) {
        for (int to = from + 1; to < cpus_; ++to, ++pair) {
          const Communicator::RoundTrips trips = communicator_->round_trips(rank, from, to, iterations);
          if (rank == from) seconds_[pair] = trips.seconds / 2;
          if (rank == to) arrived_[pair] = trips.arrived;
        }
      }
    });
  }

  double run_timed(std::uint64_t iterations) override {
    run(iterations);
    double sum = 0;
    for (const double seconds : seconds_) sum += seconds;
    return sum / static_cast<double>(seconds_.size());
  }
  std::vector<double> rank_seconds() const override { return seconds_; }

  Verification verify() override {
    Verification v;
    v.method = "every flag arrived, in order, between every pair";
    for (const std::uint64_t arrived : arrived_) v.error += arrived == wanted_ ? 0 : 1;
    v.passed = v.error == 0;
    return v;
  }
  bool inject_fault(const std::string& kind) override {
    if (kind != "lost-flag") return false;
    --arrived_.back();
    return true;
  }
  const char* fault_kinds() const override { return "lost-flag"; }
  Work work() const override { return {0, 0, 1}; }

  std::map<std::string, std::string> facts() const override {
    const std::vector<int> cpus = allowed_cpus();
    std::string matrix;
    std::size_t pair = 0;
    for (int from = 0; from < cpus_; ++from) {
      for (int to = from + 1; to < cpus_ && pair < seconds_.size(); ++to, ++pair) {
        char entry[64];
        std::snprintf(entry, sizeof entry, "%s%d-%d", pair == 0 ? "" : " ", cpus[static_cast<std::size_t>(from)],
                      cpus[static_cast<std::size_t>(to)]);
        if (matrix.size() < 4000) matrix += entry;
      }
    }
    return {{"cpus", std::to_string(cpus_)}, {"pairs", matrix}};
  }
  int threads() const override { return cpus_; }

 private:
  const int cpus_;
  SharedMemory memory_;
  std::unique_ptr<GroupWatch> watch_;
  std::unique_ptr<ThreadTeam> team_;
  std::unique_ptr<Communicator> communicator_;
  std::vector<double> seconds_;         // by pair, one way, of all round trips of the last run
  std::vector<std::uint64_t> arrived_;  // by pair
  std::uint64_t wanted_ = 0;
};

}  // namespace

Status make_core_latency(int cpus, std::unique_ptr<Problem>* problem) {
  const auto there = static_cast<int>(allowed_cpus().size());
  if (cpus < 2 || cpus > there) {
    return Status::failure("BAD_OPTION", "core-to-core latency over " + std::to_string(cpus) + " CPUs is not possible: " +
                                             std::to_string(there) + " are usable",
                           "Choose 2 or more, and no more than this process may use.");
  }
  *problem = std::make_unique<CoreLatencyProblem>(cpus);
  return Status::success();
}

}  // namespace aibench
