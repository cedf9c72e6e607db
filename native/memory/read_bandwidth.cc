#include "memory/read_bandwidth.h"

#include <vector>

#include "core/aligned_buffer.h"
#include "core/available_memory.h"
#include "core/thread_team.h"
#include "memory/counter_random.h"
#include "memory/read_sweep.h"

namespace aibench {
namespace {

constexpr std::size_t kStep = 256;  // what a sweep reads at once

struct Slice {
  AlignedBuffer memory;
  std::uint64_t expected = 0;  // the exclusive or of its words
  std::uint64_t found = 0;     // by the last pass
};

class ReadBandwidth final : public Problem {
 public:
  ReadBandwidth(const ReadBandwidthOptions& options, const ReadKernelRow& kernel)
      : kernel_(kernel), seed_(options.seed), threads_(options.threads),
        slice_bytes_(options.bytes / static_cast<std::uint64_t>(options.threads) / kStep * kStep) {}

  Status prepare() override {
    if (Status status = check_memory(work().bytes, "reading"); !status.ok()) return status;
    team_ = std::make_unique<ThreadTeam>(threads_);
    team_->bind_caller();
    slices_ = std::vector<Slice>(static_cast<std::size_t>(threads_));
    std::vector<Status> statuses(slices_.size());
    team_->run([&](int member) { statuses[static_cast<std::size_t>(member)] = fill(member); });
    for (Status& status : statuses) {
      if (!status.ok()) return std::move(status);
    }
    choose_pattern();
    for (Slice& slice : slices_) slice.found = ~slice.expected;
    return Status::success();
  }

  void run(std::uint64_t iterations) override {
    team_->run([&](int member) {
      Slice& slice = slices_[static_cast<std::size_t>(member)];
      std::size_t read = 0;
      for (std::uint64_t i = 0; i < iterations; ++i) {
        slice.found = read_sweep(kernel_, pattern_, slice.memory.as<char>(), slice_bytes_, &read);
      }
    });
  }

  Verification verify() override {
    double wrong = 0;
    for (const Slice& slice : slices_) wrong += slice.found != slice.expected;
    return {"exclusive or of every word read", wrong == 0, wrong, 0};
  }

  const char* fault_kinds() const override { return "flip,skipped-thread"; }
  bool inject_fault(const std::string& kind) override {
    Slice& slice = slices_[random_below(random_bits(seed_, 1000, ++faults_), slices_.size())];
    if (kind == "flip") slice.found ^= std::uint64_t{1} << (faults_ & 63);
    else if (kind == "skipped-thread") slice.found = ~slice.expected;
    else return false;
    return true;
  }

  Work work() const override { return {0, static_cast<double>(slice_bytes_) * threads_, 0}; }
  std::map<std::string, std::string> facts() const override {
    return {{"kernel", "read"},
            {"isa", kernel_.isa},
            {"threads", std::to_string(threads_)},
            {"bytesPerThread", std::to_string(slice_bytes_)},
            {"pattern", read_pattern_name(pattern_)}};
  }
  int threads() const override { return threads_; }

 private:
  Status fill(int member) {
    Slice& slice = slices_[static_cast<std::size_t>(member)];
    if (Status status = slice.memory.allocate(slice_bytes_); !status.ok()) return status;
    auto* words = slice.memory.as<std::uint64_t>();
    for (std::size_t i = 0; i < slice_bytes_ / sizeof(std::uint64_t); ++i) {
      words[i] = random_bits(seed_, static_cast<std::uint64_t>(member), i);
      slice.expected ^= words[i];
    }
    return Status::success();
  }

  // The fastest of three passes of each.
  void choose_pattern() {
    double best = 0;
    int chosen = 0;
    for (int i = 0; i < 3 * kReadPatterns; ++i) {
      pattern_ = i % kReadPatterns;
      const double seconds = run_timed(1);
      if (best == 0 || seconds < best) {
        best = seconds;
        chosen = pattern_;
      }
    }
    pattern_ = chosen;
  }

  const ReadKernelRow& kernel_;
  const std::uint64_t seed_;
  const int threads_;
  const std::size_t slice_bytes_;
  int pattern_ = 0;
  std::uint64_t faults_ = 0;
  std::unique_ptr<ThreadTeam> team_;
  std::vector<Slice> slices_;
};

}  // namespace

Status make_read_bandwidth(const ReadBandwidthOptions& options, std::unique_ptr<Problem>* problem) {
  if (options.threads < 1 || options.bytes / kStep < static_cast<std::uint64_t>(options.threads)) {
    return Status::failure("BAD_OPTION", "reading needs at least 256 bytes for each of at least one thread",
                           "Choose more bytes or fewer threads.");
  }
  const ReadKernelRow* kernel = nullptr;
  Status status = choose_read_kernel(options.isa, &kernel);
  if (status.ok()) *problem = std::make_unique<ReadBandwidth>(options, *kernel);
  return status;
}

}  // namespace aibench
