#include "gpu/collective_problem.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <optional>

#include "collective/algorithm.h"
#include "collective/collective_problem.h"
#include "collective/pattern.h"
#include "core/available_memory.h"
#include "core/thread_team.h"
#include "gemm/random_fill.h"
#include "gpu/collective_library.h"
#include "gpu/context.h"
#include "gpu/device_facts.h"
#include "gpu/timer.h"

namespace aibench::gpu {
namespace {

// ncclDataType_t and ncclRedOp_t of nccl.h.
struct TypeRow {
  const char* dtype;
  int type;
  std::size_t bytes;
};
constexpr TypeRow kTypes[] = {{"s8", 0, 1}, {"s32", 2, 4}, {"f16", 6, 2}, {"f32", 7, 4}, {"f64", 8, 8}, {"bf16", 9, 2}};
constexpr int kSum = 0, kMax = 2, kMin = 3;

class GpuCollectiveProblem final : public Problem {
 public:
  GpuCollectiveProblem(const GpuCollectiveOptions& options, Collective kind, const TypeRow& type, const Pattern& pattern, std::size_t count)
      : options_(options), kind_(kind), type_(type), pattern_(pattern), count_(count), ranks_(static_cast<int>(options.devices.size())) {
    op_ = options.op == "max" ? kMax : options.op == "min" ? kMin : kSum;
  }

  ~GpuCollectiveProblem() override {
    for (std::size_t i = 0; i < communicators_.size(); ++i) {
      if (communicators_[i] == nullptr || !ranks_of_[i].context->use().ok()) continue;
      static_cast<void>(library_->call().destroy(communicators_[i]));
    }
  }

  Status prepare() override {
    team_.emplace(std::min<int>(8, static_cast<int>(allowed_cpus().size())));
    Status status = Driver::open(*options_.vendor, options_.driver, &driver_);
    if (status.ok()) status = CollectiveLibrary::open(*driver_, options_.library, &library_);
    if (status.ok()) status = check_memory(static_cast<double>(count_ * type_.bytes), "a rank's vector on the host");
    if (!status.ok()) return status;
    ranks_of_.resize(options_.devices.size());
    for (std::size_t i = 0; i < ranks_of_.size() && status.ok(); ++i) {
      Rank& rank = ranks_of_[i];
      status = Context::open(driver_, options_.devices[i], &rank.context);
      // Vectors of nothing still have an address.
      const auto bytes = [this](std::size_t elements) { return std::max<std::size_t>(256, (elements * type_.bytes + 3) / 4 * 4); };
      const std::size_t larger = std::max(sent(), received());
      if (status.ok()) status = rank.context->allocate(bytes(options_.in_place ? larger : sent()), "the vector that a rank sends", &rank.send);
      if (status.ok() && !options_.in_place) status = rank.context->allocate(bytes(received()), "the vector that a rank receives", &rank.receive);
    }
    if (status.ok()) status = refill();
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
    for (const Rank& rank : ranks_of_) {
      require(rank.context->use());
      require(rank.context->mark_begin());
    }
    for (std::uint64_t i = 0; i < iterations; ++i) {
      require(call());
      if (options_.per_call) wait();
    }
    for (const Rank& rank : ranks_of_) {
      require(rank.context->use());
      require(rank.context->mark_end());
    }
    seconds_.assign(ranks_of_.size(), 0);
    for (std::size_t i = 0; i < ranks_of_.size(); ++i) {
      require(ranks_of_[i].context->use());
      require(ranks_of_[i].context->marked_seconds(&seconds_[i]));
    }
    const double wall = monotonic_seconds() - begin;
    return timer_.judge(*std::max_element(seconds_.begin(), seconds_.end()), wall);
  }

  std::vector<double> rank_seconds() const override { return seconds_; }

  Verification verify() override {
    // In place only the first call after the input was written can be checked.
    if (options_.in_place && calls_ != 1) once_more();
    std::atomic<std::uint64_t> wrong{0};
    std::vector<unsigned char> host(received() * type_.bytes);
    for (int rank = 0; rank < ranks_; ++rank) {
      if (host.empty() || !pattern_.takes_part(rank)) continue;
      download(rank, host);
      team_->run([&](int member) {
        const auto members = static_cast<std::size_t>(team_->size()), me = static_cast<std::size_t>(member);
        const std::size_t first = received() * me / members, last = received() * (me + 1) / members;
        wrong.fetch_add(pattern_.wrong_received(rank, host.data(), first, last - first), std::memory_order_relaxed);
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
    if (received() == 0 || (kind != "flip" && kind != "skipped-rank")) return false;
    once_more();
    const std::uint64_t place = random_bits(options_.seed, 70 + faults_++);
    int damaged = static_cast<int>(place % static_cast<std::uint64_t>(ranks_));
    if (!pattern_.takes_part(damaged)) damaged %= 2;
    const std::size_t at = (place >> 16) % received();
    const int absent = pattern_.visible_rank(damaged, at);
    std::vector<unsigned char> host(received() * type_.bytes);
    for (int rank = 0; rank < ranks_; ++rank) {
      if (!pattern_.takes_part(rank) || (kind == "flip" && rank != damaged)) continue;
      download(rank, host);
      if (kind == "flip") host[at * type_.bytes] ^= 1;
      else pattern_.leave_out(absent, rank, host.data());
      require(ranks_of_[static_cast<std::size_t>(rank)].context->upload(target(rank), host.data(), host.size()));
    }
    return true;
  }
  const char* fault_kinds() const override { return "flip,skipped-rank"; }

  Work work() const override {
    const auto elements = static_cast<double>(count_);
    return {reduces(kind_) ? (ranks_ - 1) * elements : 0, elements * static_cast<double>(type_.bytes), 1};
  }

  std::map<std::string, std::string> facts() const override {
    std::map<std::string, std::string> facts = {{"collective", collective_name(kind_)},
                                                {"dtype", type_.dtype},
                                                {"ranks", std::to_string(ranks_)},
                                                {"rankKind", "GPUs of one process"},
                                                {"algorithm", "the library's choice"},
                                                {"inPlace", options_.in_place ? "true" : "false"},
                                                {"method", options_.per_call ? "one call, then a wait" : "calls back to back"},
                                                {"messageBytes", std::to_string(count_ * type_.bytes)}};
    char factor[32];
    std::snprintf(factor, sizeof factor, "%.17g", bus_factor(kind_, ranks_));
    facts["busFactor"] = factor;
    if (reduces(kind_)) facts["op"] = options_.op;
    if (!is_ready_) return facts;
    std::vector<const DeviceInfo*> devices;
    for (const Rank& rank : ranks_of_) devices.push_back(&rank.context->device());
    device_facts(*driver_, devices, facts);
    facts["library"] = library_->path();
    facts["libraryVersion"] = library_->version();
    facts["timedBatches"] = std::to_string(timer_.samples());
    facts["timerDisagreements"] = std::to_string(timer_.disagreements());
    return facts;
  }
  int threads() const override { return ranks_; }

 private:
  struct Rank {
    std::shared_ptr<Context> context;
    Buffer send, receive;  // in place: `send` alone
  };

  std::size_t sent() const { return send_elements(kind_, count_, ranks_); }
  std::size_t received() const { return receive_elements(kind_, count_, ranks_); }
  std::size_t block() const { return count_ / static_cast<std::size_t>(ranks_); }

  // Where a rank's input and output begin. In place the smaller vector is the rank's own block of the larger.
  DevicePointer own_block(int rank) const {
    return ranks_of_[static_cast<std::size_t>(rank)].send.device() + static_cast<std::size_t>(rank) * block() * type_.bytes;
  }
  DevicePointer source(int rank) const {
    return options_.in_place && kind_ == Collective::kAllGather ? own_block(rank) : ranks_of_[static_cast<std::size_t>(rank)].send.device();
  }
  DevicePointer target(int rank) const {
    if (!options_.in_place) return ranks_of_[static_cast<std::size_t>(rank)].receive.device();
    return kind_ == Collective::kReduceScatter ? own_block(rank) : ranks_of_[static_cast<std::size_t>(rank)].send.device();
  }

  void download(int rank, std::vector<unsigned char>& host) const {
    const Context& context = *ranks_of_[static_cast<std::size_t>(rank)].context;
    require(context.use());
    require(context.download(host.data(), target(rank), host.size()));
  }

  // The input as it was, and in the output what no element ever holds.
  Status refill() {
    std::vector<unsigned char> host(std::max(sent(), received()) * type_.bytes);
    for (int rank = 0; rank < ranks_; ++rank) {
      const Rank& one = ranks_of_[static_cast<std::size_t>(rank)];
      if (Status status = one.context->use(); !status.ok()) return status;
      if (received() > 0) {
        pattern_.unwrite(host.data(), 0, received());
        if (Status status = one.context->upload(target(rank), host.data(), received() * type_.bytes); !status.ok()) return status;
      }
      if (sent() > 0) {
        pattern_.fill(rank, host.data(), 0, sent());
        if (Status status = one.context->upload(source(rank), host.data(), sent() * type_.bytes); !status.ok()) return status;
      }
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
    for (const Rank& rank : ranks_of_) {
      require(rank.context->use());
      require(rank.context->wait());
    }
  }

  Status call() {
    if (count_ == 0) return Status::success();  // as MPI: nothing to exchange
    if (kind_ != Collective::kPingPong) return group([this](int rank) { return one(rank); });
    // There, and back when it has come: the stream of rank 1 keeps that order. It sends back a vector of its own.
    Status status = group([this](int rank) { return rank == 0 ? give(0, 1) : rank == 1 ? take(1, 0) : Status::success(); });
    if (status.ok()) status = group([this](int rank) { return rank == 0 ? take(0, 1) : rank == 1 ? give(1, 0) : Status::success(); });
    return status;
  }

  template <typename Each>
  Status group(Each each) {
    Status status = library_->check("ncclGroupStart", library_->call().group_begin());
    for (int rank = 0; rank < ranks_ && status.ok(); ++rank) {
      status = ranks_of_[static_cast<std::size_t>(rank)].context->use();
      if (status.ok()) status = each(rank);
    }
    const Status ended = library_->check("ncclGroupEnd", library_->call().group_end());
    return status.ok() ? ended : status;
  }

  Stream stream(int rank) const { return ranks_of_[static_cast<std::size_t>(rank)].context->stream(); }
  Communicator communicator(int rank) const { return communicators_[static_cast<std::size_t>(rank)]; }
  Status give(int rank, int to) {
    return library_->check("ncclSend", library_->call().send(source(rank), count_, type_.type, to, communicator(rank), stream(rank)));
  }
  Status take(int rank, int from) {
    return library_->check("ncclRecv", library_->call().receive(target(rank), count_, type_.type, from, communicator(rank), stream(rank)));
  }

  Status one(int rank) {
    const CollectiveCalls& nccl = library_->call();
    const DevicePointer from = source(rank), to = target(rank);
    switch (kind_) {
      case Collective::kAllreduce:
        return library_->check("ncclAllReduce", nccl.all_reduce(from, to, count_, type_.type, op_, communicator(rank), stream(rank)));
      case Collective::kReduceScatter:
        return library_->check("ncclReduceScatter", nccl.reduce_scatter(from, to, block(), type_.type, op_, communicator(rank), stream(rank)));
      case Collective::kAllGather:
        return library_->check("ncclAllGather", nccl.all_gather(from, to, block(), type_.type, communicator(rank), stream(rank)));
      case Collective::kBroadcast:
        return library_->check("ncclBroadcast", nccl.broadcast(from, to, count_, type_.type, 0, communicator(rank), stream(rank)));
      case Collective::kShift: {
        const int right = (rank + 1) % ranks_, left = (rank + ranks_ - 1) % ranks_;
        Status status = library_->check("ncclSend", nccl.send(from, count_, type_.type, right, communicator(rank), stream(rank)));
        if (status.ok()) status = library_->check("ncclRecv", nccl.receive(to, count_, type_.type, left, communicator(rank), stream(rank)));
        return status;
      }
      default: {  // all-to-all
        Status status = Status::success();
        for (int other = 0; other < ranks_ && status.ok(); ++other) {
          const std::size_t offset = static_cast<std::size_t>(other) * block() * type_.bytes;
          status = library_->check("ncclSend", nccl.send(from + offset, block(), type_.type, other, communicator(rank), stream(rank)));
          if (status.ok()) status = library_->check("ncclRecv", nccl.receive(to + offset, block(), type_.type, other, communicator(rank), stream(rank)));
        }
        return status;
      }
    }
  }

  const GpuCollectiveOptions options_;
  const Collective kind_;
  const TypeRow& type_;
  const Pattern pattern_;
  const std::size_t count_;
  const int ranks_;
  int op_ = kSum;
  std::optional<ThreadTeam> team_;
  std::shared_ptr<Driver> driver_;
  std::shared_ptr<CollectiveLibrary> library_;
  std::vector<Rank> ranks_of_;
  std::vector<Communicator> communicators_;
  std::vector<double> seconds_;
  Timer timer_;
  std::uint64_t faults_ = 0;
  std::uint64_t calls_ = 0;  // since the input was written
  bool is_ready_ = false;
};

Status bad_option(std::string message, std::string remedy) { return Status::failure("BAD_OPTION", std::move(message), std::move(remedy)); }

}  // namespace

Status create_gpu_collective(const GpuCollectiveOptions& options, std::unique_ptr<Problem>* problem) {
  Collective kind;
  if (!parse_collective(options.collective, &kind)) return bad_option("there is no collective '" + options.collective + "'", "See src/native/types.ts.");
  const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypeRow& row) { return options.dtype == row.dtype; });
  if (type == std::end(kTypes)) return bad_option("there is no dtype '" + options.dtype + "' for collectives", "See src/native/types.ts.");
  if (options.devices.empty()) return bad_option("a collective wants at least one device", "See src/native/types.ts.");
  if (options.bytes % type->bytes != 0) {
    return bad_option("a message of " + std::to_string(options.bytes) + " bytes does not hold a whole number of " + options.dtype + " elements",
                      "Choose a multiple of " + std::to_string(type->bytes) + " bytes.");
  }
  const int ranks = static_cast<int>(options.devices.size());
  if (kind == Collective::kPingPong && ranks < 2) return bad_option("ping-pong wants two devices", "Run it on a machine with more GPUs.");
  if (options.in_place && (kind == Collective::kAllToAll || kind == Collective::kShift || kind == Collective::kPingPong)) {
    return bad_option(std::string(collective_name(kind)) + " has no form in place", "Leave inPlace out.");
  }
  const std::size_t count = whole_blocks(kind, options.bytes / type->bytes, ranks);
  Pattern pattern;
  if (Status status = Pattern::make(kind, options.dtype, options.op, ranks, count, options.seed, &pattern); !status.ok()) return status;
  *problem = std::make_unique<GpuCollectiveProblem>(options, kind, *type, pattern, count);
  return Status::success();
}

}  // namespace aibench::gpu
