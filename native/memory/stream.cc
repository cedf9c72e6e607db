#include "memory/stream.h"

#include <atomic>
#include <cstring>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/available_memory.h"
#include "core/cpu_features.h"
#include "core/thread_team.h"
#include "memory/counter_random.h"
#include "memory/last_level_cache.h"
#include "memory/stream_kernels.h"

namespace aibench {
namespace {

constexpr std::size_t kLineDoubles = 8;
constexpr double kScalar = 3.0;
// Between the arrays of a slice, so that arrays of a round size do not start in the same set of every cache. Modulo 4096
// the output lies behind the inputs, so that no load has the low address bits of a store that has just been issued.
constexpr std::size_t kStaggerBytes = 4096 + 512;
// What an element holds before the first run: a NaN that no kernel produces.
constexpr std::uint64_t kUnwritten = 0x7ff8dead0000beefu;

struct KernelRow {
  const char* name;
  StreamKernelIndex index;
  int inputs;
  int flops;  // per element
};
constexpr KernelRow kKernels[] = {
    {"copy", kStreamCopy, 1, 0}, {"scale", kStreamScale, 1, 1}, {"add", kStreamAdd, 2, 1}, {"triad", kStreamTriad, 2, 2}};

const StreamKernelSet* find_set(Isa isa) {
  const StreamKernelSet* sets[] = {
#define AIBENCH_STREAM_KERNELS(isa) &kStreamKernels_##isa,
#include "memory/stream_kernels.inc"
#undef AIBENCH_STREAM_KERNELS
  };
  for (const StreamKernelSet* set : sets) {
    if (std::strcmp(set->isa, isa_name(isa)) == 0) return set;
  }
  return nullptr;
}

std::vector<Isa> built_isas() {
  std::vector<Isa> isas;
  for (const Isa isa : {Isa::kScalar, Isa::kNeon, Isa::kAvx2, Isa::kAvx512f}) {
    if (find_set(isa) != nullptr) isas.push_back(isa);
  }
  return isas;
}

// Input element `index` of array `array`: a multiple of 2^-50 below 1, so that x, 3x, x + y and x + 3y are exact in
// f64 whether or not the kernel fuses its multiply and add. Expected outputs are therefore compared bit for bit.
double input(std::uint64_t seed, int array, std::size_t index) {
  return static_cast<double>(random_bits(seed, static_cast<std::uint64_t>(array), index) >> 14) * 0x1p-50;
}

double expected(StreamKernelIndex kernel, double x, double y) {
  switch (kernel) {
    case kStreamCopy: return x;
    case kStreamScale: return kScalar * x;
    case kStreamAdd: return x + y;
    default: return x + kScalar * y;
  }
}

std::uint64_t bits_of(double value) {
  std::uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

void set_bits(double* target, std::uint64_t bits) { std::memcpy(target, &bits, sizeof bits); }

// The part of every array that one thread owns, in memory that this thread touched first.
struct Slice {
  std::size_t first = 0;  // index of its first element in the whole array
  std::size_t count = 0;
  AlignedBuffer memory;
  double* out = nullptr;
  double* in[2] = {nullptr, nullptr};
};

class StreamProblem final : public Problem {
 public:
  StreamProblem(const StreamOptions& options, const KernelRow& row, const StreamKernelSet& set)
      : row_(row), set_(set), seed_(options.seed), threads_(options.threads),
        count_(options.bytes_per_array / sizeof(double)),
        last_level_bytes_(last_level_cache_bytes()),
        streaming_(set.streaming[row.index] != nullptr &&
                   static_cast<double>(arrays()) * static_cast<double>(array_bytes()) >
                       static_cast<double>(last_level_bytes_)),
        kernel_(streaming_ ? set.streaming[row.index] : set.cached[row.index]) {}

  Status prepare() override {
    const double needed = static_cast<double>(arrays()) * static_cast<double>(array_bytes());
    if (Status status = check_memory(needed, std::string("STREAM ") + row_.name); !status.ok()) return status;
    if (!team_) team_ = std::make_unique<ThreadTeam>(threads_);
    team_->bind_caller();
    slices_ = std::vector<Slice>(static_cast<std::size_t>(threads_));
    std::vector<Status> statuses(slices_.size());
    team_->run([&](int member) { statuses[static_cast<std::size_t>(member)] = prepare_slice(member); });
    for (Status& status : statuses) {
      if (!status.ok()) return std::move(status);
    }
    huge_page_bytes_ = 0;
    for (const Slice& slice : slices_) huge_page_bytes_ += slice.memory.huge_page_bytes();
    return Status::success();
  }

  void run(std::uint64_t iterations) override {
    ++runs_;
    team_->run([&](int member) {
      Slice& slice = slices_[static_cast<std::size_t>(member)];
      unwrite_one_line(slice);
      for (std::uint64_t i = 0; i < iterations; ++i) {
        kernel_(slice.out, slice.in[0], slice.in[1], kScalar, slice.count);
        team_->barrier(member);  // STREAM times each pass over the whole arrays
      }
    });
  }

  Verification verify() override {
    std::atomic<std::uint64_t> wrong{0};
    team_->run([&](int member) { wrong += wrong_elements(slices_[static_cast<std::size_t>(member)]); });
    Verification v;
    v.method = "every element, bit for bit";
    v.error = static_cast<double>(wrong.load());
    v.tolerance = 0;
    v.passed = v.error <= v.tolerance;
    return v;
  }

  bool inject_fault(const std::string& kind) override {
    const std::uint64_t random = random_bits(seed_, 1000, ++faults_);
    Slice* slice = slice_of(random_below(random, count_));
    if (slice == nullptr) return false;
    const std::size_t at = random_below(mix64(random), slice->count);
    if (kind == "flip") {
      set_bits(slice->out + at, bits_of(slice->out[at]) ^ (std::uint64_t{1} << (random & 63)));
    } else if (kind == "stale") {
      unwrite(*slice, at & ~(kLineDoubles - 1), kLineDoubles);
    } else if (kind == "skipped-thread") {
      unwrite(*slice, 0, slice->count);
    } else {
      return false;
    }
    return true;
  }
  const char* fault_kinds() const override { return "flip,stale,skipped-thread"; }

  Work work() const override {
    return {static_cast<double>(row_.flops) * static_cast<double>(count_),
            static_cast<double>(arrays()) * static_cast<double>(array_bytes()), 0};
  }

  std::map<std::string, std::string> facts() const override {
    std::size_t allocated = 0;
    for (const Slice& slice : slices_) allocated += slice.memory.size();
    return {{"kernel", row_.name},
            {"isa", set_.isa},
            {"threads", std::to_string(threads_)},
            {"elementType", "f64"},
            {"bytesPerArray", std::to_string(array_bytes())},
            {"arrays", std::to_string(arrays())},
            {"bytesAllocated", std::to_string(allocated)},
            {"hugePageBytes", std::to_string(huge_page_bytes_)},
            {"lastLevelCacheBytes", std::to_string(last_level_bytes_)},
            {"nonTemporalStores", streaming_ ? "true" : "false"},
            {"bytesCounted", "STREAM: arrays read + arrays written, write-allocate not counted"}};
  }
  int threads() const override { return threads_; }

 private:
  int arrays() const { return row_.inputs + 1; }
  std::size_t array_bytes() const { return count_ * sizeof(double); }

  Status prepare_slice(int member) {
    Slice& slice = slices_[static_cast<std::size_t>(member)];
    const std::size_t lines = (count_ + kLineDoubles - 1) / kLineDoubles;
    const auto boundary = [&](int m) {
      const auto line = static_cast<unsigned __int128>(lines) * static_cast<unsigned>(m) / static_cast<unsigned>(threads_);
      const std::size_t element = static_cast<std::size_t>(line) * kLineDoubles;
      return element < count_ ? element : count_;
    };
    slice.first = boundary(member);
    slice.count = boundary(member + 1) - slice.first;
    if (slice.count == 0) return Status::success();
    const std::size_t line_bytes = kLineDoubles * sizeof(double);
    const std::size_t stride = ((slice.count * sizeof(double) + line_bytes - 1) & ~(line_bytes - 1)) + kStaggerBytes;
    if (Status status = slice.memory.allocate(stride * static_cast<std::size_t>(arrays())); !status.ok()) return status;
    char* base = slice.memory.as<char>();
    slice.out = reinterpret_cast<double*>(base);
    unwrite(slice, 0, slice.count);
    for (int array = 0; array < row_.inputs; ++array) {
      double* in = reinterpret_cast<double*>(base + stride * static_cast<std::size_t>(array + 1));
      for (std::size_t i = 0; i < slice.count; ++i) in[i] = input(seed_, array, slice.first + i);
      slice.in[array] = in;
    }
    return Status::success();
  }

  void unwrite(Slice& slice, std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count && i < slice.count; ++i) set_bits(slice.out + i, kUnwritten);
  }

  // The kernels repeat the same result, so an output left from an earlier batch would look right. Each batch therefore
  // begins by taking back one line per thread (one store of 64 bytes in a batch of milliseconds).
  void unwrite_one_line(Slice& slice) {
    if (slice.count == 0) return;
    const std::size_t lines = (slice.count + kLineDoubles - 1) / kLineDoubles;
    unwrite(slice, random_below(random_bits(seed_, 1001, runs_), lines) * kLineDoubles, kLineDoubles);
  }

  std::uint64_t wrong_elements(const Slice& slice) const {
    std::uint64_t wrong = 0;
    for (std::size_t i = 0; i < slice.count; ++i) {
      const double x = input(seed_, 0, slice.first + i);
      const double y = row_.inputs == 2 ? input(seed_, 1, slice.first + i) : 0;
      const bool inputs_intact = bits_of(slice.in[0][i]) == bits_of(x) &&
                                 (row_.inputs == 1 || bits_of(slice.in[1][i]) == bits_of(y));
      if (!inputs_intact || bits_of(slice.out[i]) != bits_of(expected(row_.index, x, y))) ++wrong;
    }
    return wrong;
  }

  Slice* slice_of(std::size_t element) {
    for (Slice& slice : slices_) {
      if (element >= slice.first && element < slice.first + slice.count) return &slice;
    }
    return nullptr;
  }

  const KernelRow& row_;
  const StreamKernelSet& set_;
  const std::uint64_t seed_;
  const int threads_;
  const std::size_t count_;
  const std::uint64_t last_level_bytes_;
  const bool streaming_;
  const StreamKernel kernel_;
  std::unique_ptr<ThreadTeam> team_;
  std::vector<Slice> slices_;
  std::size_t huge_page_bytes_ = 0;
  std::uint64_t runs_ = 0;
  std::uint64_t faults_ = 0;
};

}  // namespace

Status make_stream(const StreamOptions& options, std::unique_ptr<Problem>* problem) {
  const KernelRow* row = nullptr;
  for (const KernelRow& candidate : kKernels) {
    if (options.kernel == candidate.name) row = &candidate;
  }
  if (row == nullptr) {
    return Status::failure("BAD_OPTION", "STREAM has no kernel '" + options.kernel + "'",
                           "Use copy, scale, add or triad.");
  }
  if (options.bytes_per_array < sizeof(double) || options.bytes_per_array % sizeof(double) != 0) {
    return Status::failure("BAD_OPTION",
                           "a STREAM array of " + std::to_string(options.bytes_per_array) +
                               " bytes does not hold a whole number of f64 elements",
                           "Choose a positive multiple of 8 bytes.");
  }
  if (options.threads < 1) {
    return Status::failure("BAD_OPTION", "STREAM needs at least one thread", "Choose threads of 1 or more.");
  }
  Isa isa;
  if (Status status = choose_isa(options.isa, built_isas(), &isa); !status.ok()) return status;
  *problem = std::make_unique<StreamProblem>(options, *row, *find_set(isa));
  return Status::success();
}

}  // namespace aibench
