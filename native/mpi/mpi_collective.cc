#include "mpi/mpi_collective.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <vector>

#include "collective/algorithm.h"
#include "collective/pattern.h"
#include "collective/reduction.h"
#include "memory/counter_random.h"
#include "mpi/job_rank.h"
#include "mpi/mpi_commands.h"

namespace aibench {
namespace {

class MpiCollectiveProblem final : public Problem {
 public:
  MpiCollectiveProblem(MpiWorld& world, const MpiCollectiveOptions& options, Collective kind, const Reduction& reduction,
                       const Pattern& pattern, std::size_t count)
      : world_(world), options_(options), kind_(kind), reduction_(reduction), pattern_(pattern), count_(count),
        engine_(options.engine == "nccl" ? MpiCommand::kNccl : options.engine == "rccl" ? MpiCommand::kRccl : MpiCommand::kMpi),
        number_(next_mpi_problem()), ranks_(options.ranks) {}

  // Gives memory and communicators back. Not where a call still hangs.
  ~MpiCollectiveProblem() override {
    if (is_prepared_ && on_gpus() && world_.active() && world_.busy_seconds() == 0) perform(command(MpiCommand::kRelease));
  }

  Status prepare() override {
    MpiCommand c = command(MpiCommand::kPrepare);
    c.engine = engine_;
    c.ranks = ranks_;
    c.collective = static_cast<std::int32_t>(kind_);
    std::snprintf(c.dtype, sizeof c.dtype, "%s", options_.dtype.c_str());
    std::snprintf(c.op, sizeof c.op, "%s", options_.op.c_str());
    c.bytes = options_.bytes;
    c.seed = options_.seed;
    c.in_place = options_.in_place ? 1 : 0;
    c.per_call = options_.per_call ? 1 : 0;
    is_prepared_ = true;
    return first_failure(perform(c));
  }

  void run(std::uint64_t iterations) override { batch(iterations, true, -1); }
  double run_timed(std::uint64_t iterations) override {
    if (count_ == 0) return 1e-9 * static_cast<double>(iterations);
    batch(iterations, false, -1);
    double sum = 0, longest = 0;
    int timed = 0;
    for (int rank = 0; rank < ranks_; ++rank) {
      if (!pattern_.times(rank)) continue;
      sum += seconds_[static_cast<std::size_t>(rank)];
      longest = std::max(longest, seconds_[static_cast<std::size_t>(rank)]);
      ++timed;
    }
    // GPUs begin together and the last says how long it took, as among the GPUs of one process.
    return on_gpus() ? longest : sum / timed;
  }
  std::vector<double> rank_seconds() const override { return seconds_; }

  Verification verify() override {
    if (count_ > 0 && in_place() && !checkable_) batch(1, true, -1);
    std::uint64_t wrong = 0;
    if (count_ > 0) {
      const std::vector<MpiAnswer> answers = perform(command(MpiCommand::kVerify));
      require_all(answers);
      for (const MpiAnswer& answer : answers) wrong += answer.wrong;
    }
    Verification v;
    v.method = in_place() ? "every element of every rank, bit for bit (in place: after one call on fresh input)"
                          : "every element of every rank, bit for bit";
    v.error = static_cast<double>(wrong);
    v.passed = wrong == 0;
    return v;
  }

  bool inject_fault(const std::string& kind) override {
    const std::size_t received = receive_elements(kind_, count_, ranks_);
    if (received == 0) return false;
    if (in_place() && !checkable_) batch(1, true, -1);
    const std::uint64_t random = random_bits(options_.seed, 1u << 20, ++faults_);
    MpiCommand c = command(MpiCommand::kFlip);
    c.rank = static_cast<int>(random_below(random, static_cast<std::uint64_t>(ranks_)));
    if (!pattern_.takes_part(c.rank)) c.rank %= 2;
    const std::size_t at = random_below(mix64(random), received);
    const std::size_t line = kLineBytes / reduction_.element_bytes, begin = at / line * line;
    if (kind == "flip") {
      c.at = at * reduction_.element_bytes;
      c.bit = static_cast<std::int32_t>(random & 7);
    } else if (kind == "skipped-rank") {
      c.kind = MpiCommand::kLeaveOut;
      c.rank = pattern_.visible_rank(c.rank, at);
    } else if (kind == "stale-chunk") {
      c.kind = MpiCommand::kUnwrite;
      c.at = begin;
      c.iterations = std::min(line, received - begin);
    } else if (kind == "mismatch") {
      batch(1, false, c.rank);
      return true;
    } else {
      return false;
    }
    perform(c);
    return true;
  }
  const char* fault_kinds() const override { return "flip,skipped-rank,stale-chunk"; }

  Work work() const override {
    const double elements = static_cast<double>(count_);
    return {reduces(kind_) ? (ranks_ - 1) * elements : 0, elements * static_cast<double>(reduction_.element_bytes), 1};
  }
  // No ceilings: aibench does not know MPI's links. It is the look before the samples and after at how the ranks sit.
  std::map<std::string, double> measure_ceilings() override {
    // Between hosts it is the wire that a message shows.
    if (on_gpus() || ranks_ < 2 || count_ == 0 || world_.oversubscribed(ranks_) || world_.hosts(ranks_) > 1) return {};
    double message = 0, copy = 0;  // of the slowest pair; of the slowest rank
    const std::vector<MpiAnswer> answers = perform(command(MpiCommand::kPlacement));
    require_all(answers);
    for (const MpiAnswer& answer : answers) {
      message = std::max(message, answer.values[0]);
      copy = copy == 0 ? answer.values[1] : std::min(copy, answer.values[1]);
    }
    message_before_ = message_ > 0 ? message_ : message;
    message_ = message;
    copy_rate_before_ = copy_rate_ > 0 ? copy_rate_ : copy;
    copy_rate_ = copy;
    return {};
  }

  std::map<std::string, std::string> facts() const override;
  int threads() const override { return ranks_; }

 private:
  bool on_gpus() const { return engine_ != MpiCommand::kMpi; }
  // MPI's broadcast has one buffer.
  bool in_place() const { return options_.in_place || (kind_ == Collective::kBroadcast && !on_gpus()); }

  Status first_failure(const std::vector<MpiAnswer>& answers) const {
    for (std::size_t rank = 0; rank < answers.size(); ++rank) {
      const MpiAnswer& one = answers[rank];
      if (one.ok == 0) return Status::failure(one.code, "rank " + std::to_string(rank) + " on " + world_.ranks()[rank].host + ": " + one.message, one.remedy);
    }
    return Status::success();
  }
  void require_all(const std::vector<MpiAnswer>& answers) const {
    if (Status status = first_failure(answers); !status.ok()) throw ProblemFailure(std::move(status));
  }

  MpiCommand command(MpiCommand::Kind kind) const {
    MpiCommand c = {};
    c.kind = kind;
    c.problem = number_;
    return c;
  }

  std::vector<MpiAnswer> perform(const MpiCommand& c) { return perform_at_all(world_, c, ranks_, options_.libraries, &rank_facts_); }

  void batch(std::uint64_t iterations, bool refill, int mismatched) {
    if (count_ == 0) return;
    checkable_ = refill && iterations == 1;
    MpiCommand c = command(MpiCommand::kRun);
    c.iterations = iterations;
    c.serial = ++batches_;
    c.refill = refill ? 1 : 0;
    c.rank = mismatched;
    c.bit = mismatched >= 0 ? 1 : 0;
    const std::vector<MpiAnswer> answers = perform(c);
    seconds_.clear();
    timed_batches_ = disagreements_ = 0;
    for (const MpiAnswer& answer : answers) {
      seconds_.push_back(answer.seconds);
      timed_batches_ += answer.batches;
      disagreements_ += answer.disagreements;
    }
    require_all(answers);
    // The rank that says what the fewest others say is the odd one.
    std::size_t odd = 0, fewest = answers.size();
    for (std::size_t rank = answers.size(); rank-- > 0;) {
      std::size_t same = 0;
      for (const MpiAnswer& other : answers) same += other.fingerprint == answers[rank].fingerprint;
      if (same < fewest) {
        fewest = same;
        odd = rank;
      }
    }
    if (fewest == answers.size()) return;
    throw ProblemFailure(Status::failure(
        "RANK_MISMATCH", "rank " + std::to_string(odd) + " on " + world_.ranks()[odd].host +
                             " calls the collective with another count, type or number of iterations than the others",
        "Give every rank the same command."));
  }

  MpiWorld& world_;
  const MpiCollectiveOptions options_;
  const Collective kind_;
  const Reduction& reduction_;
  const Pattern pattern_;
  const std::size_t count_;
  const MpiCommand::Engine engine_;
  const std::uint64_t number_;
  const int ranks_;
  std::map<std::string, std::string> rank_facts_;
  bool is_prepared_ = false;
  std::uint64_t timed_batches_ = 0, disagreements_ = 0;
  std::vector<double> seconds_;
  std::uint64_t batches_ = 0, faults_ = 0;
  bool checkable_ = false;
  double message_ = 0, message_before_ = 0, copy_rate_ = 0, copy_rate_before_ = 0;  // the last two looks
};

std::map<std::string, std::string> MpiCollectiveProblem::facts() const {
  const double n = ranks_;
  const double bytes = static_cast<double>(count_ * reduction_.element_bytes);
  const bool whole = kind_ == Collective::kBroadcast || kind_ == Collective::kShift || kind_ == Collective::kPingPong;
  const double factor = kind_ == Collective::kAllreduce ? 2 * (n - 1) / n : whole ? 1 : (n - 1) / n;
  // No algorithm of an allreduce moves fewer: each of n ranks has to send n - 1 parts out and to get n - 1 back.
  const double least = kind_ == Collective::kAllreduce ? 2 * bytes * (n - 1)
                       : kind_ == Collective::kShift   ? bytes * n
                       : kind_ == Collective::kPingPong ? 2 * bytes
                                                        : bytes * (n - 1);
  std::string hosts, cpus;
  for (int r = 0; r < ranks_; ++r) {
    const MpiRankInfo& rank = world_.ranks()[static_cast<std::size_t>(r)];
    if (hosts.size() < 3500) hosts += (hosts.empty() ? "" : ",") + std::string(rank.host);
    if (cpus.size() < 3500) cpus += (cpus.empty() ? "" : ",") + std::to_string(rank.cpu);
  }
  std::map<std::string, std::string> facts = {
      {"collective", collective_name(kind_)},
      {"algorithm", "chosen by the MPI library"},
      {"dtype", reduction_.dtype},
      {"ranks", std::to_string(ranks_)},
      {"rankKind", "mpi"},
      {"rankHosts", hosts},
      {"hostCount", std::to_string(world_.hosts(ranks_))},  // the list may be cut short
      {"rankCpus", cpus},
      {"mpiLibrary", world_.mpi().version},
      {"mpiAbi", mpi_abi_name(world_.mpi().abi)},
      {"mpiLauncher", world_.launch().present ? world_.launch().launcher : "none"},
      {"inPlace", in_place() ? "true" : "false"},
      {"method", options_.per_call ? "barrier and one call, mean over ranks (OSU)" : "calls back to back, mean over ranks"},
      {"messageBytes", std::to_string(static_cast<std::uint64_t>(bytes))},
      {"bytesOnLinksAtLeast", std::to_string(static_cast<std::uint64_t>(least))},
      {"busFactor", fact_text(factor)},
      {"oversubscribed", world_.oversubscribed(ranks_) ? "true" : "false"}};
  if (reduces(kind_)) facts["op"] = reduction_.op;
  if (message_ > 0) {
    facts["messageNanosecondsBefore"] = fact_text(message_before_ * 1e9);
    facts["messageNanosecondsAfter"] = fact_text(message_ * 1e9);
    facts["copyBytesPerSecondBefore"] = fact_text(copy_rate_before_);
    facts["copyBytesPerSecondAfter"] = fact_text(copy_rate_);
  }
  if (on_gpus()) {
    facts["algorithm"] = "the library's choice";
    facts["rankKind"] = "one GPU per process";
    facts["method"] = std::string(options_.per_call ? "one call, then a wait" : "calls back to back") + ", the longest of all ranks";
    facts["timedBatches"] = std::to_string(timed_batches_);
    facts["timerDisagreements"] = std::to_string(disagreements_);
    facts.insert(rank_facts_.begin(), rank_facts_.end());
  }
  return facts;
}

}  // namespace

Status make_mpi_collective(MpiWorld& world, const MpiCollectiveOptions& options, std::unique_ptr<Problem>* problem) {
  const auto bad = [](std::string message, std::string remedy) {
    return Status::failure("BAD_OPTION", std::move(message), std::move(remedy));
  };
  const bool on_mpi = options.engine.empty();
  if (!on_mpi && options.engine != "nccl" && options.engine != "rccl") return bad("there is no engine '" + options.engine + "'", "Use nccl or rccl.");
  if (on_mpi && world.mpi().abi == MpiAbi::kSockets) {
    return Status::failure("MPI_ABSENT", "this job was started with AIBENCH_JOB_FILE and has no MPI", "Start it with mpirun, or choose nccl or rccl.");
  }
  Collective kind;
  if (!parse_collective(options.collective, &kind)) {
    return bad("there is no collective '" + options.collective + "'",
               "Use allreduce, reduce-scatter, all-gather, broadcast, all-to-all, shift or ping-pong.");
  }
  const Reduction* reduction = nullptr;
  if (Status status = find_reduction(options.dtype, options.op, "", &reduction); !status.ok()) return status;
  if (options.bytes % reduction->element_bytes != 0) {
    return bad("a message of " + std::to_string(options.bytes) + " bytes does not hold a whole number of " + options.dtype + " elements",
               "Choose a multiple of " + std::to_string(reduction->element_bytes) + " bytes.");
  }
  MpiCollectiveOptions chosen = options;
  if (Status status = choose_mpi_ranks(world, on_mpi ? options.ranks : 0, &chosen.ranks); !status.ok()) return status;
  const std::size_t count = whole_blocks(kind, options.bytes / reduction->element_bytes, chosen.ranks);
  if (on_mpi && count > 0x7fffffff) {
    return bad("MPI counts elements in an int: " + std::to_string(count) + " are too many", "Choose a smaller message.");
  }
  if (kind == Collective::kPingPong && chosen.ranks < 2) return bad("a ping-pong needs two ranks", "Start more: mpirun -n 2.");
  const bool forms = kind == Collective::kAllreduce || kind == Collective::kAllGather || kind == Collective::kBroadcast ||
                     (kind == Collective::kReduceScatter && !on_mpi);
  if (options.in_place && !forms) {
    return bad(std::string(collective_name(kind)) + " has no form in place here", "Leave inPlace out.");
  }
  Pattern pattern;
  if (Status status = Pattern::make(kind, options.dtype, options.op, chosen.ranks, count, options.seed, &pattern); !status.ok()) {
    return status;
  }
  *problem = std::make_unique<MpiCollectiveProblem>(world, chosen, kind, *reduction, pattern, count);
  return Status::success();
}

}  // namespace aibench
