#include "mpi/mpi_product.h"

#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "core/clock.h"
#include "core/thread_team.h"
#include "gemm/gemm_problem.h"
#include "mpi/mpi_commands.h"

namespace aibench {
namespace {

std::vector<int> cpus_of(pid_t task) {
  std::vector<int> cpus;
  cpu_set_t set;
  if (sched_getaffinity(task, sizeof set, &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

void bind(pid_t task, const std::vector<int>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) CPU_SET(cpu, &set);
  if (!cpus.empty()) sched_setaffinity(task, sizeof set, &set);  // a hint where a container forbids it
}

std::size_t rows_of(std::size_t m, int rank, int ranks) {
  const auto r = static_cast<std::size_t>(rank), n = static_cast<std::size_t>(ranks);
  return m * (r + 1) / n - m * r / n;
}

GemmProblemOptions share_of(const std::string& dtype, std::size_t rows, std::size_t n, std::size_t k, int threads, std::uint64_t seed) {
  GemmProblemOptions options;
  options.dtype = dtype;
  options.m = rows;
  options.n = n;
  options.k = k;
  options.threads = threads;
  options.seed = seed;
  return options;
}

class MpiProductProblem final : public Problem {
 public:
  // `share`: the work of rank 0's rows.
  MpiProductProblem(MpiWorld& world, const MpiProductOptions& options, const Work& share)
      : world_(world), options_(options), share_(share), number_(next_mpi_problem()) {}
  // Every rank gives its memory and its CPUs back.
  ~MpiProductProblem() override {
    if (is_prepared_ && world_.active() && world_.busy_seconds() == 0) perform(command(MpiCommand::kRelease));
  }

  Status prepare() override {
    MpiCommand c = command(MpiCommand::kPrepare);
    c.engine = MpiCommand::kProduct;
    c.ranks = options_.ranks;
    std::snprintf(c.dtype, sizeof c.dtype, "%s", options_.dtype.c_str());
    c.seed = options_.seed;
    c.m = options_.m;
    c.n = options_.n;
    c.k = options_.k;
    c.threads = options_.threads;
    is_prepared_ = true;
    const std::vector<MpiAnswer> answers = perform(c);
    for (std::size_t rank = 0; rank < answers.size(); ++rank) {
      cores_ += answers[rank].threads;
      if (answers[rank].ok != 0) continue;
      return Status::failure(answers[rank].code, "rank " + std::to_string(rank) + " on " + world_.ranks()[rank].host + ": " + answers[rank].message,
                             answers[rank].remedy);
    }
    return Status::success();
  }

  void run(std::uint64_t iterations) override { batch(iterations); }
  double run_timed(std::uint64_t iterations) override {
    batch(iterations);
    double sum = 0;
    for (const double seconds : seconds_) sum += seconds;
    return sum / static_cast<double>(seconds_.size());
  }
  std::vector<double> rank_seconds() const override { return seconds_; }

  Verification verify() override {
    Verification worst;
    worst.passed = true;
    const std::vector<MpiAnswer> answers = perform(command(MpiCommand::kVerify));
    for (const MpiAnswer& answer : answers) {
      const double error = answer.values[0], tolerance = answer.values[1];
      worst.passed = worst.passed && answer.wrong == 0;
      if (&answer == &answers.front() || !(error / tolerance <= worst.error / worst.tolerance)) {
        worst.error = error;
        worst.tolerance = tolerance;
      }
    }
    worst.method = "the rows of every rank: " + std::string(answers.front().message);
    return worst;
  }

  const char* fault_kinds() const override { return "flip,value,stale-tile"; }
  bool inject_fault(const std::string& kind) override {
    if (std::strstr(fault_kinds(), kind.c_str()) == nullptr) return false;
    MpiCommand c = command(MpiCommand::kDamage);
    c.rank = static_cast<std::int32_t>((options_.seed + ++faults_) % static_cast<std::uint64_t>(options_.ranks));
    std::snprintf(c.fault, sizeof c.fault, "%s", kind.c_str());
    return perform(c)[static_cast<std::size_t>(c.rank)].ok != 0;
  }

  Work work() const override {
    Work all;
    const double rows = static_cast<double>(rows_of(options_.m, 0, options_.ranks));
    all.flops = share_.flops / rows * static_cast<double>(options_.m);
    all.bytes = share_.bytes * static_cast<double>(options_.ranks);  // every rank reads all of B
    return all;
  }

  void sample_ceilings() override {
    double fma = 0, operands = 0;
    for (const MpiAnswer& answer : perform(command(MpiCommand::kCeilings))) {
      fma += answer.values[0];
      operands += answer.values[1];
    }
    fma_ = fma > fma_ ? fma : fma_;
    operands_ = operands > operands_ ? operands : operands_;
  }
  std::map<std::string, double> ceilings() const override {
    std::map<std::string, double> seen;
    if (fma_ > 0) seen["fma_flops_per_second"] = fma_;
    if (operands_ > 0) seen["operand_bytes_per_second"] = operands_;
    return seen;
  }

  std::map<std::string, std::string> facts() const override {
    std::map<std::string, std::string> facts = rank_facts_;
    std::string hosts;
    for (int rank = 0; rank < options_.ranks && hosts.size() < 3500; ++rank) {
      hosts += (rank == 0 ? "" : ",") + std::string(world_.ranks()[static_cast<std::size_t>(rank)].host);
    }
    facts["ranks"] = std::to_string(options_.ranks);
    facts["cores"] = std::to_string(cores_);
    facts["rankHosts"] = hosts;
    facts["hostCount"] = std::to_string(world_.hosts(options_.ranks));  // the list may be cut short
    facts["rankKind"] = "mpi";
    facts["rowsPerRank"] = std::to_string(rows_of(options_.m, 0, options_.ranks));
    facts["method"] = "each rank its rows, a barrier after every product";
    facts["mpiLibrary"] = world_.mpi().version;
    facts["mpiAbi"] = mpi_abi_name(world_.mpi().abi);
    facts["mpiLauncher"] = world_.launch().present ? world_.launch().launcher : "none";
    facts["oversubscribed"] = world_.oversubscribed(options_.ranks) ? "true" : "false";
    return facts;
  }
  int threads() const override { return cores_; }

 private:
  MpiCommand command(MpiCommand::Kind kind) const {
    MpiCommand c = {};
    c.kind = kind;
    c.problem = number_;
    return c;
  }
  std::vector<MpiAnswer> perform(const MpiCommand& c) { return perform_at_all(world_, c, options_.ranks, {}, &rank_facts_); }
  void batch(std::uint64_t iterations) {
    MpiCommand c = command(MpiCommand::kRun);
    c.iterations = iterations;
    seconds_.clear();
    for (const MpiAnswer& answer : perform(c)) {
      if (answer.ok == 0) throw ProblemFailure(Status::failure(answer.code, answer.message, answer.remedy));
      seconds_.push_back(answer.seconds);
    }
  }

  MpiWorld& world_;
  const MpiProductOptions options_;  // ranks: how many take part
  const Work share_;
  const std::uint64_t number_;
  std::map<std::string, std::string> rank_facts_;
  bool is_prepared_ = false;
  std::vector<double> seconds_;
  int cores_ = 0;
  std::uint64_t faults_ = 0;
  double fma_ = 0, operands_ = 0;
};

}  // namespace

MpiProductPart::~MpiProductPart() { give_cpus_back(); }

MpiAnswer MpiProductPart::perform(const MpiCommand& command) {
  MpiAnswer answer = answer_of(Status::success());
  if (command.kind == MpiCommand::kPrepare) return prepare(command);
  if (!takes_part_ || share_ == nullptr) return answer;
  switch (command.kind) {
    case MpiCommand::kRun: return run(command.iterations);
    case MpiCommand::kVerify: {
      const Verification checked = share_->verify();
      answer.wrong = checked.passed ? 0 : 1;
      answer.values[0] = checked.error;
      answer.values[1] = checked.tolerance;
      std::snprintf(answer.message, sizeof answer.message, "%s", checked.method.c_str());
      break;
    }
    case MpiCommand::kDamage:
      if (command.rank == world_.rank()) answer.ok = share_->inject_fault(command.fault) ? 1 : 0;
      break;
    case MpiCommand::kCeilings: {
      world_.mpi().Barrier(comm_);  // all at the same time
      share_->sample_ceilings();
      std::map<std::string, double> seen = share_->ceilings();
      answer.values[0] = seen["fma_flops_per_second"];
      answer.values[1] = seen["operand_bytes_per_second"];
      break;
    }
    default: break;
  }
  return answer;
}

MpiAnswer MpiProductPart::prepare(const MpiCommand& command) {
  MpiAnswer answer = answer_of(Status::success());
  comm_ = world_.first_ranks(command.ranks);
  takes_part_ = world_.rank() < command.ranks;
  if (!takes_part_) return answer;
  // What makes threads looks at the CPUs of the process: for as long as this part lives they are those of this rank alone.
  process_cpus_ = cpus_of(getpid());
  thread_cpus_ = cpus_of(0);
  const std::vector<int> own = world_.own_cpus(command.ranks);
  bind(getpid(), own);
  answer.threads = command.threads > 0 ? command.threads : static_cast<std::int32_t>(own.size());
  ThreadTeam(1).bind_caller();
  const std::size_t rows = rows_of(command.m, world_.rank(), command.ranks);
  Status status = create_gemm_problem(share_of(command.dtype, rows, command.n, command.k, answer.threads, command.seed), &share_);
  if (status.ok()) status = share_->prepare();
  if (!status.ok()) {
    share_.reset();
    const std::int32_t threads = answer.threads;
    answer = answer_of(status);
    answer.threads = threads;
  }
  return answer;
}

MpiAnswer MpiProductPart::run(std::uint64_t iterations) {
  const MpiLibrary& mpi = world_.mpi();
  MpiAnswer answer = answer_of(Status::success());
  mpi.Barrier(comm_);
  const double begin = monotonic_seconds();
  for (std::uint64_t i = 0; i < iterations; ++i) {
    share_->run(1);
    mpi.Barrier(comm_);
  }
  answer.seconds = monotonic_seconds() - begin;
  return answer;
}

void MpiProductPart::give_cpus_back() {
  share_.reset();
  bind(getpid(), process_cpus_);
  bind(0, thread_cpus_);
  process_cpus_.clear();
  thread_cpus_.clear();
}

Status make_mpi_product(MpiWorld& world, const MpiProductOptions& options, std::unique_ptr<Problem>* problem) {
  if (world.mpi().abi == MpiAbi::kSockets) {
    return Status::failure("MPI_ABSENT", "this job was started with AIBENCH_JOB_FILE and has no MPI", "Start it with mpirun.");
  }
  MpiProductOptions chosen = options;
  if (Status status = choose_mpi_ranks(world, options.ranks, &chosen.ranks); !status.ok()) return status;
  if (options.m < static_cast<std::size_t>(chosen.ranks)) {
    return Status::failure("BAD_OPTION", std::to_string(options.m) + " rows cannot be shared by " + std::to_string(chosen.ranks) + " ranks",
                           "Choose at least one row per rank.");
  }
  // Whether there is such a product at all, before the others are told.
  std::unique_ptr<Problem> own;
  const std::size_t rows = rows_of(options.m, 0, chosen.ranks);
  const GemmProblemOptions share = share_of(options.dtype, rows, options.n, options.k, options.threads > 0 ? options.threads : 1, options.seed);
  if (Status status = create_gemm_problem(share, &own); !status.ok()) return status;
  *problem = std::make_unique<MpiProductProblem>(world, chosen, own->work());
  return Status::success();
}

}  // namespace aibench
