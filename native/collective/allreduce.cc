#include "collective/allreduce.h"

#include <atomic>
#include <cstring>
#include <vector>

#include "collective/algorithm.h"
#include "collective/placement.h"
#include "core/aligned_buffer.h"
#include "core/available_memory.h"
#include "core/thread_team.h"
#include "memory/counter_random.h"
#include "memory/last_level_cache.h"

namespace aibench {
namespace {

constexpr int kMaxRanks = 1024;
// Between a rank's buffers. Modulo 4096 the output lies behind the input, so that no load has the low address bits of a
// store that has just been issued.
constexpr std::size_t kStaggerBytes = 4096 - 256;
// What an output element holds before the first run: a NaN, which no sum of the inputs is.
constexpr std::uint32_t kUnwritten = 0x7fc0beefu;

// Input element `index` of `rank`: a whole number of magnitude 1 ... 2048, never 0 so that a rank left out always shows.
// Sums over up to 1024 ranks stay below 2^24, hence exact in f32 in any order: outputs are compared bit for bit.
float input(std::uint64_t seed, int rank, std::size_t index) {
  const std::uint64_t random = random_bits(seed, static_cast<std::uint64_t>(rank), index);
  const float magnitude = static_cast<float>(1 + (random >> 53));
  return (random & 1) != 0 ? -magnitude : magnitude;
}

std::uint32_t bits_of(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

void set_bits(float* target, std::uint32_t bits) { std::memcpy(target, &bits, sizeof bits); }

class AllreduceProblem final : public Problem {
 public:
  AllreduceProblem(const AllreduceOptions& options, const Reduction& reduction, const AllreduceAlgorithm& algorithm)
      : reduction_(reduction), algorithm_(algorithm), seed_(options.seed), ranks_(options.ranks),
        count_(options.bytes / sizeof(float)),
        streaming_(reduction.reduce_to_all_streaming != nullptr &&
                   2.0 * ranks_ * static_cast<double>(options.bytes) > static_cast<double>(last_level_cache_bytes())) {}

  Status prepare() override {
    const std::size_t staging = ranks_ > 1 ? algorithm_.staging_bytes(ranks_) : 0;
    const double per_rank = 2.0 * static_cast<double>(count_ * sizeof(float) + staging + sizeof(MailboxSlot));
    if (Status status = check_memory(per_rank * ranks_, "an allreduce"); !status.ok()) return status;
    if (!team_) team_ = std::make_unique<ThreadTeam>(ranks_);
    team_->bind_caller();
    communicator_ = std::make_unique<Communicator>(ranks_, staging, team_->oversubscribed());
    buffers_ = std::vector<AlignedBuffer>(static_cast<std::size_t>(ranks_));
    send_.assign(buffers_.size(), nullptr);
    receive_.assign(buffers_.size(), nullptr);
    std::vector<Status> statuses(buffers_.size());
    team_->run([&](int rank) { statuses[static_cast<std::size_t>(rank)] = prepare_rank(rank); });
    for (Status& status : statuses) {
      if (!status.ok()) return std::move(status);
    }
    one_way_seconds_ = one_way_seconds(*team_);
    return Status::success();
  }

  void run(std::uint64_t iterations) override {
    if (count_ == 0) return;  // as MPI: nothing to exchange, nobody to wait for
    ++runs_;
    const AllreduceCall call{reduction_, send_.data(), receive_.data(), count_, streaming_};
    team_->run([&](int rank) {
      unwrite_one_line(rank);
      for (std::uint64_t i = 0; i < iterations; ++i) {
        if (ranks_ > 1) {
          algorithm_.run(*communicator_, rank, call);
        } else {
          std::memcpy(call.receive[0], call.send[0], call.bytes(count_));
          asm volatile("" ::: "memory");  // each copy counts
        }
      }
    });
  }

  Verification verify() override {
    std::atomic<std::uint64_t> wrong{0};
    team_->run([&](int member) { wrong += wrong_elements(member); });
    one_way_seconds_after_ = one_way_seconds(*team_);
    Verification v;
    v.method = "every element of every rank, bit for bit";
    v.error = static_cast<double>(wrong.load());
    v.tolerance = 0;
    v.passed = v.error <= v.tolerance;
    return v;
  }

  bool inject_fault(const std::string& kind) override {
    if (count_ == 0) return false;  // nothing there to damage
    const std::uint64_t random = random_bits(seed_, 1u << 20, ++faults_);
    const int rank = static_cast<int>(random_below(random, static_cast<std::uint64_t>(ranks_)));
    const std::size_t at = random_below(mix64(random), count_);
    if (kind == "flip") {
      float* element = received(rank) + at;
      set_bits(element, bits_of(*element) ^ (1u << (random & 31)));
    } else if (kind == "skipped-rank") {  // every output lacks this rank's contribution
      for (int other = 0; other < ranks_; ++other) {
        for (std::size_t i = 0; i < count_; ++i) received(other)[i] -= input(seed_, rank, i);
      }
    } else if (kind == "stale-chunk") {  // one line of one rank's output is as it was before the call
      unwrite(received(rank), at / kLineElements * kLineElements);
    } else {
      return false;
    }
    return true;
  }
  const char* fault_kinds() const override { return "flip,skipped-rank,stale-chunk"; }

  // Bytes are those of one rank's vector, so that bytes / seconds is the algorithm bandwidth of nccl-tests.
  Work work() const override {
    return {static_cast<double>(ranks_ - 1) * static_cast<double>(count_),
            static_cast<double>(count_ * sizeof(float)), 1};
  }

  std::map<std::string, std::string> facts() const override {
    const double bytes = static_cast<double>(count_ * sizeof(float));
    std::size_t allocated = communicator_ ? communicator_->bytes_allocated() : 0;
    for (const AlignedBuffer& buffer : buffers_) allocated += buffer.size();
    const bool oversubscribed = team_ && team_->oversubscribed();
    std::map<std::string, std::string> facts = {
        {"algorithm", algorithm_.name},
        {"isa", reduction_.isa},
        {"dtype", reduction_.dtype},
        {"op", reduction_.op},
        {"ranks", std::to_string(ranks_)},
        {"messageBytes", std::to_string(count_ * sizeof(float))},
        {"bytesAllocated", std::to_string(allocated)},
        {"bytesOnLinks", std::to_string(static_cast<std::uint64_t>(
                             ranks_ > 1 ? algorithm_.bytes_on_links(ranks_, bytes) : 0))},
        // nccl-tests PERFORMANCE.md: bus bandwidth = algorithm bandwidth * 2 (n - 1) / n
        {"busFactor", std::to_string(2.0 * (ranks_ - 1) / ranks_)},
        {"nonTemporalStores", streaming_ && std::strcmp(algorithm_.name, "direct") == 0 ? "true" : "false"},
        {"oversubscribed", oversubscribed ? "true" : "false"},
        {"rankCpus", rank_cpus()}};
    if (one_way_seconds_ > 0) {
      facts["oneWayNanosecondsBefore"] = std::to_string(one_way_seconds_ * 1e9);
      if (one_way_seconds_after_ > 0) facts["oneWayNanosecondsAfter"] = std::to_string(one_way_seconds_after_ * 1e9);
    }
    return facts;
  }
  int threads() const override { return ranks_; }

 private:
  static constexpr std::size_t kLineElements = kLineBytes / sizeof(float);

  Status prepare_rank(int rank) {
    if (Status status = communicator_->attach(rank); !status.ok()) return status;
    if (count_ == 0) return Status::success();
    const auto r = static_cast<std::size_t>(rank);
    const std::size_t stride = ((count_ + kLineElements - 1) / kLineElements) * kLineBytes + kStaggerBytes;
    if (Status status = buffers_[r].allocate(2 * stride); !status.ok()) return status;
    float* values = buffers_[r].as<float>();
    for (std::size_t i = 0; i < count_; ++i) values[i] = input(seed_, rank, i);
    send_[r] = values;
    receive_[r] = buffers_[r].as<char>() + stride;
    for (std::size_t i = 0; i < count_; i += kLineElements) unwrite(received(rank), i);
    return Status::success();
  }

  const float* sent(int rank) const { return static_cast<const float*>(send_[static_cast<std::size_t>(rank)]); }
  float* received(int rank) const { return static_cast<float*>(receive_[static_cast<std::size_t>(rank)]); }

  void unwrite(float* out, std::size_t first) {
    for (std::size_t i = first; i < first + kLineElements && i < count_; ++i) set_bits(out + i, kUnwritten);
  }

  // The sums repeat, so an output left from an earlier batch would look right. Each batch therefore begins with one line
  // of every rank's output taken back (one store of 64 bytes in a batch of many microseconds).
  void unwrite_one_line(int rank) {
    const std::size_t lines = (count_ + kLineElements - 1) / kLineElements;
    const std::uint64_t random = random_bits(seed_, (1u << 21) + static_cast<std::uint64_t>(rank), runs_);
    unwrite(received(rank), random_below(random, lines) * kLineElements);
  }

  // Member m checks its slice of every rank's buffers.
  std::uint64_t wrong_elements(int member) const {
    const ElementRange slice = line_range(count_, kLineElements, member, ranks_);
    std::uint64_t wrong = 0;
    for (std::size_t i = slice.begin; i < slice.begin + slice.count; ++i) {
      float sum = 0;
      for (int rank = 0; rank < ranks_; ++rank) {
        const float value = input(seed_, rank, i);
        sum += value;
        if (bits_of(sent(rank)[i]) != bits_of(value)) ++wrong;
      }
      for (int rank = 0; rank < ranks_; ++rank) {
        if (bits_of(received(rank)[i]) != bits_of(sum)) ++wrong;
      }
    }
    return wrong;
  }

  std::string rank_cpus() const {
    const std::vector<int> cpus = allowed_cpus();
    std::string list;
    for (std::size_t rank = 0; rank < static_cast<std::size_t>(ranks_); ++rank) {
      list += (rank == 0 ? "" : ",") + std::to_string(cpus[rank % cpus.size()]);
    }
    return list;
  }

  const Reduction& reduction_;
  const AllreduceAlgorithm& algorithm_;
  const std::uint64_t seed_;
  const int ranks_;
  const std::size_t count_;
  const bool streaming_;
  std::unique_ptr<ThreadTeam> team_;
  std::unique_ptr<Communicator> communicator_;
  std::vector<AlignedBuffer> buffers_;
  std::vector<const void*> send_;  // by rank
  std::vector<void*> receive_;
  double one_way_seconds_ = 0;
  double one_way_seconds_after_ = 0;
  std::uint64_t runs_ = 0;
  std::uint64_t faults_ = 0;
};

std::string algorithm_names() {
  std::string names;
  for (const AllreduceAlgorithm* const* row = allreduce_algorithms(); *row != nullptr; ++row) {
    names += (names.empty() ? "" : ", ") + std::string((*row)->name);
  }
  return names;
}

}  // namespace

Status make_allreduce(const AllreduceOptions& options, std::unique_ptr<Problem>* problem) {
  const Reduction* reduction = nullptr;
  if (Status status = find_reduction(options.dtype.c_str(), options.op.c_str(), options.isa.c_str(), &reduction);
      !status.ok()) {
    return status;
  }
  if (options.bytes % reduction->element_bytes != 0) {
    return Status::failure("BAD_OPTION",
                           "a message of " + std::to_string(options.bytes) + " bytes does not hold a whole number of " +
                               options.dtype + " elements",
                           "Choose a multiple of " + std::to_string(reduction->element_bytes) + " bytes.");
  }
  if (options.ranks < 1 || options.ranks > kMaxRanks) {
    return Status::failure("BAD_OPTION", "an allreduce cannot have " + std::to_string(options.ranks) + " ranks",
                           "Choose 1 to " + std::to_string(kMaxRanks) + " ranks.");
  }
  const AllreduceAlgorithm* algorithm =
      options.algorithm.empty() ? &choose_allreduce_algorithm(options.bytes, options.ranks)
                                : find_allreduce_algorithm(options.algorithm.c_str());
  if (algorithm == nullptr) {
    return Status::failure("BAD_OPTION", "there is no allreduce algorithm '" + options.algorithm + "'",
                           "Use one of " + algorithm_names() + ".");
  }
  *problem = std::make_unique<AllreduceProblem>(options, *reduction, *algorithm);
  return Status::success();
}

}  // namespace aibench
