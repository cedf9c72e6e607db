#include "collective/collective_problem.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "collective/algorithm.h"
#include "collective/collective_ranks.h"
#include "collective/pattern.h"
#include "core/fibers.h"
#include "core/thread_team.h"
#include "memory/counter_random.h"
#include "memory/last_level_cache.h"

namespace aibench {
namespace {

using Action = CollectiveRanks::Action;

class CollectiveProblem final : public Problem {
 public:
  CollectiveProblem(const CollectiveOptions& options, const Reduction& reduction, const CollectiveAlgorithm& algorithm,
                    const Pattern& pattern, std::size_t count, bool streaming)
      : options_(options), reduction_(reduction), algorithm_(algorithm), pattern_(pattern), count_(count),
        streaming_(streaming), ranks_(options.ranks) {}

  Status prepare() override {
    team_ = std::make_unique<CollectiveRanks>(options_, reduction_, algorithm_, pattern_, count_, streaming_);
    return team_->start();
  }

  void run(std::uint64_t iterations) override { batch(iterations, true, -1); }

  double run_timed(std::uint64_t iterations) override {
    batch(iterations, false, -1);
    if (count_ == 0) return 1e-9 * static_cast<double>(iterations);  // nothing to exchange, nobody to wait for
    double sum = 0;
    int timed = 0;
    for (int rank = 0; rank < ranks_; ++rank) {
      if (!pattern_.times(rank)) continue;
      sum += seconds_of(rank);
      ++timed;
    }
    return sum / timed;  // the mean over ranks, as nccl-tests and OSU report
  }

  std::vector<double> rank_seconds() const override {
    std::vector<double> seconds;
    for (int rank = 0; rank < ranks_ && count_ > 0; ++rank) seconds.push_back(seconds_of(rank));
    return seconds;
  }

  // In place, only the first call after the input was written can be checked.
  Verification verify() override {
    if (count_ > 0 && options_.in_place && !checkable_) batch(1, true, -1);
    std::uint64_t wrong = 0;
    if (count_ > 0) {
      team_->perform({Action::kVerify, 0, 0, 0, 0, 0, false});
      for (int rank = 0; rank < ranks_; ++rank) wrong += team_->answer(rank).wrong;
    }
    Verification v;
    v.method = options_.in_place ? "every element of every rank, bit for bit (in place: after one call on fresh input)"
                                 : "every element of every rank, bit for bit";
    v.error = static_cast<double>(wrong);
    v.tolerance = 0;
    v.passed = v.error <= v.tolerance;
    return v;
  }

  bool inject_fault(const std::string& kind) override {
    const std::size_t received = receive_elements(algorithm_.kind, count_, ranks_);
    if (received == 0) return false;  // nothing there to damage
    if (options_.in_place && !checkable_) batch(1, true, -1);
    const std::uint64_t random = random_bits(options_.seed, 1u << 20, ++faults_);
    int rank = static_cast<int>(random_below(random, static_cast<std::uint64_t>(ranks_)));
    if (!pattern_.takes_part(rank)) rank %= 2;
    const std::size_t at = random_below(mix64(random), received);
    const std::size_t line = kLineBytes / reduction_.element_bytes, begin = at / line * line;
    if (kind == "flip") {
      const std::size_t byte = at * reduction_.element_bytes + (random >> 8) % reduction_.element_bytes;
      team_->perform({Action::kFlip, 0, 0, rank, byte, static_cast<int>(random & 7), false});
    } else if (kind == "skipped-rank") {  // every output lacks one rank's contribution
      team_->perform({Action::kLeaveOut, 0, 0, pattern_.visible_rank(rank, at), 0, 0, false});
    } else if (kind == "stale-chunk") {  // one line of one rank's output is as it was before the call
      team_->perform({Action::kUnwrite, std::min(line, received - begin), 0, rank, begin, 0, false});
    } else if (kind == "mismatch" && ranks_ > 1) {  // a rank makes another call than the others: throws ProblemFailure
      batch(1, false, rank);
    } else {
      return false;
    }
    return true;
  }
  const char* fault_kinds() const override { return "flip,skipped-rank,stale-chunk"; }

  // Bytes are those of one rank's larger vector, so that bytes / seconds is the algorithm bandwidth of nccl-tests.
  Work work() const override {
    const double elements = static_cast<double>(count_);
    return {reduces(algorithm_.kind) ? (ranks_ - 1) * elements : 0, elements * static_cast<double>(reduction_.element_bytes), 1};
  }

  std::map<std::string, double> measure_ceilings() override {
    std::map<std::string, double> ceilings;
    if (ranks_ < 2 || count_ == 0) return ceilings;
    if (team_->oversubscribed()) {
      // The rank that shares the CPU of rank 0: a flag goes from one to the other in one switch.
      team_->perform({Action::kOneWay, 0, 0, static_cast<int>(allowed_cpus().size()), 0, 0, false});
      switch_ = team_->answer(0).value;
      return ceilings;
    }
    double one_way = 0;
    for (int rank = 1; rank < std::min(ranks_, 9); ++rank) {
      team_->perform({Action::kOneWay, 0, 0, rank, 0, 0, false});
      const double seconds = team_->answer(0).value;
      if (one_way == 0 || seconds < one_way) one_way = seconds;
    }
    const double copy_rate = best_copy_rate();
    const double bytes = static_cast<double>(count_ * reduction_.element_bytes);
    const double moved = static_cast<double>(std::min(send_elements(algorithm_.kind, count_, ranks_),
                                                      receive_elements(algorithm_.kind, count_, ranks_)) *
                                             reduction_.element_bytes);
    // Nobody can know the others' input sooner than its line takes to arrive, in as many steps as it takes to hear from all;
    // and each rank reads and writes at least the smaller of its two vectors.
    const double steps = reduces(algorithm_.kind) || algorithm_.kind == Collective::kAllGather ? std::ceil(std::log2(ranks_)) : 1;
    const double legs = algorithm_.kind == Collective::kPingPong ? 2 : 1;  // one after the other
    const double floor_seconds = legs * std::max(steps * one_way, copy_rate > 0 ? moved / copy_rate : 0);
    // The last two looks: before the samples and after, also when they are taken a second time.
    one_way_before_ = one_way_ > 0 ? one_way_ : one_way;
    one_way_ = one_way;
    copy_rate_before_ = copy_rate_ > 0 ? copy_rate_ : copy_rate;
    copy_rate_ = copy_rate;
    ceilings["algorithm_bandwidth_bound"] = bytes / floor_seconds;
    ceilings["copy_bytes_per_second"] = copy_rate;
    return ceilings;
  }

  std::map<std::string, std::string> facts() const override;
  int threads() const override { return ranks_; }

 private:
  // `mismatched`: the rank that is to make another call than the others, or -1.
  void batch(std::uint64_t iterations, bool refill, int mismatched) {
    if (count_ == 0) return;  // as MPI: nothing to exchange, nobody to wait for
    checkable_ = refill && iterations == 1;
    team_->perform({Action::kRun, iterations, ++batches_, mismatched, 0, mismatched >= 0 ? 1 : 0, refill});
  }

  double seconds_of(int rank) const { return team_->answer(rank).end - team_->answer(rank).begin; }

  // Bytes per second and rank of copies that all ranks make at once: the best of three kinds of loop.
  double best_copy_rate() {
    double best = 0;
    const double bytes = static_cast<double>(team_->copy_bytes());
    if (bytes == 0) return 0;
    for (const int kind : {0, 1, 2}) {
      if (kind == 2 && bytes < 4096) continue;  // the rest beyond whole lines would count too much
      std::uint64_t passes = 1;
      int left = 12;
      for (const double deadline = monotonic_seconds() + 0.04; left > 0 && (monotonic_seconds() < deadline || left > 9); --left) {
        team_->perform({Action::kCopy, passes, 0, 0, 0, kind, false});
        double begin = team_->answer(0).begin, end = team_->answer(0).end;
        for (int rank = 1; rank < ranks_; ++rank) {
          begin = std::min(begin, team_->answer(rank).begin);
          end = std::max(end, team_->answer(rank).end);
        }
        const double seconds = end - begin;
        if (seconds < 100e-6) {  // too short for the clock: a longer batch, and this one does not count
          passes = std::max(passes + 1, static_cast<std::uint64_t>(static_cast<double>(passes) * std::min(16.0, 120e-6 / std::max(seconds, 1e-9))));
          ++left;
          continue;
        }
        best = std::max(best, bytes * static_cast<double>(passes) / seconds);
      }
    }
    return best;
  }

  std::string rank_cpus() const {
    const std::vector<int> cpus = allowed_cpus();
    std::string list;
    for (std::size_t rank = 0; rank < static_cast<std::size_t>(ranks_); ++rank) {
      list += (rank == 0 ? "" : ",") + std::to_string(cpus[rank % cpus.size()]);
    }
    return list;
  }

  const CollectiveOptions options_;
  const Reduction& reduction_;
  const CollectiveAlgorithm& algorithm_;
  const Pattern pattern_;
  const std::size_t count_;
  const bool streaming_;
  const int ranks_;
  std::unique_ptr<CollectiveRanks> team_;
  double one_way_ = 0, one_way_before_ = 0;
  double switch_ = 0;
  double copy_rate_ = 0, copy_rate_before_ = 0;
  std::uint64_t batches_ = 0;
  std::uint64_t faults_ = 0;
  bool checkable_ = false;
};

std::map<std::string, std::string> CollectiveProblem::facts() const {
  const double bytes = static_cast<double>(count_ * reduction_.element_bytes);
  const std::size_t domains = team_ ? team_->domains() : 1;
  const bool oversubscribed = team_ && team_->oversubscribed();
  std::map<std::string, std::string> facts = {
      {"collective", collective_name(algorithm_.kind)},
      {"algorithm", algorithm_.name},
      {"algorithmChosenBy", options_.algorithm.empty() ? "size and ranks" : "the case"},
      {"isa", reduction_.isa},
      {"dtype", reduction_.dtype},
      {"ranks", std::to_string(ranks_)},
      {"rankKind", options_.processes ? "processes" : "threads"},
      {"buffers", options_.private_buffers ? "private" : "shared"},
      {"inPlace", options_.in_place ? "true" : "false"},
      {"method", options_.per_call ? "barrier and one call, mean over ranks (OSU)" : "calls back to back, mean over ranks"},
      {"messageBytes", std::to_string(static_cast<std::uint64_t>(bytes))},
      {"bytesAllocated", std::to_string(team_ ? team_->bytes_allocated() : 0)},
      {"bytesOnLinks", std::to_string(static_cast<std::uint64_t>(
                           ranks_ > 1 ? algorithm_.bytes_on_links(ranks_, static_cast<int>(domains), bytes) : 0))},
      {"cacheDomains", std::to_string(domains)},
      {"busFactor", fact_text(bus_factor(algorithm_.kind, ranks_))},
      {"nonTemporalStores", streaming_ ? "true" : "false"},
      {"oversubscribed", oversubscribed ? "true" : "false"},
      {"rankCpus", rank_cpus()}};
  if (reduces(algorithm_.kind)) facts["op"] = reduction_.op;
  if (options_.processes && team_) facts["rankProcesses"] = team_->process_ids();
  if (switch_ > 0) facts["switchNanoseconds"] = fact_text(switch_ * 1e9);
  if (one_way_ > 0) {
    facts["oneWayNanosecondsBefore"] = fact_text(one_way_before_ * 1e9);
    facts["oneWayNanosecondsAfter"] = fact_text(one_way_ * 1e9);
    facts["copyBytesPerSecondBefore"] = fact_text(copy_rate_before_);
    facts["copyBytesPerSecondAfter"] = fact_text(copy_rate_);
  }
  return facts;
}

std::string algorithm_names(Collective kind) {
  std::string names;
  for (const CollectiveAlgorithm* const* row = collective_algorithms(); *row != nullptr; ++row) {
    if ((*row)->kind == kind) names += (names.empty() ? "" : ", ") + std::string((*row)->name);
  }
  return names;
}

Status bad_option(std::string message, std::string remedy) {
  return Status::failure("BAD_OPTION", std::move(message), std::move(remedy));
}

}  // namespace

double bus_factor(Collective kind, int ranks) {
  const double n = ranks;
  if (kind == Collective::kAllreduce) return 2 * (n - 1) / n;
  const bool whole = kind == Collective::kBroadcast || kind == Collective::kShift || kind == Collective::kPingPong;
  return whole ? 1 : (n - 1) / n;
}

Status make_collective(const CollectiveOptions& options, std::unique_ptr<Problem>* problem) {
  Collective kind;
  if (!parse_collective(options.collective, &kind)) {
    return bad_option("there is no collective '" + options.collective + "'",
                      "Use allreduce, reduce-scatter, all-gather, broadcast, all-to-all, shift or ping-pong.");
  }
  const Reduction* reduction = nullptr;
  if (Status status = find_reduction(options.dtype, options.op, options.isa, &reduction); !status.ok()) return status;
  if (options.bytes % reduction->element_bytes != 0) {
    return bad_option("a message of " + std::to_string(options.bytes) + " bytes does not hold a whole number of " +
                          options.dtype + " elements",
                      "Choose a multiple of " + std::to_string(reduction->element_bytes) + " bytes.");
  }
  if (options.ranks < 1 || options.ranks > kMaxRanks) {
    return bad_option(std::string("a collective cannot have ") + std::to_string(options.ranks) + " ranks",
                      "Choose 1 to " + std::to_string(kMaxRanks) + " ranks.");
  }
  if (options.in_place && (kind == Collective::kAllToAll || kind == Collective::kShift || kind == Collective::kPingPong)) {
    return bad_option(std::string(collective_name(kind)) + " has no form in place", "Leave inPlace out.");
  }
  const std::size_t count = whole_blocks(kind, options.bytes / reduction->element_bytes, options.ranks);
  const std::size_t bytes = count * reduction->element_bytes;
  const bool crowded = static_cast<std::size_t>(options.ranks) > allowed_cpus().size();
  const bool takes_turns = !options.processes && Fibers::supported();  // a wait is then no context switch
  const CollectiveAlgorithm* algorithm =
      options.algorithm.empty() ? &choose_collective_algorithm(kind, bytes, options.ranks, !options.private_buffers,
                                                             crowded && !takes_turns)
                                : find_collective_algorithm(kind, options.algorithm);
  if (algorithm == nullptr) {
    return bad_option(std::string("there is no ") + collective_name(kind) + " algorithm '" + options.algorithm + "'",
                      "Use one of " + algorithm_names(kind) + ".");
  }
  if (algorithm->shared_buffers && options.private_buffers) {
    return bad_option(std::string("the algorithm ") + algorithm->name + " needs ranks that see each other's buffers",
                      "Choose buffers shared, or another algorithm: " + algorithm_names(kind) + ".");
  }
  Pattern pattern;
  if (Status status = Pattern::make(kind, options.dtype, options.op, options.ranks, count, options.seed, &pattern);
      !status.ok()) {
    return status;
  }
  const double footprint = static_cast<double>(options.ranks) * reduction->element_bytes *
                           static_cast<double>(send_elements(kind, count, options.ranks) + receive_elements(kind, count, options.ranks));
  const bool streaming = reduction->copy_streaming != nullptr && footprint > static_cast<double>(last_level_cache_bytes());
  *problem = std::make_unique<CollectiveProblem>(options, *reduction, *algorithm, pattern, count, streaming);
  return Status::success();
}

}  // namespace aibench
